"""Chat, structured output and streams, as flows of steps: the same for both colours."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from llm_gateway.client.attempts import stream_attempt
from llm_gateway.client.cache.lookup import settled
from llm_gateway.client.call import Call, total_usage
from llm_gateway.client.fallback import with_fallbacks
from llm_gateway.client.structured import Way, again, asked, is_refusal_of, object_text, validated, ways_of
from llm_gateway.exceptions import ConfigError, ProviderError, StructuredOutputError
from llm_gateway.flow.steps import Flow
from llm_gateway.types import ChatReply, ChatRequest, JsonObject

__all__ = ["adapter_for", "chat", "complete", "schema_name", "schema_of", "stream"]

M = TypeVar("M")
_RE_ASKS = 2


def chat(call: Call, request: ChatRequest) -> Flow:
    """Ask, and come back with `LLMResponse` of str."""
    reply: ChatReply = yield from with_fallbacks(call, request)
    text = object_text(reply.text) if request.json_mode else reply.text
    return (yield from settled(call, call.response(text, reply, request.model)))


def complete(call: Call, request: ChatRequest, adapter: TypeAdapter[M]) -> Flow:
    """
    Ask for an object, and come back with `LLMResponse` of it; an answer that does not validate is asked for again.

    A provider that refuses its own mechanism for this model or schema is asked in the next way that it has.

    Raises:
        StructuredOutputError: It was cut off, refused, or still wrong after two more tries.
    """
    ways = ways_of(call.provider, request.response_schema or {})
    for tries_left in range(_RE_ASKS, -1, -1):
        reply: ChatReply = yield from _in_one_way(call, request, ways)
        if reply.stop_reason in ("max_tokens", "refusal", "content_filter"):
            _give_up(call, reply, f"the answer ended early: {reply.stop_reason}", _EARLY.get(reply.stop_reason))
        try:
            answer = validated(adapter, reply, request.response_schema_name)
        except ValidationError as error:
            if not tries_left:
                _give_up(call, reply, f"the answer does not fit the model: {_first(error)}", None)
            request = dataclasses.replace(request, messages=request.messages + again(reply, error))
        else:
            return (yield from settled(call, call.response(answer, reply, request.model)))
    raise AssertionError("unreachable")


def _in_one_way(call: Call, request: ChatRequest, ways: list[Way]) -> Flow:
    """Ask in the first of *ways* that the provider does not refuse; those that it refuses are taken out."""
    while True:
        try:
            return (yield from with_fallbacks(call, asked(request, ways[0])))
        except ProviderError as error:
            if len(ways) == 1 or not is_refusal_of(ways[0], error):
                raise
            del ways[0]


_EARLY = {"max_tokens": "raise max_tokens", "refusal": "the model will not answer this", "content_filter": None}


def _give_up(call: Call, reply: ChatReply, what: str, fix: str | None) -> NoReturn:
    raise StructuredOutputError(
        what, text=reply.text, usage=total_usage(call.attempts), cause=f"it was: {reply.text[:200]!r}", fix=fix
    ) from None


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}"


def stream(call: Call, request: ChatRequest) -> Flow:
    """Ask, emit what arrives, and come back with `LLMResponse` of str. Retried only until the first content."""
    reply: ChatReply = yield from with_fallbacks(call, dataclasses.replace(request, stream=True), stream_attempt)
    return (yield from settled(call, call.response(reply.text, reply, request.model)))


def adapter_for(model: type[M]) -> TypeAdapter[M]:
    """
    What validates answers, and gives the schema, for *model*.

    Raises:
        ConfigError: It is nothing that pydantic can validate.
    """
    try:
        return TypeAdapter(model)
    except PydanticUserError as error:
        raise _no_schema(model, error) from error


def schema_of(model: type[Any]) -> JsonObject:
    """
    The JSON schema of *model*.

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
    """A name for the schema that every provider takes."""
    return model.__name__ if isinstance(model, type) and issubclass(model, BaseModel) else "answer"
