"""Chat, structured output and streams, as flows of steps: the same for both colours."""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from llm_gateway.client.attempts import stream_attempt
from llm_gateway.client.cache.lookup import settled
from llm_gateway.client.call import Call, total_usage
from llm_gateway.client.fallback import with_fallbacks
from llm_gateway.exceptions import StructuredOutputError
from llm_gateway.flow.steps import Flow
from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, TextPart

__all__ = ["adapter_for", "chat", "complete", "schema_name", "stream"]

M = TypeVar("M")
_RE_ASKS = 2


def chat(call: Call, request: ChatRequest) -> Flow:
    """Ask, and come back with `LLMResponse` of str."""
    reply: ChatReply = yield from with_fallbacks(call, request)
    return (yield from settled(call, call.response(reply.text, reply, request.model)))


def complete(call: Call, request: ChatRequest, adapter: TypeAdapter[M]) -> Flow:
    """
    Ask for an object, and come back with `LLMResponse` of it; an answer that does not validate is asked for again.

    Raises:
        StructuredOutputError: It was cut off, refused, or still wrong after two more tries.
    """
    for tries_left in range(_RE_ASKS, -1, -1):
        reply: ChatReply = yield from with_fallbacks(call, request)
        if reply.stop_reason in ("max_tokens", "refusal", "content_filter"):
            _give_up(call, reply, f"the answer ended early: {reply.stop_reason}", _EARLY.get(reply.stop_reason))
        try:
            response = call.response(_validated(adapter, reply), reply, request.model)
        except ValidationError as error:
            if not tries_left:
                _give_up(call, reply, f"the answer does not fit the model: {_first(error)}", None)
            request = dataclasses.replace(request, messages=request.messages + _again(reply, error))
        else:
            return (yield from settled(call, response))
    raise AssertionError("unreachable")


def _validated(adapter: TypeAdapter[M], reply: ChatReply) -> M:
    if reply.structured is not None:
        return adapter.validate_python(reply.structured)
    return adapter.validate_json(_object_text(reply.text))


_EARLY = {"max_tokens": "raise max_tokens", "refusal": "the model will not answer this", "content_filter": None}


def _give_up(call: Call, reply: ChatReply, what: str, fix: str | None) -> NoReturn:
    raise StructuredOutputError(
        what, text=reply.text, usage=total_usage(call.attempts), cause=f"it was: {reply.text[:200]!r}", fix=fix
    ) from None


def _first(error: ValidationError) -> str:
    one = error.errors()[0]
    return f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}"


def _object_text(text: str) -> str:
    """The JSON inside an answer, also when the model wrapped it in a code fence."""
    stripped = text.strip()
    if stripped.startswith("```"):
        stripped = stripped.split("\n", 1)[-1].rsplit("```", 1)[0]
    return stripped


def _again(reply: ChatReply, error: ValidationError) -> tuple[LLMMessage, LLMMessage]:
    problems = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'answer'}: {one['msg']}" for one in error.errors())
    asked = f"That does not fit the schema: {problems}. Answer again with the JSON object alone."
    return LLMMessage("assistant", (TextPart(reply.text),)), LLMMessage("user", (TextPart(asked),))


def stream(call: Call, request: ChatRequest) -> Flow:
    """Ask, emit what arrives, and come back with `LLMResponse` of str. Retried only until the first content."""
    reply: ChatReply = yield from with_fallbacks(call, dataclasses.replace(request, stream=True), stream_attempt)
    return (yield from settled(call, call.response(reply.text, reply, request.model)))


def adapter_for(model: type[M]) -> TypeAdapter[M]:
    """What validates answers, and gives the schema, for *model*."""
    return TypeAdapter(model)


def schema_name(model: Any) -> str:
    """A name for the schema that every provider takes."""
    return model.__name__ if isinstance(model, type) and issubclass(model, BaseModel) else "answer"
