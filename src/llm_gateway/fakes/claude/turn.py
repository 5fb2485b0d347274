"""One turn of ``claude``: what a script answers, with the use of tools in between, as steps. See `turn`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

from llm_gateway.cassettes.tools.answer import decoded
from llm_gateway.fakes.claude.state import Disrupt, Flow, Print, RunState
from llm_gateway.fakes.claude.tools import Interrupted, use_tool
from llm_gateway.fakes.content import build_reply
from llm_gateway.fakes.http_reply import error_message, error_status, text_chunks
from llm_gateway.fakes.outcome import Answer, ErrorReply, Failure, Outcome, Recorded, ScriptEntry
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.usage import estimate_usage
from llm_gateway.types import ChatReply, JsonObject, LLMMessage, TextPart, TokenUsage, ToolCall, ToolResult
from llm_gateway.wire.anthropic import DIALECT as MESSAGES
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.claude_events import blocks
from llm_gateway.wire.claude_failure import TIMED_OUT, error_word, failed, over_limit, refused, refused_text
from llm_gateway.wire.claude_models import resolved
from llm_gateway.wire.claude_result import NOTHING
from llm_gateway.wire.dialect import dialect_of
from llm_gateway.wire.failure import kind_of

__all__ = ["KILLED", "STRUCTURED", "complete_reply", "end_interrupted_turn", "resolve_outcome", "turn"]

KILLED = -9
"""How a process ends that is cut off: killed."""
_GIVEN = "Structured output provided successfully"
_LONGEST = 128_000
_LATE = f"{TIMED_OUT}. If the API is slow to answer, or a proxy or gateway holds responses, raise API_TIMEOUT_MS."


def turn(state: RunState, message: LLMMessage) -> Flow:
    """Answer *message*; comes to the exit code if the process ended with this."""
    options = state.options
    state.begin_turn(message)
    if options.reports_state:
        yield Print(state.events.state("running"))
    yield Print(state.init_event())
    if options.replays_user_messages:
        yield Print(state.events.user(blocks(message.parts), isReplay=True))
    code = None
    try:
        while code is None:
            call, scripted = state.call_model()
            code = yield from _round(state, call, scripted)
    except Interrupted:
        code = yield from end_interrupted_turn(state)
    if options.reports_state and code != KILLED:
        yield Print(state.events.state("idle"))
    return code


def end_interrupted_turn(state: RunState) -> Flow:
    """End a turn that the host does not want to go on."""
    yield Print(state.events.user([{"type": "text", "text": "[Request interrupted by user]"}]))
    said = {"stop_reason": None, "terminal_reason": "aborted_streaming", "num_turns": state.rounds + 1}
    yield Print(state.result_event({**said, **_error("error_during_execution", "the turn was interrupted")}))
    return 0


def _round(state: RunState, call: FakeCall, scripted: ScriptEntry) -> Flow:
    """One answer of the model: the exit code, or None where the model is asked again."""
    match resolve_outcome(scripted.outcome):
        case (ErrorReply() as outcome) | Failure(error=ErrorReply() as outcome):  # it tells of both at its end
            return (yield from _refused(state, call, outcome))
        case Failure("timeout"):
            return (yield from _failed(state, call, failed(_LATE, None), "unknown"))
        case Failure(how, answer, after_chunks):
            yield Disrupt("malformed" if how == "malformed" else "disconnect", after_chunks)
            code = yield from _answered(state, call, answer, scripted, goes_on=how == "malformed")
            return code if how == "malformed" else KILLED
        case Answer() as answer:
            return (yield from _answered(state, call, answer, scripted))


def _refused(state: RunState, call: FakeCall, outcome: ErrorReply) -> Flow:
    status, message = error_status(outcome, call.api), error_message(outcome, call.api)
    facts = ErrorFacts(outcome.kind or kind_of(status, message=message), message)
    kind = json.loads(MESSAGES.encode_error(status, facts).body)["error"]["type"]
    text = refused_text(status, message, resolved(call.model))
    return (yield from _failed(state, call, failed(text, status, api_error_type=kind), error_word(facts.kind)))


def _failed(state: RunState, call: FakeCall, said: JsonObject, word: str) -> Flow:
    state.record(call, NOTHING, 1)
    yield Print(state.events.failure(word, said, f"req_fake_{call.number}"))
    yield Print(state.result_event(said))
    return 1


def _answered(state: RunState, call: FakeCall, answer: Answer, scripted: ScriptEntry, *, goes_on: bool = True) -> Flow:
    reply = complete_reply(answer, scripted, call)
    state.record(call, reply.usage or NOTHING, 0)
    state.history.append(LLMMessage("assistant", reply.parts))
    yield from _printed(state, call, reply, answer)
    uses = [part for part in reply.parts if isinstance(part, ToolCall) and part.name != STRUCTURED]
    if uses and goes_on:
        return (yield from _used(state, uses))
    said = yield from _ending(state, reply)
    yield Print(state.result_event(said))
    return 1 if said.get("is_error") else 0


def _printed(state: RunState, call: FakeCall, reply: ChatReply, answer: Answer) -> Iterator[Print]:
    request_id, is_first = f"req_fake_{call.number}", True
    if not state.options.has_partial_messages:
        yield from (Print(state.events.assistant(reply, block, request_id)) for block in blocks(reply.parts))
        return
    for event in state.events.partial(reply, text_chunks(answer, reply) or None, request_id):
        is_text = ((event.get("event") or {}).get("delta") or {}).get("type") == "text_delta"
        yield Print(event, answer.gap_s if is_text and not is_first else 0.0)
        is_first = is_first and not is_text


def _used(state: RunState, uses: list[ToolCall]) -> Flow:
    """Use tools and go on; or end here where the model may not be asked again."""
    results: list[ToolResult] = []
    for call in uses:
        result: ToolResult = yield from use_tool(state, call)
        results.append(result)
    state.history.append(LLMMessage("tool", tuple(results)))
    most = state.options.max_turns
    if most is None or state.rounds < most:
        return None
    said = {"stop_reason": "tool_use", "terminal_reason": "max_turns", "num_turns": state.rounds + 1}
    yield Print(state.result_event({**said, **_error("error_max_turns", f"Reached maximum number of turns ({most})")}))
    return 1


def _ending(state: RunState, reply: ChatReply) -> Flow:
    """What the result says of the last answer of a turn."""
    if reply.stop_reason == "refusal":
        return refused(str(reply.model))
    if reply.stop_reason == "max_tokens":
        return over_limit(state.options.max_tokens or _LONGEST)
    given = next((part for part in reply.parts if isinstance(part, ToolCall) and part.name == STRUCTURED), None)
    if given is None:
        texts = [part.text for part in reply.parts if isinstance(part, TextPart)]  # all but the last are lost
        return {"result": texts[-1] if texts else "", "stop_reason": reply.stop_reason}
    told = {"tool_use_id": given.id, "type": "tool_result", "content": _GIVEN}
    decision = {"id": given.id, "permission_decision": {"decision": "accept", "source": "config"}}
    yield Print(state.events.user([told], tool_use_result=_GIVEN, tool_result_meta=[decision]))
    text = json.dumps(given.arguments, ensure_ascii=False, separators=(",", ":"))
    more = {"stop_reason": "tool_use", "num_turns": state.rounds + 1}
    return {"result": text, "structured_output": given.arguments, **more}


def _error(subtype: str, text: str) -> JsonObject:
    return {"subtype": subtype, "is_error": True, "errors": [text]}


STRUCTURED = "StructuredOutput"
"""The tool through which the model gives an object of the schema."""


def resolve_outcome(outcome: Outcome) -> Answer | ErrorReply | Failure:
    """*outcome*, also of what was recorded from an API."""
    if not isinstance(outcome, Recorded):
        return outcome
    dialect, reply = dialect_of(outcome.api), outcome.exchange.reply
    assert dialect is not None
    if reply is None:
        how = "timeout" if "timeout" in str(outcome.exchange.failure) else "disconnect"
        return Failure("timeout", Answer("")) if how == "timeout" else Failure("disconnect", Answer(""))
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return ErrorReply(reply.status, dialect.decode_error(reply.status, reply.headers, reply.body).message)
    return Answer(decoded(reply, dialect))


def complete_reply(answer: Answer, scripted: ScriptEntry, call: FakeCall) -> ChatReply:
    """The reply with model, id and usage; an object for a schema is given through the tool that is meant for it."""
    reply = build_reply(answer.content, call, stop_reason=answer.stop_reason)
    usage = scripted.usage or reply.usage or estimate_usage(call.chat, reply)
    if call.chat.response_schema is not None and isinstance(reply.structured, dict):
        others = tuple(part for part in reply.parts if not isinstance(part, TextPart))
        given = ToolCall(f"toolu_fake_{call.number}", STRUCTURED, reply.structured)
        reply = replace(reply, parts=(*others, given), stop_reason="tool_use")
    return replace(reply, model=resolved(call.model), id=f"msg_fake_{call.number}", usage=_all(usage))


def _all(usage: TokenUsage) -> TokenUsage:
    """All that the command line tells of; a fake used nothing that it does not say."""
    return TokenUsage(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_tokens or 0,
        usage.cache_write_tokens or 0,
        usage.cache_write_1h_tokens or 0,
        usage.reasoning_tokens or 0,
        web_searches=usage.web_searches or 0,
    )
