"""Answers as their host sends them: with the members that it always adds, and the time."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from llm_gateway.fakes.form import Form, filled
from llm_gateway.fakes.habits import chunks_of
from llm_gateway.fakes.hosts import HOSTS, Host
from llm_gateway.fakes.repeated import response_event
from llm_gateway.fakes.request import FakeCall
from llm_gateway.types import JsonObject

__all__ = ["dressed", "dressed_events"]

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
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
    if call.api == "openai.chat":
        return _dressed_chunks(list(events), call, at)
    return [_dressed_event(event, call, at) for event in events]


def _dressed_chunks(events: list[bytes], call: FakeCall, at: datetime) -> list[bytes]:
    chunks = [json.loads(event[start:end]) for event in events for start, end in [_place(event)] if start >= 0]
    ending = [event for event in events if _place(event)[0] < 0]
    told = chunks_of(HOSTS.get(call.provider, Host()), chunks)
    return [*(b"data: " + _ENCODE(_timed(chunk, at)).encode() + b"\n\n" for chunk in told), *ending]


def _dressed_event(event: bytes, call: FakeCall, at: datetime) -> bytes:
    start, end = _place(event)
    body = json.loads(event[start:end])
    made = _timed(_event(body, call), at)
    return event if made is body else event[:start] + _ENCODE(made).encode() + event[end:]


def _place(event: bytes) -> tuple[int, int]:
    """Where the object of an event stands."""
    return event.find(b"{"), event.rfind(b"}") + 1


def _timed(body: JsonObject, at: datetime) -> JsonObject:
    """*body* with the time *at* where the dialect, which has no clock, left the beginning of 1970."""
    times = {name: _told_as(body[name], at) for name in _TOLD_AT if body.get(name) in (0, _EPOCH)}
    inner = {"response": _timed(body["response"], at)} if isinstance(body.get("response"), dict) else {}
    return {**body, **times, **inner} if times or inner else body


def _told_as(blank: Any, at: datetime) -> Any:
    """Seconds or text, as *blank* is."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if blank == _EPOCH else int(at.timestamp())


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
