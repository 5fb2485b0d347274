"""Write what was scripted as the provider would have sent it, errors in the middle of a stream included."""

from __future__ import annotations

import dataclasses
import json
import re
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from llm_gateway.cassettes.tools.answer import decoded
from llm_gateway.exceptions import FakeScriptError
from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.fakes.content import build_reply
from llm_gateway.fakes.dressed import dressed, dressed_events
from llm_gateway.fakes.lost import refuse_lost
from llm_gateway.fakes.outcome import Answer, ErrorReply, Failure, Recorded, ScriptEntry
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.usage import estimate_usage
from llm_gateway.types import ChatReply, Headers, WireReply, WireRequest
from llm_gateway.wire import eventstream, sse
from llm_gateway.wire.base import Dialect, ErrorFacts
from llm_gateway.wire.dialect import dialect_of
from llm_gateway.wire.failure import kind_of

__all__ = ["build_exchange", "error_event", "error_message", "make_malformed", "text_chunks"]

_WORDS = {
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
_PREFIXES = {
    "anthropic.messages": "msg_fake_",
    "bedrock.invoke": "msg_bdrk_fake_",
    "openai.chat": "chatcmpl-fake-",
    "openai.responses": "resp_fake_",
}
_STREAMED_AS = {
    "bedrock.converse": "application/vnd.amazon.eventstream",
    "bedrock.invoke": "application/vnd.amazon.eventstream",
    "ollama.chat": "application/x-ndjson",
}
_ID_NAMES = {"anthropic": "request-id", "bedrock": "x-amzn-requestid"}
_ALWAYS_TOLD = frozenset({"mistral", "groq", "together", "fireworks", "cerebras", "deepseek", "xai"})
"""Hosts of OpenAI's format that send a stream's usage without being asked."""
_PIECE = re.compile(r"\S+\s*|\s+")


def build_exchange(scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    """
    What *request* is answered with.

    Raises:
        FakeScriptError: The format cannot say what was scripted.
    """
    match scripted.outcome:
        case Recorded() as played:
            return _played(played, scripted, call, request)
        case ErrorReply() as refused:
            return HttpExchange(request, _error_reply(refused, call), reason="fake")
        case Failure() as failure:
            return _broken(failure, scripted, call, request)
        case Answer() as answer:
            return _answered(answer, scripted, call, request)


def _played(played: Recorded, scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    if (played.api, played.is_streamed) == (call.api, call.is_streaming):
        return dataclasses.replace(played.exchange, request=request, metering=None)
    dialect, reply = dialect_of(played.api), played.exchange.reply
    assert dialect is not None
    if reply is None:
        return dataclasses.replace(played.exchange, request=request, metering=None)
    if reply.status >= HTTPStatus.BAD_REQUEST:
        facts = dialect.decode_error(reply.status, reply.headers, reply.body)
        return HttpExchange(request, _dialect(call).encode_error(reply.status, dataclasses.replace(facts, type=None)))
    said = dataclasses.replace(decoded(reply, dialect), model=call.model)
    return _answered(Answer(said), scripted, call, request)


def error_status(refused: ErrorReply, api: str) -> int:
    """The status of an error; that of an overload is the API's own."""
    return refused.status or (529 if api in ("anthropic.messages", "claude_cli") else 503)


def error_message(refused: ErrorReply, api: str) -> str:
    """The provider's words for an error."""
    status = error_status(refused, api)
    return refused.message or _WORDS.get(status, f"status {status}")


def _error_reply(refused: ErrorReply, call: FakeCall) -> WireReply:
    status, message = error_status(refused, call.api), error_message(refused, call.api)
    facts = ErrorFacts(refused.kind or kind_of(status, message=message), message, None, refused.retry_after_s)
    return _dialect(call).encode_error(status, facts)


def _dialect(call: FakeCall) -> Dialect:
    found = dialect_of(call.api)
    assert found is not None
    return found


def _answered(answer: Answer, scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    reply = _whole(build_reply(answer.content, call, stop_reason=answer.stop_reason), scripted, call)
    if not call.is_streaming:
        whole = dressed(_dialect(call).encode_reply(reply), call, datetime.now(UTC))
        body = json.dumps(whole, ensure_ascii=False).encode()
        return HttpExchange(request, WireReply(200, _headers(call, "application/json"), body), reason="OK")
    return _streamed(_events(answer, reply, call), answer.gap_s, call, request)


def _whole(reply: ChatReply, scripted: ScriptEntry, call: FakeCall) -> ChatReply:
    """With model, id and usage; refused where the format would lose some of it."""
    reply = dataclasses.replace(
        reply,
        model=reply.model or call.model,
        id=reply.id or f"{_PREFIXES.get(call.api, 'fake-')}{call.number}",
        usage=scripted.usage or reply.usage or estimate_usage(call.chat, reply),
    )
    refuse_lost(reply, scripted.usage, _dialect(call))
    return reply


def _events(answer: Answer, reply: ChatReply, call: FakeCall) -> list[bytes]:
    pieces = text_chunks(answer, reply)
    told = reply if _tells_usage(call) else dataclasses.replace(reply, usage=None)
    return dressed_events(_dialect(call).encode_stream(told, pieces=pieces or None), call, datetime.now(UTC))


def text_chunks(answer: Answer, reply: ChatReply) -> tuple[str, ...]:
    """How the text of *reply* is cut where it is streamed."""
    return answer.chunks if answer.chunks is not None else tuple(_PIECE.findall(reply.text))


def _tells_usage(call: FakeCall) -> bool:
    """OpenAI's chat tells a stream's usage only to those who ask."""
    if call.api != "openai.chat" or call.provider in _ALWAYS_TOLD:
        return True
    return bool((call.body.get("stream_options") or {}).get("include_usage"))


def _streamed(events: list[bytes], gap_s: float, call: FakeCall, request: WireRequest) -> HttpExchange:
    kind = _STREAMED_AS.get(call.api, "text/event-stream; charset=utf-8")
    reply = WireReply(200, _headers(call, kind), b"".join(events))
    chunks = tuple(Chunk(len(event), 0.0) for event in events)
    waits = (0.0, 0.0, *[gap_s] * (len(events) - 1)) if gap_s else ()
    return HttpExchange(request, reply, reason="OK", chunks=chunks, waits=waits)


def _headers(call: FakeCall, kind: str) -> Headers:
    return (("content-type", kind), (_ID_NAMES.get(call.provider, "x-request-id"), f"req_fake_{call.number}"))


def _broken(failure: Failure, scripted: ScriptEntry, call: FakeCall, request: WireRequest) -> HttpExchange:
    if failure.kind == "timeout":
        text = "fake_llm: no answer in time"
        return HttpExchange(request, None, end="error", failure="read_timeout", failure_text=text)
    if failure.kind == "disconnect" and not failure.after_chunks:
        text = "fake_llm: disconnected before a reply"
        return HttpExchange(request, None, end="error", failure="protocol", failure_text=text)
    whole = _answered(failure.answer, scripted, call, request)
    assert whole.reply is not None
    if failure.kind == "malformed":
        return _with_body(whole, make_malformed(whole.reply.body))
    if failure.error is not None:
        return _failing(whole, failure.after_chunks, failure.error, call)
    return _cut(whole, failure.after_chunks)


def _failing(whole: HttpExchange, after_chunks: int, refused: ErrorReply, call: FakeCall) -> HttpExchange:
    """The beginning of a stream, and an error in the place of the rest."""
    if not call.is_streaming:
        raise FakeScriptError(
            f"error({refused.status}, after_chunks={after_chunks}) is for streams, and call {call.number} is none",
            cause="a reply that is sent whole has no place for an error behind its beginning",
            fix=f"fake_llm.error({refused.status}), or ask for a stream",
        )
    lengths = _lengths(whole, f"error({refused.status}, ", after_chunks)
    assert whole.reply is not None
    event = error_event(call.api, _error_reply(refused, call))
    chunks = (*whole.chunks[:after_chunks], Chunk(len(event), 0.0))
    return _with_body(dataclasses.replace(whole, chunks=chunks), whole.reply.body[: sum(lengths)] + event)


def _cut(whole: HttpExchange, after_chunks: int) -> HttpExchange:
    """The beginning of an answer."""
    assert whole.reply is not None
    lengths = _lengths(whole, "disconnect(", after_chunks, ", or give a longer content=")
    body = whole.reply.body[: sum(lengths)]
    cut = _with_body(dataclasses.replace(whole, chunks=whole.chunks[:after_chunks]), body)
    return dataclasses.replace(cut, end="error", failure="read", failure_text="fake_llm: disconnected")


def _lengths(whole: HttpExchange, verb: str, after_chunks: int, or_else: str = "") -> list[int]:
    """How long the chunks in front of the break are; an answer that did not stream has one for each byte."""
    assert whole.reply is not None
    lengths = [chunk.length for chunk in whole.chunks] or [1] * len(whole.reply.body)
    if after_chunks < len(lengths):
        return lengths[:after_chunks]
    raise FakeScriptError(
        f"{verb}after_chunks={after_chunks}) comes after the end: the answer has {len(lengths)} chunks",
        cause="nobody would see it there",
        fix=f"{verb}after_chunks={len(lengths) - 1}){or_else}",
    )


def _with_body(exchange: HttpExchange, body: bytes) -> HttpExchange:
    assert exchange.reply is not None
    chunks: Any = exchange.chunks if sum(chunk.length for chunk in exchange.chunks) == len(body) else ()
    return dataclasses.replace(exchange, reply=dataclasses.replace(exchange.reply, body=body), chunks=chunks)


def make_malformed(body: bytes) -> bytes:
    """What is no JSON any more: the first object of the body loses its end."""
    at = body.rfind(b"}", 0, max(body.find(b"\n\n"), 0) or len(body))
    return body[:at] + body[at + 1 :]


_AWS = frozenset({"bedrock.converse", "bedrock.invoke"})


def error_event(api: str, refused: WireReply) -> bytes:
    """
    The event that says inside a stream of *api* what the reply *refused* says instead of one.

    Raises:
        FakeScriptError: The API has no such event.
    """
    body = refused.body.decode()
    match api:
        case "anthropic.messages":
            return sse.encode("error", body)
        case "openai.chat" | "gemini.generate":
            return sse.encode(None, body)
        case "openai.responses":
            return sse.encode("error", json.dumps(_flat(body)))
        case "ollama.chat":
            return f"{body}\n".encode()
        case _ if api in _AWS:
            name = refused.header("x-amzn-errortype") or "InternalServerException"
            headers = {":message-type": "exception", ":exception-type": name[:1].lower() + name[1:]}
            return eventstream.encode({**headers, ":content-type": "application/json"}, refused.body)
    raise FakeScriptError(
        f"{api} has no event for an error inside a stream",
        cause="it ends a stream by closing it",
        fix="fake_llm.disconnect(after_chunks=...)",
    )


def _flat(body: str) -> dict[str, object]:
    error = json.loads(body)["error"]
    told = {name: error.get(name) for name in ("code", "message", "param")}
    return {"type": "error", **told, "sequence_number": 0}
