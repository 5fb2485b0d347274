"""One turn of ``claude`` as a flow of steps: scripted answers of the model, and the use of tools. See `turn`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from llm_gateway.cassettes.tools.answer import decoded
from llm_gateway.fakes.claude.state import Disrupt, Flow, Print, RunState
from llm_gateway.fakes.claude.tools import Interrupted, use_tool
from llm_gateway.fakes.content import build_reply
from llm_gateway.fakes.http_reply import error_message, error_status, text_chunks
from llm_gateway.fakes.outcome import Answer, ErrorReply, Failure, Outcome, Recorded, ScriptEntry
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.usage import estimate_usage
from llm_gateway.types import ChatReply, JsonObject, LLMMessage, TextPart, TokenUsage, ToolCall, ToolResult
from llm_gateway.usage import COUNTS
from llm_gateway.wire.anthropic import DIALECT as MESSAGES
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.claude.arguments import resolve_model
from llm_gateway.wire.claude.errors import (
    TIMED_OUT,
    api_error_result,
    error_code,
    error_text,
    refusal_result,
    token_limit_result,
)
from llm_gateway.wire.claude.events import blocks
from llm_gateway.wire.claude.result import NOTHING
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.parts.errors import kind_of

__all__ = ["KILLED", "STRUCTURED", "complete_reply", "end_interrupted_turn", "resolve_outcome", "turn"]

KILLED = -9
"""Exit code of a process that is killed."""
_STRUCTURED_OUTPUT_RESULT = "Structured output provided successfully"
_DEFAULT_MAX_TOKENS = 128_000
_TIMEOUT_HINT = "If the API is slow to answer, or a proxy or gateway holds responses, raise API_TIMEOUT_MS."


def turn(state: RunState, message: LLMMessage) -> Flow:
    """Answer *message*; return the exit code of the run if it ended with this turn."""
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
    """End a turn that the host has interrupted."""
    yield Print(state.events.user([{"type": "text", "text": "[Request interrupted by user]"}]))
    fields = {"stop_reason": None, "terminal_reason": "aborted_streaming", "num_turns": state.rounds + 1}
    yield Print(state.result_event({**fields, **_error("error_during_execution", "the turn was interrupted")}))
    return 0


def _round(state: RunState, call: FakeCall, scripted: ScriptEntry) -> Flow:
    """Print one answer of the model; return the exit code, or None where the model is called again."""
    match resolve_outcome(scripted.outcome):
        case (ErrorReply() as outcome) | Failure(error=ErrorReply() as outcome):
            # Inside a stream or not: the command reports an error at the end of its retries.
            return (yield from _error_reply(state, call, outcome))
        case Failure("timeout"):
            return (yield from _fail(state, call, api_error_result(f"{TIMED_OUT}. {_TIMEOUT_HINT}", None), "unknown"))
        case Failure(kind, answer, after_chunks):
            yield Disrupt("malformed" if kind == "malformed" else "disconnect", after_chunks)
            code = yield from _answer(state, call, answer, scripted, goes_on=kind == "malformed")
            return code if kind == "malformed" else KILLED
        case Answer() as answer:
            return (yield from _answer(state, call, answer, scripted))


def _error_reply(state: RunState, call: FakeCall, outcome: ErrorReply) -> Flow:
    status, message = error_status(outcome, call.api), error_message(outcome, call.api)
    facts = ErrorFacts(outcome.kind or kind_of(status, message=message), message)
    kind = json.loads(MESSAGES.encode_error(status, facts).body)["error"]["type"]
    text = error_text(status, message, resolve_model(call.model))
    return (yield from _fail(state, call, api_error_result(text, status, api_error_type=kind), error_code(facts.kind)))


def _fail(state: RunState, call: FakeCall, fields: JsonObject, word: str) -> Flow:
    state.record(call, NOTHING, 1)
    yield Print(state.events.failure(word, fields, f"req_fake_{call.number}"))
    yield Print(state.result_event(fields))
    return 1


def _answer(state: RunState, call: FakeCall, answer: Answer, scripted: ScriptEntry, *, goes_on: bool = True) -> Flow:
    reply = complete_reply(answer, scripted, call)
    state.record(call, reply.usage or NOTHING, 0)
    state.history.append(LLMMessage("assistant", reply.parts))
    yield from _print_reply(state, call, reply, answer)
    uses = [part for part in reply.parts if isinstance(part, ToolCall) and part.name != STRUCTURED]
    if uses and goes_on:
        return (yield from _use_tools(state, uses))
    fields = yield from _result_fields(state, reply)
    yield Print(state.result_event(fields))
    return 1 if fields.get("is_error") else 0


def _print_reply(state: RunState, call: FakeCall, reply: ChatReply, answer: Answer) -> Iterator[Print]:
    request_id, is_first = f"req_fake_{call.number}", True
    if not state.options.has_partial_messages:
        yield from (Print(state.events.assistant(reply, block, request_id)) for block in blocks(reply.parts))
        return
    for event in state.events.partial(reply, text_chunks(answer, reply) or None, request_id):
        is_text = ((event.get("event") or {}).get("delta") or {}).get("type") == "text_delta"
        yield Print(event, answer.gap_s if is_text and not is_first else 0.0)
        is_first = is_first and not is_text


def _use_tools(state: RunState, uses: list[ToolCall]) -> Flow:
    """Use the tools; return None to call the model again, or end the turn where ``--max-turns`` is reached."""
    results: list[ToolResult] = []
    for call in uses:
        result: ToolResult = yield from use_tool(state, call)
        results.append(result)
    state.history.append(LLMMessage("tool", tuple(results)))
    most = state.options.max_turns
    if most is None or state.rounds < most:
        return None
    fields = {"stop_reason": "tool_use", "terminal_reason": "max_turns", "num_turns": state.rounds + 1}
    yield Print(
        state.result_event({**fields, **_error("error_max_turns", f"Reached maximum number of turns ({most})")})
    )
    return 1


def _result_fields(state: RunState, reply: ChatReply) -> Flow:
    """Return the fields of the result event that depend on the last answer of the turn."""
    if reply.stop_reason == "refusal":
        return refusal_result(str(reply.model))
    if reply.stop_reason == "max_tokens":
        return token_limit_result(state.options.max_tokens or _DEFAULT_MAX_TOKENS)
    given = next((part for part in reply.parts if isinstance(part, ToolCall) and part.name == STRUCTURED), None)
    if given is None:
        texts = [
            part.text for part in reply.parts if isinstance(part, TextPart)
        ]  # the command prints only the last text
        # The command prints only the last text.
        return {"result": texts[-1] if texts else "", "stop_reason": reply.stop_reason}
    block = {"tool_use_id": given.id, "type": "tool_result", "content": _STRUCTURED_OUTPUT_RESULT}
    decision = {"id": given.id, "permission_decision": {"decision": "accept", "source": "config"}}
    yield Print(state.events.user([block], tool_use_result=_STRUCTURED_OUTPUT_RESULT, tool_result_meta=[decision]))
    text = json.dumps(given.arguments, ensure_ascii=False, separators=(",", ":"))
    more = {"stop_reason": "tool_use", "num_turns": state.rounds + 1}
    return {"result": text, "structured_output": given.arguments, **more}


def _error(subtype: str, text: str) -> JsonObject:
    return {"subtype": subtype, "is_error": True, "errors": [text]}


STRUCTURED = "StructuredOutput"
"""Name of the tool through which the model returns an object of the schema."""


def resolve_outcome(outcome: Outcome) -> Answer | ErrorReply | Failure:
    """Return *outcome*; a recorded exchange of an API becomes the answer, error or failure that it contains."""
    if not isinstance(outcome, Recorded):
        return outcome
    dialect, reply = find_dialect(outcome.api), outcome.exchange.reply
    assert dialect is not None
    if reply is None:
        is_timeout = "timeout" in str(outcome.exchange.failure)
        return Failure("timeout" if is_timeout else "disconnect", Answer(""))
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return ErrorReply(reply.status, dialect.decode_error(reply.status, reply.headers, reply.body).message)
    return Answer(decoded(reply, dialect))


def complete_reply(answer: Answer, scripted: ScriptEntry, call: FakeCall) -> ChatReply:
    """Return the reply with model, id and usage; an object of a schema becomes a call of the tool `STRUCTURED`."""
    reply = build_reply(answer.content, call, stop_reason=answer.stop_reason)
    usage = scripted.usage or reply.usage or estimate_usage(call.chat, reply)
    if call.chat.response_schema is not None and isinstance(reply.structured, dict):
        others = tuple(part for part in reply.parts if not isinstance(part, TextPart))
        given = ToolCall(f"toolu_fake_{call.number}", STRUCTURED, reply.structured)
        reply = replace(reply, parts=(*others, given), stop_reason="tool_use")
    return replace(reply, model=resolve_model(call.model), id=f"msg_fake_{call.number}", usage=_with_zeros(usage))


def _with_zeros(usage: TokenUsage) -> TokenUsage:
    """Return *usage* with 0 for every unknown figure: a fake has used nothing that it does not report."""
    known: dict[str, Any] = {name: getattr(NOTHING, name) for name in COUNTS}
    return TokenUsage(**{name: getattr(usage, name) or zero for name, zero in known.items() if zero is not None})
