"""Scripted outcomes as HTTP exchanges, in the wire format of the called API."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from llm_gateway.cassettes.tools.answer import decoded
from llm_gateway.catalog import find
from llm_gateway.exceptions import FakeScriptError
from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.fakes.content import build_reply
from llm_gateway.fakes.host_fields import with_host_fields, with_host_fields_in_stream
from llm_gateway.fakes.outcome import Answer, ErrorReply, Failure, Recorded, ScriptEntry
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.usage import estimate_usage
from llm_gateway.types import ChatReply, Headers, TokenUsage, WireReply, WireRequest
from llm_gateway.usage import CACHE_READ, CACHE_WRITE
from llm_gateway.wire.base import Dialect, ErrorFacts
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.framing import eventstream, sse
from llm_gateway.wire.parts.errors import kind_of

__all__ = ["build_exchange", "error_event", "error_message", "make_malformed", "text_chunks"]

_STATUS_TEXTS = {
    400: "the request is wrong",
    401: "the key is not valid",
    403: "the key may not do this",
    404: "there is no such model",
    408: "the request took too long",
    413: "the request is too large",
    429: "too many requests",
    500: "something went wrong inside",
    503: "the service is overloaded",
    529: "overloaded",
}
_ID_PREFIXES = {
    "anthropic.messages": "msg_fake_",
    "bedrock.invoke": "msg_bdrk_fake_",
    "openai.chat": "chatcmpl-fake-",
    "openai.responses": "resp_fake_",
}
_STREAM_TYPES = {
    "bedrock.converse": "application/vnd.amazon.eventstream",
    "bedrock.invoke": "application/vnd.amazon.eventstream",
    "ollama.chat": "application/x-ndjson",
}
_USAGE_ARGUMENTS = {name: name.removesuffix("_tokens") for name in (CACHE_READ, CACHE_WRITE, "reasoning_tokens")}
"""The arguments of ``usage(...)`` for figures that not every format has."""
_WORD = re.compile(r"\S+\s*|\s+")


def build_exchange(scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    """
    Build the exchange that answers *request* with the outcome of *scripted*.

    Args:
        scripted: The entry of the script.

        call: *request*, decoded.

        request: The request as the SDK sent it.

    Raises:
        FakeScriptError: The API has no format for the outcome.
    """
    match scripted.outcome:
        case Recorded() as recorded:
            return _replay(recorded, scripted, call, request)
        case ErrorReply() as error:
            return HttpExchange(request, _error_reply(error, call), reason="fake")
        case Failure() as failure:
            return _fail(failure, scripted, call, request)
        case Answer() as answer:
            return _answer(answer, scripted, call, request)


def _replay(recorded: Recorded, scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    if (recorded.api, recorded.is_streamed) == (call.api, call.is_streaming):
        return dataclasses.replace(recorded.exchange, request=request, record=None)
    dialect, reply = find_dialect(recorded.api), recorded.exchange.reply
    assert dialect is not None
    if reply is None:
        return dataclasses.replace(recorded.exchange, request=request, record=None)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        facts = dialect.decode_error(reply.status, reply.headers, reply.body)
        return HttpExchange(request, _dialect(call).encode_error(reply.status, dataclasses.replace(facts, type=None)))
    answer = Answer(dataclasses.replace(decoded(reply, dialect), model=call.model))
    return _answer(answer, scripted, call, request)


def error_status(error: ErrorReply, api: str) -> int:
    """Return the status of *error*; where it has none, the one with which *api* reports an overload."""
    return error.status or (529 if api in ("anthropic.messages", "claude_cli") else 503)


def error_message(error: ErrorReply, api: str) -> str:
    """Return the message of *error*, or a usual one for its status."""
    status = error_status(error, api)
    return error.message or _STATUS_TEXTS.get(status, f"status {status}")


def _error_reply(error: ErrorReply, call: FakeCall) -> WireReply:
    status, message = error_status(error, call.api), error_message(error, call.api)
    facts = ErrorFacts(error.kind or kind_of(status, message=message), message, None, error.retry_after_s)
    return _dialect(call).encode_error(status, facts)


def _dialect(call: FakeCall) -> Dialect:
    found = find_dialect(call.api)
    assert found is not None
    return found


def _answer(answer: Answer, scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    reply = _complete(build_reply(answer.content, call, stop_reason=answer.stop_reason), scripted, call)
    if not call.is_streaming:
        whole = with_host_fields(_dialect(call).encode_reply(reply), call, datetime.now(UTC))
        body = json.dumps(whole, ensure_ascii=False).encode()
        return HttpExchange(request, WireReply(200, _headers(call, "application/json"), body), reason="OK")
    return _streamed(_events(answer, reply, call), answer.gap_s, call, request)


def _complete(reply: ChatReply, scripted: ScriptEntry, call: FakeCall) -> ChatReply:
    """Return *reply* with model, id and usage; raise FakeScriptError where the format has no place for a part of it."""
    reply = dataclasses.replace(
        reply,
        model=reply.model or call.model,
        id=reply.id or f"{_ID_PREFIXES.get(call.api, 'fake-')}{call.number}",
        usage=scripted.usage or reply.usage or estimate_usage(call.chat, reply),
    )
    _check_supported(reply, scripted.usage, _dialect(call))
    return reply


def _check_supported(reply: ChatReply, usage: TokenUsage | None, dialect: Dialect) -> None:
    """
    Check that *dialect* has a place for every part of *reply*, and for the figures of the *usage* that was scripted.

    Raises:
        FakeScriptError: It has none for one of them.
    """
    kept = dialect.decode_reply(dialect.encode_reply(reply))
    kinds = [type(part) for part in kept.parts]
    if parts := [part for part in reply.parts if type(part) not in kinds and getattr(part, "text", None) != ""]:
        raise FakeScriptError(
            f"{dialect.name} cannot answer with a {type(parts[0]).__name__}",
            cause="its format has no place for one, so that no real model could have sent it",
            fix="leave it out of the reply, or script it for another provider: fake_llm.on(provider=...).reply(...)",
        )
    scripted = [name for name in _USAGE_ARGUMENTS if getattr(usage, name, None)]
    if figures := [name for name in scripted if getattr(kept.usage, name, None) is None]:
        name = _USAGE_ARGUMENTS[figures[0]]
        raise FakeScriptError(
            f"{dialect.name} cannot report usage({name}={getattr(usage, figures[0])})",
            cause="its format has no place for that figure, so that no real reply could have reported it",
            fix=f"leave {name}= out of usage(...), or script it for another provider: fake_llm.on(provider=...)",
        )


def _events(answer: Answer, reply: ChatReply, call: FakeCall) -> list[bytes]:
    chunks = text_chunks(answer, reply)
    sent = reply if _streams_usage(call) else dataclasses.replace(reply, usage=None)
    events = _dialect(call).encode_stream(sent, chunks=chunks or None)
    return with_host_fields_in_stream(events, call, datetime.now(UTC))


def text_chunks(answer: Answer, reply: ChatReply) -> tuple[str, ...]:
    """Return the text of *reply* as the chunks of a stream."""
    return answer.chunks if answer.chunks is not None else tuple(_WORD.findall(reply.text))


def _streams_usage(call: FakeCall) -> bool:
    """Return whether a stream reports usage: OpenAI's chat does so only for ``stream_options.include_usage``."""
    if call.api != "openai.chat" or find(call.provider).chat.stream_usage != "requested":
        return True
    return bool((call.body.get("stream_options") or {}).get("include_usage"))


