"""What OpenAI's responses repeat of the request, in the body and in the events that hold one."""

from __future__ import annotations

from typing import Any

from llm_gateway.fakes.form import Form, filled
from llm_gateway.types import JsonObject

__all__ = ["response_event"]

_ASKED: JsonObject = {
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
"""Its members, as they are where the request has none of them."""
_FUNCTION = {"description": None, "parameters": None, "strict": True}


def response_event(body: JsonObject, asked: JsonObject) -> JsonObject:
    """A response, or an event of one, with what the request *asked* for."""
    if body.get("object") == "response":
        return _response(body, asked)
    if "response" in body:
        return {**body, "response": _response(body["response"], asked)}
    padded = {"obfuscation": "abcdefgh"} if str(body.get("type")).endswith(".delta") else {}
    return {**body, **padded}


def _response(response: JsonObject, asked: JsonObject) -> JsonObject:
    told: dict[str, Any] = filled({name: asked.get(name) for name in _ASKED}, _ASKED)
    told["tools"] = filled(told["tools"], [_tool])
    ended = 0 if response["status"] == "completed" else None
    return {**response, **told, "billing": {"payer": "developer"}, "completed_at": ended}


def _tool(tool: JsonObject) -> Form:
    return _FUNCTION if tool.get("type") == "function" else {}
