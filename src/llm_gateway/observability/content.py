"""Prompts and answers as attributes of OpenTelemetry's GenAI conventions; recorded only with ``capture_content``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    Part,
    StopReason,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
)

__all__ = ["finish_reason", "reply_attributes", "request_attributes"]

_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_call"}


def finish_reason(reason: StopReason) -> str:
    """Return the conventions' word for *reason*, or our own where they have none."""
    return _REASONS.get(reason, reason)


def request_attributes(request: ChatRequest) -> dict[str, str]:
    """Return the attributes with the conversation, the system prompt and the tools."""
    system = [part for one in request.messages if one.role == "system" for part in one.parts]
    messages = [one for one in request.messages if one.role != "system"]
    found = {
        "gen_ai.system_instructions": _parts(system),
        "gen_ai.input.messages": [{"role": one.role, "parts": _parts(one.parts)} for one in messages],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": one.name, "description": one.description, "parameters": one.parameters}
            for one in request.tools
        ],
    }
    return {name: json.dumps(value, ensure_ascii=False) for name, value in found.items() if value}


def reply_attributes(reply: ChatReply) -> dict[str, str]:
    """Return the attribute with the answer."""
    message: dict[str, Any] = {"role": "assistant", "parts": _parts(reply.parts)}
    if reply.stop_reason is not None:
        message["finish_reason"] = finish_reason(reply.stop_reason)
    return {"gen_ai.output.messages": json.dumps([message], ensure_ascii=False)}


def _parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    return [_part(one) for one in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "content": text}
        case ThinkingPart(text):
            return {"type": "reasoning", "content": text}
        case ToolCall(id_, name, arguments):
            return {"type": "tool_call", "id": id_, "name": name, "arguments": arguments}
        case ToolResult(id_, content):
            return {"type": "tool_call_response", "id": id_, "response": content}
        case ImagePart(None, media_type, url):
            return {"type": "uri", "modality": "image", "mime_type": media_type, "uri": url}
        case ImagePart(data, media_type):  # too large for any backend: only its size is recorded
            return {"type": "blob", "modality": "image", "mime_type": media_type, "size": len(data or b"")}
