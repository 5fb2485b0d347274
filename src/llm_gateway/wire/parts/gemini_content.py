"""Parts of Gemini's bodies: content, tools, schemas and the level of thinking."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, get_args

from llm_gateway.types import (
    ImagePart,
    JsonObject,
    LLMMessage,
    Part,
    ReasoningEffort,
    Role,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
)
from llm_gateway.wire.parts.function_calls import as_arguments

__all__ = [
    "Calls",
    "camel",
    "decode_effort",
    "decode_message",
    "decode_parts",
    "encode_contents",
    "encode_effort",
    "encode_parts",
    "extra_thinking",
    "json_schema",
]

_IMAGES = {"gif", "heic", "heif", "jpeg", "png", "webp"}
_SNAKE = re.compile(r"(?<=[a-z0-9])_([a-z])")


def camel(fields: JsonObject) -> JsonObject:
    """Return *fields* with names in camel case; the API accepts snake case too."""
    return {_camel(name) if "_" in name else name: value for name, value in fields.items()}


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name)


def encode_contents(messages: tuple[LLMMessage, ...]) -> list[JsonObject]:
    """Return the turns of *messages*, without the system prompt."""
    names: dict[str, str] = {}
    contents: list[JsonObject] = []
    last: Role | None = None
    for message in messages:
        if message.role == "system":
            continue
        names.update({part.id: part.name for part in message.parts if isinstance(part, ToolCall)})
        parts = encode_parts(message.parts, names)
        if message.role == last == "tool":  # the results of one turn's calls must be in one turn
            contents[-1]["parts"] += parts
        else:
            contents.append({"role": "model" if message.role == "assistant" else "user", "parts": parts})
        last = message.role
    return contents


def encode_parts(parts: tuple[Part, ...], names: dict[str, str]) -> list[JsonObject]:
    """Return the parts of a turn; *names* maps the ids of calls to their functions."""
    made: list[JsonObject] = []
    signed: JsonObject = {}
    for part in parts:
        if isinstance(part, ThinkingPart) and not part.text:
            signed = _signed(part.signature)
        else:
            made.append({**_encode_part(part, names), **signed})
            signed = {}
    return [*made, {"text": "", **signed}] if signed else made


def _signed(signature: str | None) -> JsonObject:
    return {"thoughtSignature": signature} if signature else {}


def _encode_part(part: Part, names: dict[str, str]) -> JsonObject:
    match part:
        case TextPart(text):
            return {"text": text}
        case ThinkingPart(text, signature):
            return {"text": text, "thought": True, **_signed(signature)}
        case ToolCall(identity, name, arguments):
            return {"functionCall": {"id": identity, "name": name, "args": arguments}}
        case ToolResult(identity, content, is_error):
            answer = {"error" if is_error else "output": content}
            return {"functionResponse": {"id": identity, "name": names.get(identity, identity), "response": answer}}
        case ImagePart(data, media_type, url):
            if data is None:
                kind = media_type or _media_type(url or "")
                return {"fileData": {"fileUri": url, **({"mimeType": kind} if kind else {})}}
            return {"inlineData": {"mimeType": media_type, "data": base64.b64encode(data).decode()}}


def _media_type(url: str) -> str | None:
    """Return the media type for the suffix of *url*; Vertex requires one."""
    ending = url.partition("?")[0].rpartition(".")[2].lower().replace("jpg", "jpeg")
    return f"image/{ending}" if ending in _IMAGES else None


class Calls:
    """Source of call ids: models up to 2.5 write none, and a result then names its function alone."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._count = 0
        self._waiting: list[ToolCall] = []

    def call(self, raw: JsonObject) -> ToolCall:
        """Return a tool call, with a new id where it has none."""
        self._count += 1
        identity = str(raw.get("id") or f"{self._prefix}_{self._count}")
        call = ToolCall(identity, str(raw.get("name")), as_arguments(raw.get("args")))
        self._waiting.append(call)
        return call

    def result(self, raw: JsonObject) -> ToolResult:
        """Return a tool result; without an id it belongs to the first call of its function without a result."""
        name, answer = str(raw.get("name") or ""), raw.get("response") or {}
        called = next((call.id for call in self._waiting if name in ("", call.name)), name)
        identity = str(raw.get("id") or called)
        self._waiting = [call for call in self._waiting if call.id != identity]
        for kind in ("output", "error"):
            if answer.keys() == {kind}:
                return ToolResult(identity, _text(answer[kind]), kind == "error")
        return ToolResult(identity, _text(answer))


