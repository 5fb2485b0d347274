"""Messages as callers pass them, converted to one form and checked."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, get_args

from llm_gateway.exceptions import ConfigError
from llm_gateway.types import ImagePart, LLMMessage, Part, Role, TextPart, Tool
from llm_gateway.wire.openai_chat import decode_message

__all__ = ["Messages", "messages_from", "tools_from"]

Message = str | LLMMessage | dict[str, Any]
Messages = Message | Sequence[Message]
"""A prompt, a message, or several; dictionaries are read as OpenAI's chat completions have them."""
_ROLES = (*get_args(Role), "developer")  # OpenAI's name of the system role for reasoning models
_EXAMPLE = 'llm.chat([{"role": "user", "content": "Hello"}])'
_PARTS = get_args(Part)
_BLOCKS = {"text": str, "image_url": dict, "refusal": str}


def messages_from(given: Messages, system: str | None = None) -> tuple[LLMMessage, ...]:
    """
    Return the messages that a caller gave as one tuple.

    Raises:
        ConfigError: Something in it is not a message, or there is none.
    """
    listed = list(given) if isinstance(given, Iterable) and not isinstance(given, str | dict) else [given]
    if not listed or given == "":
        raise ConfigError(
            "there is nothing to send",
            cause="the text is empty" if given == "" else "the list of messages is empty",
            fix=f"give a text or messages: {_EXAMPLE}",
        )
    messages = tuple(_message(one, f"messages[{index}]") for index, one in enumerate(listed))
    return (LLMMessage.system(system), *messages) if system else messages


def _message(one: object, place: str) -> LLMMessage:
    if isinstance(one, str):
        return LLMMessage.user(one)
    if isinstance(one, LLMMessage):
        _check_role(one.role, place, get_args(Role))
        return _checked(one, place)
    if isinstance(one, dict) and "role" in one:
        _check_role(one["role"], place, _ROLES)
        return _checked(_read(one, place), place)
    raise ConfigError(
        f"{one!r} is no message",
        cause="a message is a str, an LLMMessage, or a dict with `role` and `content`",
        fix=f"for example: {_EXAMPLE}",
    )


def _check_role(role: object, place: str, known: tuple[str, ...]) -> None:
    if role in known:
        return
    near = difflib.get_close_matches(str(role), known, n=1)
    raise ConfigError(
        f"{place} has the role {role!r}",
        cause=f"did you mean {near[0]!r}?" if near else "no provider knows that role",
        fix=f"roles are {', '.join(known)}",
    )


def _read(one: dict[str, Any], place: str) -> LLMMessage:
    content = one.get("content")
    for index, block in enumerate(content if isinstance(content, list) else ()):
        _check_block(block, f"{place}.content[{index}]")
    if not isinstance(content, str | list | None):
        _reject_block(f"{place} has the content {content!r}", "content is a text, or a list of blocks")
    if one["role"] == "tool" and not isinstance(one.get("tool_call_id"), str):
        raise ConfigError(
            f"{place} is the result of a tool, and does not say of which call",
            cause="it has no `tool_call_id`",
            fix='{"role": "tool", "tool_call_id": response.tool_calls[0].id, "content": "..."}',
        )
    try:
        return decode_message(one)
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ConfigError(
            f"{place} cannot be read: {one!r}",
            cause=f"a dict is read as OpenAI's chat completions have it: {type(error).__name__}: {error}",
            fix=f"for example: {_EXAMPLE}",
        ) from error


def _check_block(block: object, place: str) -> None:
    kind = block.get("type") if isinstance(block, dict) else None
    if not isinstance(block, dict) or kind not in _BLOCKS:
        _reject_block(f"{place} is {block!r}", "dicts are read as OpenAI's chat completions have them")
    if not isinstance(block.get(kind), _BLOCKS[kind]):
        _reject_block(f"{place} is {block!r}", f"a block of the type {kind!r} has its content under {kind!r}")


