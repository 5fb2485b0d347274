"""Answers as their host sends them: with the members that it always adds, and the time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from llm_gateway.fakes.asked import FakeCall
from llm_gateway.fakes.form import Form, filled
from llm_gateway.fakes.habits import chunks_of
from llm_gateway.fakes.hosts import HOSTS, Host
from llm_gateway.fakes.repeated import response_event
from llm_gateway.types import JsonObject

__all__ = ["dressed", "dressed_events"]

_Parted = tuple[bytes, JsonObject | None, bytes]
_TOLD_AT = ("created", "created_at", "completed_at", "createTime")
_EPOCH = "1970-01-01T00:00:00Z"
_TIMELESS = frozenset({"bedrock.converse", "bedrock.invoke", "cohere.v2.chat"})
"""Whose answers tell no time, and have all their members from the format itself."""


def dressed(body: JsonObject, call: FakeCall, at: datetime) -> JsonObject:
    """A whole reply to *call*, given at *at*."""
    if call.api != "openai.chat":
        return _timed(_event(body, call), at)
    host = HOSTS.get(call.provider, Host())
    made: JsonObject = filled(body, host.reply)
    if host.numbers_calls:
        for index, one in enumerate(made["choices"][0]["message"].get("tool_calls") or ()):
            one["index"] = index
    return _timed(made, at)


def dressed_events(events: Iterable[bytes], call: FakeCall, at: datetime) -> list[bytes]:
    """The events of a stream in answer to *call*, begun at *at*."""
    if call.api in _TIMELESS:
        return list(events)
    parted = [_parted(event) for event in events]
    if call.api == "openai.chat":
        chunks = chunks_of(HOSTS.get(call.provider, Host()), [body for _, body, _ in parted if body is not None])
        ending = [one for one in parted if one[1] is None]
        parted = [*((b"data: ", chunk, b"\n\n") for chunk in chunks), *ending]
    else:
        parted = [(head, body and _event(body, call), tail) for head, body, tail in parted]
    return [_joined(head, body, tail, at) for head, body, tail in parted]


def _parted(event: bytes) -> _Parted:
    """The object of an event, and what stands before and behind it."""
    start, end = event.find(b"{"), event.rfind(b"}") + 1
    return (event, None, b"") if start < 0 else (event[:start], json.loads(event[start:end]), event[end:])


def _joined(head: bytes, body: JsonObject | None, tail: bytes, at: datetime) -> bytes:
    if body is None:
        return head
    return head + json.dumps(_timed(body, at), ensure_ascii=False, separators=(",", ":")).encode() + tail


def _timed(body: JsonObject, at: datetime) -> JsonObject:
    """*body* with the time *at* where the dialect, which has no clock, left the beginning of 1970."""
    told = {0: int(at.timestamp()), _EPOCH: at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")}
    times = {name: told[body[name]] for name in _TOLD_AT if body.get(name) in (0, _EPOCH)}
    inner = {"response": _timed(body["response"], at)} if isinstance(body.get("response"), dict) else {}
    return {**body, **times, **inner}


def _event(body: JsonObject, call: FakeCall) -> JsonObject:
    """A body, or an event, with what the API of *call* always has beside the answer."""
    match call.api:
        case "openai.responses":
            return response_event(body, call.body)
        case "anthropic.messages":
            return filled(body, _anthropic)  # type: ignore[no-any-return]
        case "gemini.generate":
            return filled(body, _vertex if call.provider == "vertex" else _gemini)  # type: ignore[no-any-return]
    return body


def _written(usage: JsonObject) -> JsonObject:
    five_minutes = usage.get("cache_creation_input_tokens") or 0
    return {"ephemeral_5m_input_tokens": five_minutes, "ephemeral_1h_input_tokens": 0}


def _block(block: JsonObject) -> Form:
    return {"caller": {"type": "direct"}} if block.get("type") == "tool_use" else {}


_MESSAGE = {
    "stop_details": None,
    "content": [_block],
    "usage": {"cache_creation": _written, "inference_geo": "not_available", "service_tier": "standard"},
}


def _anthropic(body: JsonObject) -> Form:
    match body.get("type"):
        case "message":
            return _MESSAGE
        case "message_start":
            return {"message": _MESSAGE}
        case "content_block_start":
            return {"content_block": _block}
        case "message_delta":
            return {"delta": {"stop_details": None}}
    return {}


def _candidate(candidate: JsonObject) -> Form:
    calls = [part for part in candidate["content"]["parts"] if "functionCall" in part]
    return {"finishMessage": "Model generated function call(s)."} if calls and "finishReason" in candidate else {}


_gemini = {"candidates": [_candidate]}


def _told(usage: JsonObject) -> list[JsonObject]:
    return [{"modality": "TEXT", "tokenCount": usage.get("candidatesTokenCount", 0)}]


def _ended(candidate: JsonObject) -> Form:
    return {"avgLogprobs": -0.1} if "finishReason" in candidate else {}


_vertex = {
    "candidates": [_ended],
    "createTime": _EPOCH,
    "usageMetadata": {"candidatesTokensDetails": _told, "trafficType": "ON_DEMAND"},
}
