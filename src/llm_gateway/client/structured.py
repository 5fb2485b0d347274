"""Three ways to get an object out of a model: the provider's own, a tool that it has to call, and words."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from llm_gateway.exceptions import ProviderError
from llm_gateway.providers.base import HttpProvider, Provider
from llm_gateway.types import ChatReply, ChatRequest, JsonObject, LLMMessage, TextPart, Tool, ToolResult
from llm_gateway.wire.parts.request_body import strict_json_schema

__all__ = ["Way", "again", "asked", "is_refusal_of", "object_text", "validated", "ways_of"]

M = TypeVar("M")
Way = Literal["native", "tool", "prompt"]
_NAMES: dict[Way, tuple[str, ...]] = {
    "native": ("response_format", "json_schema", "output_config", "structured output", "response_schema", "textformat"),
    "tool": ("tool_choice", "tools", "function calling", "toolchoice"),
    "prompt": (),
}
"""What a provider names when it cannot be asked in that way."""


def ways_of(provider: Provider, schema: JsonObject) -> list[Way]:
    """The ways to try in turn; a schema that no provider's own mechanism can hold is asked for otherwise."""
    if not isinstance(provider, HttpProvider):
        return ["native"]
    ways: list[Way] = list(provider.structured)
    try:
        strict_json_schema(schema)
    except ProviderError:
        if ways == ["native"]:
            raise
        ways = [way for way in ways if way != "native"]
    return ways


def asked(request: ChatRequest, way: Way) -> ChatRequest:
    """*request*, whose schema is the model's own, as it is asked in one *way*."""
    schema, name = request.response_schema or {}, request.response_schema_name
    if way == "native":
        return dataclasses.replace(request, response_schema=strict_json_schema(schema))
    plain = dataclasses.replace(request, response_schema=None)
    if way == "tool":
        tool = Tool(name, "Give the answer.", schema)
        return dataclasses.replace(plain, tools=(*request.tools, tool), tool_choice=name)
    words = f"Answer with one JSON object alone, without a code fence, that fits this JSON schema: {json.dumps(schema)}"
    return dataclasses.replace(plain, messages=(LLMMessage("system", (TextPart(words),)), *request.messages))


def validated(adapter: TypeAdapter[M], reply: ChatReply, name: str) -> M:
    """
    The object in *reply*, wherever it stands.

    Raises:
        pydantic.ValidationError: It does not fit.
    """
    if reply.structured is not None:
        return adapter.validate_python(reply.structured)
    called = next((call for call in reply.tool_calls if call.name == name), None)
    if called is not None:
        return adapter.validate_python(called.arguments)
    return adapter.validate_json(object_text(reply.text))


def object_text(text: str) -> str:
    """The JSON inside an answer, also when the model wrapped it in a code fence."""
    stripped = text.strip()
    if stripped.startswith("```"):
        stripped = stripped.split("\n", 1)[-1].rsplit("```", 1)[0].strip()
    return stripped


def again(reply: ChatReply, error: ValidationError) -> tuple[LLMMessage, LLMMessage]:
    """The turns that ask once more, with what was wrong."""
    problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in error.errors())
    words = f"That does not fit the schema: {problems}. Answer again with the JSON object alone."
    if reply.tool_calls:
        results = tuple(ToolResult(call.id, words, is_error=True) for call in reply.tool_calls)
        return LLMMessage("assistant", reply.parts), LLMMessage("tool", results)
    return LLMMessage("assistant", (TextPart(reply.text),)), LLMMessage("user", (TextPart(words),))


def is_refusal_of(way: Way, error: ProviderError) -> bool:
    """Whether *error* says that the model cannot be asked in that *way*; another may do."""
    if error.kind == "schema_unsupported":
        return True
    text: Any = error.message.lower()
    return error.kind in ("invalid_request", "unsupported_param") and any(name in text for name in _NAMES[way])
