"""Tools and tool calls in OpenAI's format, which Cohere and Ollama share."""

from __future__ import annotations

import json
from typing import Any

from llm_gateway.types import JsonObject, Tool, ToolCall

__all__ = [
    "as_arguments",
    "decode_arguments",
    "decode_calls",
    "decode_tool",
    "encode_call",
    "encode_tool",
    "split_arguments",
]


def encode_tool(tool: Tool) -> JsonObject:
    """Write a tool."""
    function = {"name": tool.name, "description": tool.description, "parameters": tool.parameters}
    return {"type": "function", "function": function}


def decode_tool(function: JsonObject) -> Tool:
    """Read the value of ``function`` as a tool."""
    return Tool(str(function.get("name")), str(function.get("description") or ""), function.get("parameters") or {})


def encode_call(call: ToolCall) -> JsonObject:
    """Write a call, its arguments as JSON text."""
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def decode_calls(message: JsonObject) -> tuple[ToolCall, ...]:
    """Read the tool calls of *message*; calls of other kinds than functions are left out."""
    return tuple(
        ToolCall(str(call.get("id")), str(function.get("name")), decode_arguments(function.get("arguments")))
        for call in message.get("tool_calls") or ()
        if "function" in call
        for function in [call["function"]]
    )


def decode_arguments(raw: Any) -> JsonObject:
    """Return the arguments of a tool call, which the model wrote as JSON; anything else is under an empty name."""
    try:
        value = json.loads(raw or "{}")
    except ValueError:
        return {"": raw}
    return as_arguments(value)


def as_arguments(value: Any) -> JsonObject:
    """Return *value* as arguments; anything but an object is under an empty name."""
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"": value}


_MOST = 4


def split_arguments(text: str) -> list[str]:
    """Split *text* into up to four chunks of similar length; empty text is one empty chunk."""
    size = -(-len(text) // _MOST)
    return [text[at : at + size] for at in range(0, len(text), size)] if text else [""]
