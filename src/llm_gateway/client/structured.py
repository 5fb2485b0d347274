"""Three mechanisms of structured output: the provider's own, a forced tool call, and a schema in the prompt."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from llm_gateway.exceptions import ProviderError
from llm_gateway.providers.base import HttpProvider, Provider
from llm_gateway.types import ChatReply, ChatRequest, JsonObject, LLMMessage, TextPart, Tool, ToolResult
from llm_gateway.wire.parts.request_body import strict_json_schema

__all__ = ["Mechanism", "correction", "is_rejection_of", "mechanisms_of", "object_text", "validated", "with_schema"]

M = TypeVar("M")
Mechanism = Literal["native", "tool", "prompt"]
_NAMES: dict[Mechanism, tuple[str, ...]] = {
    "native": ("response_format", "json_schema", "output_config", "structured output", "response_schema", "textformat"),
    "tool": ("tool_choice", "tools", "function calling", "toolchoice"),
    "prompt": (),
}
"""Words that a provider's error has when it does not support that mechanism."""


def mechanisms_of(provider: Provider, schema: JsonObject) -> list[Mechanism]:
    """Return the mechanisms to try in turn, without the native one where it cannot express *schema*."""
    if not isinstance(provider, HttpProvider):
        return ["native"]
    found: list[Mechanism] = list(provider.structured)
    try:
        strict_json_schema(schema)
    except ProviderError:
        if found == ["native"]:
            raise
        found = [one for one in found if one != "native"]
    return found


def with_schema(request: ChatRequest, mechanism: Mechanism) -> ChatRequest:
    """Return *request* with its response schema expressed by *mechanism*."""
    schema, name = request.response_schema or {}, request.response_schema_name
    if mechanism == "native":
        return dataclasses.replace(request, response_schema=strict_json_schema(schema))
    plain = dataclasses.replace(request, response_schema=None)
    if mechanism == "tool":
        tool = Tool(name, "Give the answer.", schema)
        return dataclasses.replace(plain, tools=(*request.tools, tool), tool_choice=name)
    words = f"Answer with one JSON object alone, without a code fence, that fits this JSON schema: {json.dumps(schema)}"
    return dataclasses.replace(plain, messages=(LLMMessage("system", (TextPart(words),)), *request.messages))


def validated(adapter: TypeAdapter[M], reply: ChatReply, name: str) -> M:
    """
    Return the validated object of *reply*, from its structured part, tool call or text.

    Raises:
        pydantic.ValidationError: It does not fit the model.
    """
    if reply.structured is not None:
        return adapter.validate_python(reply.structured)
    called = next((call for call in reply.tool_calls if call.name == name), None)
    if called is not None:
        return adapter.validate_python(called.arguments)
    return adapter.validate_json(object_text(reply.text))


def object_text(text: str) -> str:
    """Return the JSON inside an answer, also when the model wrapped it in a code fence."""
    stripped = text.strip()
    if stripped.startswith("```"):
        stripped = stripped.split("\n", 1)[-1].rsplit("```", 1)[0].strip()
    return stripped


def correction(reply: ChatReply, error: ValidationError) -> tuple[LLMMessage, LLMMessage]:
    """Return the messages that ask for a corrected answer: the wrong one, and what was wrong with it."""
    problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in error.errors())
    words = f"That does not fit the schema: {problems}. Answer again with the JSON object alone."
    if reply.tool_calls:
        results = tuple(ToolResult(call.id, words, is_error=True) for call in reply.tool_calls)
        return LLMMessage("assistant", reply.parts), LLMMessage("tool", results)
    return LLMMessage("assistant", (TextPart(reply.text),)), LLMMessage("user", (TextPart(words),))


def is_rejection_of(mechanism: Mechanism, error: ProviderError) -> bool:
    """Return whether *error* states that the model does not support *mechanism*; another may work."""
    if error.kind == "schema_unsupported":
        return True
    text: Any = error.message.lower()
    return error.kind in ("invalid_request", "unsupported_param") and any(name in text for name in _NAMES[mechanism])