def _reject_block(what: str, why: str) -> NoReturn:
    raise ConfigError(
        what,
        cause=why,
        fix='a text, or [{"type": "text", "text": "..."}, {"type": "image_url", "image_url": {"url": "https://..."}}]',
    )


def _checked(message: LLMMessage, place: str) -> LLMMessage:
    """
    Return *message* unchanged.

    Raises:
        ConfigError: Something in it is not a part, or cannot be sent; names *place*.
    """
    parts: Any = message.parts
    if isinstance(parts, str) or not isinstance(parts, tuple | list):
        _reject_part(f"{place} has the parts {parts!r}", "parts are a tuple", f"LLMMessage.{message.role}({parts!r})")
    if not parts and message.role != "assistant":  # an answer may be empty, and is part of the conversation then
        _reject_part(f"{place} is empty", f"a message of {message.role!r} has content", 'LLMMessage.user("Hello")')
    for index, part in enumerate(parts):
        _check(part, f"{place}.parts[{index}]")
    return message


def _check(part: object, place: str) -> None:
    if not isinstance(part, _PARTS):
        known = ", ".join(one.__name__ for one in _PARTS)
        _reject_part(f"{place} is {part!r}", f"a part is one of {known}", 'for example: TextPart("Hello")')
    if isinstance(part, TextPart) and not _is(part.text, str):
        _reject_part(f"{place} is {part!r}", "its text is no str", f"TextPart({str(part.text)!r})")
    if isinstance(part, ImagePart):
        _check_image(part, place)


def _check_image(image: ImagePart, place: str) -> None:
    data = image.data
    if data is None and not image.url:
        _reject_part(
            f"{place} is an image without content", "it has neither data nor url", 'ImagePart(url="https://...")'
        )
    if data is not None and not _is(data, bytes):
        what = f"{place} is an image whose data is a {type(data).__name__}"
        _reject_part(what, "data are the bytes of the file", 'ImagePart(path.read_bytes(), "image/png")')
    if data is not None and not (image.media_type or "").startswith("image/"):
        what = f"{place} is an image of the media type {image.media_type!r}"
        _reject_part(what, "providers need to know the format of the image", 'ImagePart(data, "image/png")')


def _is(value: object, kind: type) -> bool:
    """Return whether a caller gave what the types require."""
    return isinstance(value, kind)


def _reject_part(what: str, why: str, fix: str) -> NoReturn:
    raise ConfigError(what, cause=why, fix=fix)


_TOOL_EXAMPLE = '{"name": "weigh", "description": "Weigh it", "parameters": {"type": "object", "properties": {}}}'


def tools_from(given: Sequence[Any]) -> tuple[Tool, ...]:
    """
    Return the tools in *given*: each is a `Tool`, or a dict, bare or as in OpenAI's chat completions.

    Raises:
        ConfigError: One of them is no tool, or there are two of one name.
    """
    tools = tuple(_tool(one, f"tools[{index}]") for index, one in enumerate(given))
    names = [tool.name for tool in tools]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ConfigError(f"two tools are called {twice!r}", cause="a call names its tool", fix="rename one of them")
    return tools


def _tool(one: object, place: str) -> Tool:
    tool = one if isinstance(one, Tool) else _read_tool(one)
    parameters: object = tool.parameters if tool is not None else None
    if tool is None or not tool.name or not isinstance(parameters, dict):
        raise ConfigError(
            f"{place} is {one!r}",
            cause="a tool has a name, and parameters: a JSON schema of an object, as a dict",
            fix=f"for example: {_TOOL_EXAMPLE}",
        )
    return tool


def _read_tool(one: object) -> Tool | None:
    if not isinstance(one, Mapping):
        return None
    function = one.get("function", one)
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        return None
    return Tool(function["name"], function.get("description") or "", function.get("parameters", {"type": "object"}))