def _text(answer: Any) -> str:
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def decode_message(content: JsonObject, calls: Calls) -> LLMMessage:
    """Return one turn; a turn of tool results alone has the role ``tool``."""
    parts = decode_parts(content.get("parts"), calls)
    if content.get("role") == "model":
        return LLMMessage("assistant", parts)
    is_results = bool(parts) and all(isinstance(part, ToolResult) for part in parts)
    return LLMMessage("tool" if is_results else "user", parts)


def decode_parts(blocks: Any, calls: Calls) -> tuple[Part, ...]:
    """Return the parts of a turn; unsupported ones are left out."""
    parts: list[Part] = []
    for block in (camel(block) for block in blocks or () if isinstance(block, dict)):
        part, signature = _decode_part(block, calls), block.get("thoughtSignature")
        if part is None or (part == TextPart("") and not signature):
            continue
        if signature and not isinstance(part, ThinkingPart):
            parts.append(ThinkingPart("", signature))
        parts.append(part)
    return tuple(parts)


def _decode_part(block: JsonObject, calls: Calls) -> Part | None:
    match block:
        case {"text": str(text), "thought": True}:
            return ThinkingPart(text, block.get("thoughtSignature"))
        case {"text": str(text)}:
            return TextPart(text)
        case {"functionCall": dict(call)}:
            return calls.call(call)
        case {"functionResponse": dict(result)}:
            return calls.result(result)
        case {"inlineData": dict(file)} | {"fileData": dict(file)}:
            return _decode_media(camel(file))
    return None


def _decode_media(file: JsonObject) -> ImagePart:
    coded = file.get("data")
    data = None if coded is None else base64.b64decode(coded, altchars=_altchars(coded))
    return ImagePart(data, file.get("mimeType"), file.get("fileUri"))


def _altchars(coded: str) -> bytes | None:
    """Return the alphabet of *coded*: the SDK writes URL-safe base64, the API the standard one."""
    return b"-_" if "-" in coded or "_" in coded else None


_NOT_IN_JSON_SCHEMA = frozenset({"nullable", "propertyOrdering", "example"})


def json_schema(schema: JsonObject) -> JsonObject:
    """Return an OpenAPI schema as a JSON schema: types in lower case, ``null`` as a type."""
    made = {name: _value(name, value) for name, value in schema.items() if name not in _NOT_IN_JSON_SCHEMA}
    if schema.get("nullable") and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made


def _value(name: str, value: Any) -> Any:
    match name, value:
        case "type", str():
            return value.lower()
        case "properties", dict():
            return {key: json_schema(one) for key, one in value.items()}
        case _, dict() if name in ("items", "additionalProperties"):
            return json_schema(value)
        case "anyOf", list():
            return [json_schema(one) for one in value]
    return value


_LEVELS: dict[str, ReasoningEffort] = {level: level for level in get_args(ReasoningEffort) if level != "none"}


def encode_effort(effort: ReasoningEffort | None) -> JsonObject | None:
    """Return the thinking config for *effort*; ``none`` is a budget of 0."""
    if effort is None:
        return None
    return {"thinkingBudget": 0} if effort == "none" else {"thinkingLevel": effort}


def decode_effort(config: JsonObject) -> ReasoningEffort | None:
    """Return the level in *config*, or ``none`` for a budget of 0; None without either."""
    thinking = camel(config.get("thinkingConfig") or {})
    level = _LEVELS.get(str(thinking.get("thinkingLevel")).lower())
    return level or ("none" if thinking.get("thinkingBudget") == 0 else None)


def extra_thinking(config: JsonObject) -> JsonObject:
    """Return the thinking settings that an effort level does not cover, such as a token budget."""
    known = {"none": "thinkingBudget"}.get(str(decode_effort(config)), "thinkingLevel")
    rest = {name: value for name, value in camel(config.get("thinkingConfig") or {}).items() if name != known}
    return {"thinkingConfig": rest} if rest else {}
