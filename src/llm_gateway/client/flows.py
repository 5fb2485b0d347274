"""Chat, structured output and streams, as flows of steps: the same for both colours."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from llm_gateway.client.retry import wait_s
from llm_gateway.exceptions import ProviderError, StructuredOutputError
from llm_gateway.flow.steps import Emit, Flow, Now, Open, Read, Send, Sleep
from llm_gateway.providers.base import HttpProvider
from llm_gateway.types import (
    Attempt,
    ChatReply,
    ChatRequest,
    Headers,
    LLMMessage,
    LLMResponse,
    TextPart,
    TokenUsage,
    WireReply,
)

__all__ = ["Call", "chat", "complete", "stream"]

M = TypeVar("M")
_RE_ASKS = 2
_GOOD = range(200, 300)
_RAW = 2000


@dataclass
class Call:
    """One call of the client while it runs: its attempts, and what they cost."""

    provider: HttpProvider
    max_retries: int
    price: Any
    attempts: list[Attempt] = field(default_factory=list)

    def note(self, model: str, start: float, now: float, reply: ChatReply | None, error: ProviderError | None) -> None:
        """Add an attempt."""
        usage = reply.usage if reply else error.usage if error else None
        self.attempts.append(
            Attempt(
                number=len(self.attempts) + 1,
                provider=self.provider.name,
                model=(reply and reply.model) or model,
                status=error.status if error else 200,
                error=error.kind if error else None,
                usage=usage,
                cost_usd=self.price(self.provider.name, (reply and reply.model) or model, usage) if usage else None,
                latency_s=now - start,
            )
        )

    def usage(self) -> TokenUsage | None:
        """Tokens of all attempts, or None when none reported any."""
        known = [attempt.usage for attempt in self.attempts if attempt.usage is not None]
        total = known[0] if known else None
        for one in known[1:]:
            total = one if total is None else total + one
        return total

    def cost_usd(self) -> Decimal | None:
        """The cost of all attempts that were billed, or None when one of them has no known price."""
        billed = [attempt for attempt in self.attempts if attempt.error is None or attempt.usage is not None]
        costs = [attempt.cost_usd for attempt in billed]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if billed and len(known) == len(costs) else None

    def response(self, content: M, reply: ChatReply, model: str) -> LLMResponse[M]:
        """The call's answer with its totals."""
        return LLMResponse(
            content=content,
            provider=self.provider.name,
            model=reply.model or model,
            usage=self.usage(),
            cost_usd=self.cost_usd(),
            stop_reason=reply.stop_reason,
            tool_calls=reply.tool_calls,
            attempts=tuple(self.attempts),
            reply=reply,
        )


def _refuse(provider: HttpProvider, model: str, status: int, headers: Headers, body: bytes) -> NoReturn:
    facts = provider.dialect.decode_error(status, headers, body)
    raise ProviderError(
        f"{provider.name} answered {status} for {model!r}: {facts.message}",
        kind=facts.kind,
        provider=provider.name,
        status=status,
        retry_after_s=facts.retry_after_s,
        raw=body.decode("utf-8", "replace")[:_RAW],
        fix=_FIXES.get(facts.kind),
    )


_FIXES = {
    "auth": "check the key: it is refused as it is",
    "not_found": "check the model's name, and that the key may use it",
    "context_window": "shorten the conversation, or choose a model with a longer context",
    "quota_exhausted": "check the account's plan and billing; trying again does not help",
}


def _attempt(call: Call, request: ChatRequest) -> Flow:
    reply: WireReply = yield Send(call.provider.request(request))
    if reply.status not in _GOOD:
        _refuse(call.provider, request.model, reply.status, reply.headers, reply.body)
    return call.provider.dialect.decode_reply(_json(call.provider, reply.body))


def _json(provider: HttpProvider, body: bytes) -> Any:
    import json

    try:
        return json.loads(body)
    except ValueError as error:
        raise ProviderError(
            f"{provider.name} answered with something that is no JSON",
            kind="server",
            provider=provider.name,
            cause=body[:100].decode("utf-8", "replace"),
        ) from error


