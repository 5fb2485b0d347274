"""Build replies from scripted content: a text, an object, a tool call, parts, or a function of the call."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from typing import Any

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.callsite import call_user_function
from llm_gateway.fakes.request import FakeCall
from llm_gateway.types import ChatReply, ImagePart, Part, StopReason, TextPart, ThinkingPart, ToolCall, ToolResult

__all__ = ["build_reply"]

_MAX_SHOWN = 120


def build_reply(content: Any, call: FakeCall, *, stop_reason: StopReason | None = None) -> ChatReply:
    """
    Build the reply that *content* scripts.

    Args:
        content: A text; an instance of a pydantic model, a dataclass or a dict, which becomes structured output, a tool
            call or JSON text as the call requires; a `ToolCall` or another part; a list of texts and parts; a
            `ChatReply`; or a function that gets the `FakeCall` and returns one of these.

        call: The call to answer.

        stop_reason: Why the answer ended; None derives it from the content.

    Raises:
        FakeScriptError: *content* is none of these, or does not fit the requested schema.
    """
    if isinstance(content, ChatReply):
        return content
    if callable(content) and not isinstance(content, type):
        return build_reply(call_user_function(content, call), call, stop_reason=stop_reason)
    parts, structured = _parts(content, call)
    has_calls = any(isinstance(part, ToolCall) for part in parts)
    return ChatReply(
        parts=parts,
        model=call.model,
        stop_reason=stop_reason or ("tool_use" if has_calls else "end_turn"),
        structured=structured,
    )


def _parts(content: Any, call: FakeCall) -> tuple[tuple[Part, ...], Any]:
    if isinstance(content, str):
        return (TextPart(content),), None
    if isinstance(content, TextPart | ThinkingPart | ToolCall):
        return (content,), None
    if isinstance(content, Sequence) and all(
        isinstance(one, str | TextPart | ThinkingPart | ToolCall) for one in content
    ):
        return tuple(TextPart(one) if isinstance(one, str) else one for one in content), None
    plain = _json_value(content)
    _validate(plain, call)
    return (_object_part(plain, call),), plain


def _json_value(content: Any) -> Any:
    """Return *content* as plain JSON data."""
    if isinstance(content, ImagePart | ToolResult):
        raise FakeScriptError(
            f"fake_llm cannot answer with {_shorten(repr(content))}",
            cause=f"a {type(content).__name__} is part of a request, and never of an answer",
            fix="reply with a str, a ToolCall or a ThinkingPart, or with a list of these",
        )
    if dump := getattr(content, "model_dump", None):
        return dump(mode="json", by_alias=True)
    if dataclasses.is_dataclass(content) and not isinstance(content, type):
        return dataclasses.asdict(content)
    if isinstance(content, dict | list):
        return content
    raise FakeScriptError(
        f"fake_llm cannot answer with {_shorten(repr(content))}",
        cause=f"a {type(content).__name__} is neither a text, a part, nor an object that JSON can represent",
        fix="reply with a str, a pydantic model, a dict, a ToolCall, a list of these parts, or a function of the call",
    )


def _object_part(value: Any, call: FakeCall) -> Part:
    """Return *value* as the call of the tool that has to be called, or else as JSON text."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise FakeScriptError(
            f"fake_llm cannot answer with {_shorten(repr(value))}",
            cause=f"it is not JSON: {error}",
            fix="reply with only numbers, texts, lists and dicts, or with a pydantic model",
        ) from error
    name = _forced_tool(call)
    if name is None or not isinstance(value, dict):
        return TextPart(text)
    return ToolCall(f"call_fake_{call.number}", name, value)


def _forced_tool(call: FakeCall) -> str | None:
    """Return the name of the only tool that satisfies ``tool_choice``; None where there is none, or a choice."""
    chat = call.chat
    if chat.response_schema is not None or not chat.tools:
        return None
    names = [tool.name for tool in chat.tools]
    if chat.tool_choice in names:
        return chat.tool_choice
    return names[0] if chat.tool_choice == "required" and len(names) == 1 else None


def _validate(value: Any, call: FakeCall) -> None:
    """Raise FakeScriptError for an object that the provider would not have returned for the requested schema."""
    schema = call.chat.response_schema
    forced = _forced_tool(call)
    if schema is None and forced is not None:
        schema = next(tool.parameters for tool in call.chat.tools if tool.name == forced)
    if schema is None:
        return
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema).iter_errors(value))
    if error is not None:
        raise FakeScriptError(
            f"the scripted object does not fit the requested schema: {_path(error.absolute_path)}: "
            f"{_shorten(error.message)}",
            cause=f"the call to {call.provider} requests {_shorten(json.dumps(schema, ensure_ascii=False))}",
            fix="reply with an object of that schema, or with its JSON as a str to answer wrongly on purpose",
        )


def _path(keys: Iterable[Any]) -> str:
    return ".".join(map(str, keys)) or "the whole object"


def _shorten(text: str) -> str:
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."
