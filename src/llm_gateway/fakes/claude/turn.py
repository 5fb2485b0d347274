"""One turn of ``claude``: what a script answers, with the use of tools in between, as steps. See `turn`."""

from __future__ import annotations

import json
from collections.abc import Iterator

from llm_gateway.fakes.answer import message_of, pieces_of, status_of
from llm_gateway.fakes.asked import FakeCall
from llm_gateway.fakes.claude.reply import STRUCTURED, meant, whole
from llm_gateway.fakes.claude.session import Session
from llm_gateway.fakes.claude.steps import Damage, Flow, Say
from llm_gateway.fakes.claude.tools import Interrupted, use
from llm_gateway.fakes.outcome import Answer, Broken, Refused, Scripted
from llm_gateway.types import ChatReply, JsonObject, LLMMessage, TextPart, ToolCall, ToolResult
from llm_gateway.wire.anthropic import DIALECT as MESSAGES
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.claude_events import blocks
from llm_gateway.wire.claude_failure import TIMED_OUT, error_word, failed, over_limit, refused, refused_text
from llm_gateway.wire.claude_models import resolved
from llm_gateway.wire.claude_result import NOTHING
from llm_gateway.wire.failure import kind_of

__all__ = ["DIED", "interrupted", "turn"]

DIED = -9
"""How a process ends that is cut off: killed."""
_GIVEN = "Structured output provided successfully"
_LONGEST = 128_000
_LATE = f"{TIMED_OUT}. If the API is slow to answer, or a proxy or gateway holds responses, raise API_TIMEOUT_MS."


def turn(session: Session, message: LLMMessage) -> Flow:
    """Answer *message*; comes to the exit code if the process ended with this."""
    options = session.options
    session.begin(message)
    if options.tells_state:
        yield Say(session.events.state("running"))
    yield Say(session.init())
    if options.replays_users:
        yield Say(session.events.user(blocks(message.parts), isReplay=True))
    code = None
    try:
        while code is None:
            call, scripted = session.ask()
            code = yield from _round(session, call, scripted)
    except Interrupted:
        code = yield from interrupted(session)
    if options.tells_state and code != DIED:
        yield Say(session.events.state("idle"))
    return code


def interrupted(session: Session) -> Flow:
    """End a turn that the host does not want to go on."""
    yield Say(session.events.user([{"type": "text", "text": "[Request interrupted by user]"}]))
    said = {"stop_reason": None, "terminal_reason": "aborted_streaming", "num_turns": session.rounds + 1}
    yield Say(session.result({**said, **_error("error_during_execution", "the turn was interrupted")}))
    return 0


def _round(session: Session, call: FakeCall, scripted: Scripted) -> Flow:
    """One answer of the model: the exit code, or None where the model is asked again."""
    match meant(scripted.outcome):
        case (Refused() as outcome) | Broken(refused=Refused() as outcome):  # it tells of both at its end
            return (yield from _refused(session, call, outcome))
        case Broken("timeout"):
            return (yield from _failed(session, call, failed(_LATE, None), "unknown"))
        case Broken(how, answer, after_chunks):
            yield Damage("malformed" if how == "malformed" else "disconnect", after_chunks)
            code = yield from _answered(session, call, answer, scripted, goes_on=how == "malformed")
            return code if how == "malformed" else DIED
        case Answer() as answer:
            return (yield from _answered(session, call, answer, scripted))


def _refused(session: Session, call: FakeCall, outcome: Refused) -> Flow:
    status, message = status_of(outcome, call.api), message_of(outcome, call.api)
    facts = ErrorFacts(outcome.kind or kind_of(status, message=message), message)
    kind = json.loads(MESSAGES.encode_error(status, facts).body)["error"]["type"]
    text = refused_text(status, message, resolved(call.model))
    return (yield from _failed(session, call, failed(text, status, api_error_type=kind), error_word(facts.kind)))


def _failed(session: Session, call: FakeCall, said: JsonObject, word: str) -> Flow:
    session.note(call, NOTHING, 1)
    yield Say(session.events.failure(word, said, f"req_fake_{call.number}"))
    yield Say(session.result(said))
    return 1


def _answered(session: Session, call: FakeCall, answer: Answer, scripted: Scripted, *, goes_on: bool = True) -> Flow:
    reply = whole(answer, scripted, call)
    session.note(call, reply.usage or NOTHING, 0)
    session.history.append(LLMMessage("assistant", reply.parts))
    yield from _printed(session, call, reply, answer)
    uses = [part for part in reply.parts if isinstance(part, ToolCall) and part.name != STRUCTURED]
    if uses and goes_on:
        return (yield from _used(session, uses))
    said = yield from _ending(session, reply)
    yield Say(session.result(said))
    return 1 if said.get("is_error") else 0


def _printed(session: Session, call: FakeCall, reply: ChatReply, answer: Answer) -> Iterator[Say]:
    request_id, is_first = f"req_fake_{call.number}", True
    if not session.options.is_partial:
        yield from (Say(session.events.assistant(reply, block, request_id)) for block in blocks(reply.parts))
        return
    for event in session.events.partial(reply, pieces_of(answer, reply) or None, request_id):
        is_text = ((event.get("event") or {}).get("delta") or {}).get("type") == "text_delta"
        yield Say(event, answer.gap_s if is_text and not is_first else 0.0)
        is_first = is_first and not is_text


def _used(session: Session, uses: list[ToolCall]) -> Flow:
    """Use tools and go on; or end here where the model may not be asked again."""
    results: list[ToolResult] = []
    for call in uses:
        result: ToolResult = yield from use(session, call)
        results.append(result)
    session.history.append(LLMMessage("tool", tuple(results)))
    most = session.options.max_turns
    if most is None or session.rounds < most:
        return None
    said = {"stop_reason": "tool_use", "terminal_reason": "max_turns", "num_turns": session.rounds + 1}
    yield Say(session.result({**said, **_error("error_max_turns", f"Reached maximum number of turns ({most})")}))
    return 1


def _ending(session: Session, reply: ChatReply) -> Flow:
    """What the result says of the last answer of a turn."""
    if reply.stop_reason == "refusal":
        return refused(str(reply.model))
    if reply.stop_reason == "max_tokens":
        return over_limit(session.options.max_tokens or _LONGEST)
    given = next((part for part in reply.parts if isinstance(part, ToolCall) and part.name == STRUCTURED), None)
    if given is None:
        texts = [part.text for part in reply.parts if isinstance(part, TextPart)]  # all but the last are lost
        return {"result": texts[-1] if texts else "", "stop_reason": reply.stop_reason}
    told = {"tool_use_id": given.id, "type": "tool_result", "content": _GIVEN}
    decision = {"id": given.id, "permission_decision": {"decision": "accept", "source": "config"}}
    yield Say(session.events.user([told], tool_use_result=_GIVEN, tool_result_meta=[decision]))
    text = json.dumps(given.arguments, ensure_ascii=False, separators=(",", ":"))
    more = {"stop_reason": "tool_use", "num_turns": session.rounds + 1}
    return {"result": text, "structured_output": given.arguments, **more}


def _error(subtype: str, text: str) -> JsonObject:
    return {"subtype": subtype, "is_error": True, "errors": [text]}
