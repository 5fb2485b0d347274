"""Chat, structured output and streams, as flows of steps: the same for sync and async."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from llm_gateway.client.attempts import stream_attempt
from llm_gateway.client.cache.lookup import settled
from llm_gateway.client.call import Call
from llm_gateway.client.fallback import with_fallbacks
from llm_gateway.client.structured import (
    Mechanism,
    correction,
    is_rejection_of,
    mechanisms_of,
    object_text,
    validated,
    with_schema,
)
from llm_gateway.exceptions import ConfigError, ProviderError, StructuredOutputError
from llm_gateway.flow.steps import Flow
from llm_gateway.types import ChatReply, ChatRequest, JsonObject

__all__ = ["adapter_for", "chat", "complete", "schema_name", "schema_of", "stream"]

M = TypeVar("M")
_CORRECTIONS = 2


def chat(call: Call, request: ChatRequest) -> Flow:
    """Send *request*, and return `LLMResponse` of str."""
    reply: ChatReply = yield from with_fallbacks(call, request)
    text = object_text(reply.text) if request.json_mode else reply.text
    return (yield from settled(call, call.response(text, reply, request.model)))


def complete(call: Call, request: ChatRequest, adapter: TypeAdapter[M]) -> Flow:
    """
    Request an object, and return `LLMResponse` of it; an answer that does not validate is sent back to be corrected.

    Where a provider rejects a mechanism for this model or schema, the next one is used.

    Raises:
        StructuredOutputError: The answer was cut off, refused, or still wrong after two corrections.
    """
    mechanisms = mechanisms_of(call.provider, request.response_schema or {})
    for tries_left in range(_CORRECTIONS, -1, -1):
        reply: ChatReply = yield from _with_first_supported(call, request, mechanisms)
        if reply.stop_reason in ("max_tokens", "refusal", "content_filter"):
            _give_up(call, reply, f"the answer ended early: {reply.stop_reason}", _EARLY.get(reply.stop_reason))
        try:
            answer = validated(adapter, reply, request.response_schema_name)
        except ValidationError as error:
            if not tries_left:
                _give_up(call, reply, f"the answer does not fit the model: {_first(error)}", None)
            request = dataclasses.replace(request, messages=request.messages + correction(reply, error))
        else:
            return (yield from settled(call, call.response(answer, reply, request.model)))
    raise AssertionError("unreachable")


def _with_first_supported(call: Call, request: ChatRequest, mechanisms: list[Mechanism]) -> Flow:
    """Send with the first of *mechanisms* that is supported; rejected ones are deleted from the list, for good."""
    while True:
        try:
            return (yield from with_fallbacks(call, with_schema(request, mechanisms[0])))
        except ProviderError as error:
            if len(mechanisms) == 1 or not is_rejection_of(mechanisms[0], error):
                raise
            del mechanisms[0]


_EARLY = {"max_tokens": "raise max_tokens", "refusal": "the model will not answer this", "content_filter": None}


def _give_up(call: Call, reply: ChatReply, what: str, fix: str | None) -> NoReturn:
    raise StructuredOutputError(
        what, text=reply.text, usage=call.usage, cause=f"it was: {reply.text[:200]!r}", fix=fix
    ) from None


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}"


def stream(call: Call, request: ChatRequest) -> Flow:
    """Send *request*, emit deltas as they arrive, and return `LLMResponse` of str; retried until the first content."""
    reply: ChatReply = yield from with_fallbacks(call, dataclasses.replace(request, stream=True), stream_attempt)
    return (yield from settled(call, call.response(reply.text, reply, request.model)))


def adapter_for(model: type[M]) -> TypeAdapter[M]:
    """
    Return what validates answers, and gives the schema, for *model*.

    Raises:
        ConfigError: pydantic cannot validate it.
    """
    try:
        return TypeAdapter(model)
    except PydanticUserError as error:
        raise _no_schema(model, error) from error


def schema_of(model: type[Any]) -> JsonObject:
    """
    Return the JSON schema of *model*.

    Raises:
        ConfigError: It has none.
    """
    try:
        schema = adapter_for(model).json_schema()
        json.dumps(schema)
    except (PydanticUserError, TypeError, ValueError, RecursionError) as error:
        raise _no_schema(model, error) from error
    return schema


def _no_schema(model: Any, error: Exception) -> ConfigError:
    name = getattr(model, "__name__", repr(model))
    return ConfigError(
        f"no JSON schema can be made of response_model={name}",
        cause=str(error).partition("\n")[0],
        fix="use a pydantic model, a dataclass or a TypedDict whose fields are types that JSON can hold",
    )


def schema_name(model: Any) -> str:
    """Return a name for the schema of *model* that every provider takes."""
    return model.__name__ if isinstance(model, type) and issubclass(model, BaseModel) else "answer"