def _streamed(events: list[bytes], gap_s: float, call: FakeCall, request: WireRequest) -> HttpExchange:
    kind = _STREAM_TYPES.get(call.api, "text/event-stream; charset=utf-8")
    reply = WireReply(200, _headers(call, kind), b"".join(events))
    chunks = tuple(Chunk(len(event), 0.0) for event in events)
    waits = (0.0, 0.0, *[gap_s] * (len(events) - 1)) if gap_s else ()
    return HttpExchange(request, reply, reason="OK", chunks=chunks, waits=waits)


def _headers(call: FakeCall, kind: str) -> Headers:
    return (("content-type", kind), (find(call.provider).request_id_header, f"req_fake_{call.number}"))


def _fail(failure: Failure, scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    if failure.kind == "timeout":
        text = "fake_llm: no answer in time"
        return HttpExchange(request, None, end="error", failure="read_timeout", failure_text=text)
    if failure.kind == "disconnect" and not failure.after_chunks:
        text = "fake_llm: disconnected before a reply"
        return HttpExchange(request, None, end="error", failure="protocol", failure_text=text)
    whole = _answer(failure.answer, scripted, call, request)
    assert whole.reply is not None
    if failure.kind == "malformed":
        return _with_body(whole, make_malformed(whole.reply.body))
    if failure.error is not None:
        return _end_with_error(whole, failure.after_chunks, failure.error, call)
    return _disconnect(whole, failure.after_chunks)


def _end_with_error(whole: HttpExchange, after_chunks: int, error: ErrorReply, call: FakeCall) -> HttpExchange:
    """Return the first chunks of the stream *whole*, followed by an error event."""
    if not call.is_streaming:
        raise FakeScriptError(
            f"error({error.status}, after_chunks={after_chunks}) needs a stream, and call {call.number} has none",
            cause="a reply that is not streamed has no place for an error after its beginning",
            fix=f"fake_llm.error({error.status}), or request a stream",
        )
    lengths = _lengths_before(whole, f"error({error.status}, ", after_chunks)
    assert whole.reply is not None
    event = error_event(call.api, _error_reply(error, call))
    chunks = (*whole.chunks[:after_chunks], Chunk(len(event), 0.0))
    return _with_body(dataclasses.replace(whole, chunks=chunks), whole.reply.body[: sum(lengths)] + event)


def _disconnect(whole: HttpExchange, after_chunks: int) -> HttpExchange:
    """Return the first chunks of *whole*, then the end of the connection."""
    assert whole.reply is not None
    lengths = _lengths_before(whole, "disconnect(", after_chunks, ", or give a longer content=")
    body = whole.reply.body[: sum(lengths)]
    begun = _with_body(dataclasses.replace(whole, chunks=whole.chunks[:after_chunks]), body)
    return dataclasses.replace(begun, end="error", failure="read", failure_text="fake_llm: disconnected")


def _lengths_before(whole: HttpExchange, verb: str, after_chunks: int, or_else: str = "") -> list[int]:
    """Return the lengths of the first *after_chunks* chunks; each byte is a chunk of an answer that is not streamed."""
    assert whole.reply is not None
    lengths = [chunk.length for chunk in whole.chunks] or [1] * len(whole.reply.body)
    if after_chunks < len(lengths):
        return lengths[:after_chunks]
    raise FakeScriptError(
        f"{verb}after_chunks={after_chunks}) comes after the end: the answer has {len(lengths)} chunks",
        cause="the SDK would have the whole answer by then",
        fix=f"{verb}after_chunks={len(lengths) - 1}){or_else}",
    )


def _with_body(exchange: HttpExchange, body: bytes) -> HttpExchange:
    assert exchange.reply is not None
    chunks: Any = exchange.chunks if sum(chunk.length for chunk in exchange.chunks) == len(body) else ()
    return dataclasses.replace(exchange, reply=dataclasses.replace(exchange.reply, body=body), chunks=chunks)


def make_malformed(body: bytes) -> bytes:
    """Return *body* without the end of its first JSON object."""
    at = body.rfind(b"}", 0, max(body.find(b"\n\n"), 0) or len(body))
    return body[:at] + body[at + 1 :]


_AWS = frozenset({"bedrock.converse", "bedrock.invoke"})


def error_event(api: str, reply: WireReply) -> bytes:
    """
    Return the error of *reply* as an event inside a stream of *api*.

    Raises:
        FakeScriptError: The API has no such event.
    """
    body = reply.body.decode()
    match api:
        case "anthropic.messages":
            return sse.encode("error", body)
        case "openai.chat" | "gemini.generate":
            return sse.encode(None, body)
        case "openai.responses":
            return sse.encode("error", json.dumps(_flat_error(body)))
        case "ollama.chat":
            return f"{body}\n".encode()
        case _ if api in _AWS:
            name = reply.header("x-amzn-errortype") or "InternalServerException"
            headers = {":message-type": "exception", ":exception-type": name[:1].lower() + name[1:]}
            return eventstream.encode({**headers, ":content-type": "application/json"}, reply.body)
    raise FakeScriptError(
        f"{api} has no event for an error inside a stream",
        cause="it ends a stream by closing it",
        fix="fake_llm.disconnect(after_chunks=...)",
    )


def _flat_error(body: str) -> dict[str, object]:
    error = json.loads(body)["error"]
    fields = {name: error.get(name) for name in ("code", "message", "param")}
    return {"type": "error", **fields, "sequence_number": 0}