def _with_retries(call: Call, request: ChatRequest, attempt: Any) -> Flow:
    while True:
        start = yield Now()
        try:
            reply: ChatReply = yield from attempt(call, request)
        except ProviderError as error:
            call.note(request.model, start, (yield Now()), None, error)
            seconds = wait_s(error, len(call.attempts), call.max_retries)
            if seconds is None or error.has_begun:
                raise
            yield Sleep(seconds)
        else:
            call.note(request.model, start, (yield Now()), reply, None)
            return reply


def chat(call: Call, request: ChatRequest) -> Flow:
    """Ask, and come back with `LLMResponse` of str."""
    reply: ChatReply = yield from _with_retries(call, request, _attempt)
    return call.response(reply.text, reply, request.model)


def complete(call: Call, request: ChatRequest, adapter: TypeAdapter[M]) -> Flow:
    """
    Ask for an object, and come back with `LLMResponse` of it; an answer that does not validate is asked for again.

    Raises:
        StructuredOutputError: It was cut off, refused, or still wrong after two more tries.
    """
    for tries_left in range(_RE_ASKS, -1, -1):
        reply: ChatReply = yield from _with_retries(call, request, _attempt)
        if reply.stop_reason in ("max_tokens", "refusal", "content_filter"):
            _give_up(call, reply, f"the answer ended early: {reply.stop_reason}", _EARLY.get(reply.stop_reason))
        try:
            return call.response(adapter.validate_json(_object_text(reply.text)), reply, request.model)
        except ValidationError as error:
            if not tries_left:
                _give_up(call, reply, f"the answer does not fit the model: {_first(error)}", None)
            request = dataclasses.replace(request, messages=request.messages + _again(reply, error))
    raise AssertionError("unreachable")


_EARLY = {"max_tokens": "raise max_tokens", "refusal": "the model will not answer this", "content_filter": None}


def _give_up(call: Call, reply: ChatReply, what: str, fix: str | None) -> NoReturn:
    raise StructuredOutputError(
        what, text=reply.text, usage=call.usage(), cause=f"it was: {reply.text[:200]!r}", fix=fix
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
    reply: ChatReply = yield from _with_retries(call, dataclasses.replace(request, stream=True), _stream_attempt)
    return call.response(reply.text, reply, request.model)


def _stream_attempt(call: Call, request: ChatRequest) -> Flow:
    head = yield Open(call.provider.request(request))
    if head.status not in _GOOD:
        body = b""
        while piece := (yield Read()):
            body += piece
        _refuse(call.provider, request.model, head.status, head.headers, body)
    decoder = call.provider.dialect.stream_decoder()
    has_begun = False
    try:
        while not decoder.is_finished and decoder.error is None and (piece := (yield Read())):
            for delta in decoder.feed(piece):
                has_begun = True
                yield Emit(delta)
    except ProviderError as error:
        raise _broken(call, decoder.reply(), error.message, error.kind, has_begun=has_begun) from error
    if decoder.error is not None:
        raise _broken(call, decoder.reply(), decoder.error.message, decoder.error.kind, has_begun=has_begun)
    if not decoder.is_finished:
        raise _broken(call, decoder.reply(), "the stream ended too early", "stream_interrupted", has_begun=has_begun)
    return decoder.reply()


def _broken(call: Call, reply: ChatReply, message: str, kind: Any, *, has_begun: bool) -> ProviderError:
    error = ProviderError(
        f"{call.provider.name}'s stream broke after {len(reply.text)} characters: {message}",
        kind=kind,
        provider=call.provider.name,
        usage=reply.usage,
        fix="ask again; what came before the break was handed out already" if has_begun else None,
    )
    error.has_begun = has_begun
    return error


def adapter_for(model: type[M]) -> TypeAdapter[M]:
    """What validates answers, and gives the schema, for *model*."""
    return TypeAdapter(model)


def schema_name(model: Any) -> str:
    """A name for the schema that every provider takes."""
    return model.__name__ if isinstance(model, type) and issubclass(model, BaseModel) else "answer"
