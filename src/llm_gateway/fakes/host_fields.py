"""Fields that every API adds around an answer: usual values, times, and options of the request."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from llm_gateway.fakes.chat_hosts import chat_chunks, chat_reply
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.template import Template, fill
from llm_gateway.types import JsonObject

__all__ = ["with_host_fields", "with_host_fields_in_stream"]

_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_TIME_FIELDS = ("created", "created_at", "completed_at", "createTime")
_EPOCH = "1970-01-01T00:00:00Z"
_COMPLETE_FORMATS = frozenset({"bedrock.converse", "bedrock.invoke", "cohere.v2.chat"})
"""Formats whose streams have no times, and all fields from the dialect."""


def with_host_fields(body: JsonObject, call: FakeCall, at: datetime) -> JsonObject:
    """Return *body*, a whole reply to *call* in its dialect, with the fields of its host, sent at *at*."""
    if call.api == "openai.chat":
        return _with_times(chat_reply(call.provider, body), at)
    return _with_times(_with_fields(body, call), at)


def with_host_fields_in_stream(events: Iterable[bytes], call: FakeCall, at: datetime) -> list[bytes]:
    """Return *events*, a stream in answer to *call*, with the fields of its host, begun at *at*."""
    if call.api in _COMPLETE_FORMATS:
        return list(events)
    if call.api == "openai.chat":
        return _chat_events(list(events), call, at)
    return [_with_fields_in_event(event, call, at) for event in events]


def _chat_events(events: list[bytes], call: FakeCall, at: datetime) -> list[bytes]:
    chunks = [json.loads(event[start:end]) for event in events for start, end in [_json_span(event)] if start >= 0]
    ending = [event for event in events if _json_span(event)[0] < 0]
    sent = chat_chunks(call.provider, chunks)
    return [*(b"data: " + _ENCODE(_with_times(chunk, at)).encode() + b"\n\n" for chunk in sent), *ending]


def _with_fields_in_event(event: bytes, call: FakeCall, at: datetime) -> bytes:
    start, end = _json_span(event)
    body = json.loads(event[start:end])
    filled = _with_times(_with_fields(body, call), at)
    return event if filled is body else event[:start] + _ENCODE(filled).encode() + event[end:]


def _json_span(event: bytes) -> tuple[int, int]:
    """Return where the JSON object of *event* begins (-1: it has none) and ends."""
    return event.find(b"{"), event.rfind(b"}") + 1


def _with_times(body: JsonObject, at: datetime) -> JsonObject:
    """Return *body* with the time *at* where the dialect, which has no clock, wrote the beginning of 1970."""
    times = {name: _time_like(body[name], at) for name in _TIME_FIELDS if body.get(name) in (0, _EPOCH)}
    inner = {"response": _with_times(body["response"], at)} if isinstance(body.get("response"), dict) else {}
    return {**body, **times, **inner} if times or inner else body


def _time_like(blank: Any, at: datetime) -> Any:
    """Return *at* as text or in seconds, as *blank* is."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if blank == _EPOCH else int(at.timestamp())


def _with_fields(body: JsonObject, call: FakeCall) -> JsonObject:
    """Return *body*, a reply or an event, with the fields that the API of *call* always has."""
    match call.api:
        case "openai.responses":
            return _response_event(body, call.body)
        case "anthropic.messages":
            return fill(body, _anthropic_fields)  # type: ignore[no-any-return]
        case "gemini.generate":
            return fill(body, _vertex_fields if call.provider == "vertex" else _gemini_fields)  # type: ignore[no-any-return]
    return body


_RESPONSE_DEFAULTS: JsonObject = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "moderation": None,
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
    "reasoning": {"effort": "medium", "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""The options that a response repeats, as they are where the request has none of them."""
_FUNCTION = {"description": None, "parameters": None, "strict": True}


def _response_event(body: JsonObject, request: JsonObject) -> JsonObject:
    """Return *body*, a response or an event of one, with the options of its *request*."""
    if body.get("object") == "response":
        return _response(body, request)
    if "response" in body:
        return {**body, "response": _response(body["response"], request)}
    padding = {"obfuscation": "abcdefgh"} if str(body.get("type")).endswith(".delta") else {}
    return {**body, **padding}


def _response(response: JsonObject, request: JsonObject) -> JsonObject:
    options: dict[str, Any] = fill({name: request.get(name) for name in _RESPONSE_DEFAULTS}, _RESPONSE_DEFAULTS)
    options["tools"] = fill(options["tools"], [_tool])
    completed_at = 0 if response["status"] == "completed" else None
    return {**response, **options, "billing": {"payer": "developer"}, "completed_at": completed_at}


def _tool(tool: JsonObject) -> Template:
    return _FUNCTION if tool.get("type") == "function" else {}


def _cache_creation(usage: JsonObject) -> JsonObject:
    five_minutes = usage.get("cache_creation_input_tokens") or 0
    return {"ephemeral_5m_input_tokens": five_minutes, "ephemeral_1h_input_tokens": 0}


def _tool_use(block: JsonObject) -> Template:
    return {"caller": {"type": "direct"}} if block.get("type") == "tool_use" else {}


_MESSAGE = {
    "stop_details": None,
    "content": [_tool_use],
    "usage": {"cache_creation": _cache_creation, "inference_geo": "not_available", "service_tier": "standard"},
}


def _anthropic_fields(body: JsonObject) -> Template:
    match body.get("type"):
        case "message":
            return _MESSAGE
        case "message_start":
            return {"message": _MESSAGE}
        case "content_block_start":
            return {"content_block": _tool_use}
        case "message_delta":
            return {"delta": {"stop_details": None}}
    return {}


def _candidate(candidate: JsonObject) -> Template:
    calls = [part for part in candidate["content"]["parts"] if "functionCall" in part]
    return {"finishMessage": "Model generated function call(s)."} if calls and "finishReason" in candidate else {}


_gemini_fields = {"candidates": [_candidate]}


def _token_details(usage: JsonObject) -> list[JsonObject]:
    return [{"modality": "TEXT", "tokenCount": usage.get("candidatesTokenCount", 0)}]


def _log_probability(candidate: JsonObject) -> Template:
    return {"avgLogprobs": -0.1} if "finishReason" in candidate else {}


_vertex_fields = {
    "candidates": [_log_probability],
    "createTime": _EPOCH,
    "usageMetadata": {"candidatesTokensDetails": _token_details, "trafficType": "ON_DEMAND"},
}
