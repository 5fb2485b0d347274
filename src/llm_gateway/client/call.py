"""One call of the client while it runs: its attempts, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

from llm_gateway.client.context import Context
from llm_gateway.cost import recorded
from llm_gateway.cost.prices import price
from llm_gateway.cost.purse import Held
from llm_gateway.cost.tracker import CostTracker, billed_cost
from llm_gateway.exceptions import ProviderError
from llm_gateway.providers.base import HttpProvider, Provider
from llm_gateway.types import Attempt, ChatReply, ChatRequest, LLMResponse, TokenUsage
from llm_gateway.wire.bounds import upper_bound

__all__ = ["Call", "provider_name", "total_usage"]

M = TypeVar("M")


def provider_name(provider: Provider) -> str:
    """The name of *provider*; a class of someone else's need not have one."""
    return str(getattr(provider, "name", type(provider).__name__))


def total_usage(attempts: list[Attempt]) -> TokenUsage | None:
    """Tokens of all *attempts*, or None when none reported any."""
    known = [attempt.usage for attempt in attempts if attempt.usage is not None]
    total = known[0] if known else None
    for one in known[1:]:
        total = one if total is None else total + one
    return total


@dataclass
class Call:
    """
    What one call knows of itself.

    *response_model* is for providers that validate by themselves; *tracker* takes each attempt when it is over;
    *fallbacks* are asked in turn when the provider cannot answer (see `llm_gateway.client.fallback`).
    """

    provider: Provider
    max_retries: int
    tracker: CostTracker
    response_model: type[Any] | None = None
    fallbacks: Sequence[Any] = ()
    total_timeout_s: float | None = None
    context: Context | None = None
    answering_model: str | None = None
    attempts: list[Attempt] = field(default_factory=list)
    _held: Held | None = None
    _deadline: float | None = None

    def begin(self, now: float) -> None:
        """The first attempt starts the clock."""
        if self._deadline is None and self.total_timeout_s is not None:
            self._deadline = now + self.total_timeout_s

    def has_time(self, seconds: float, now: float) -> bool:
        """Whether a wait of *seconds* leaves time for another attempt."""
        return self._deadline is None or now + seconds < self._deadline

    def enter(self, request: ChatRequest) -> None:
        """
        Begin an attempt.

        Raises:
            CostLimitExceededError: It could pass the cost limit.
        """
        if self.tracker.limit_usd is None:
            return
        is_bound = isinstance(self.provider, HttpProvider)
        most_usd = _most_usd(self.provider, request) if isinstance(self.provider, HttpProvider) else None
        self._held = self.tracker.hold(request.model, most_usd, is_bound=is_bound)

    def abandon(self) -> None:
        """The attempt was cancelled, and nobody will say what it cost."""
        self.tracker.abandon(self._held)
        self._held = None

    def note(
        self, model: str, reply: ChatReply | None, error: ProviderError | None = None, latency_s: float | None = None
    ) -> None:
        """Add an attempt that is over."""
        served = (reply and reply.model) or model
        usage = reply.usage if reply else error.usage if error else None
        if usage is None and error is not None and error.has_begun:
            usage = TokenUsage()  # it was billed, and how much nobody said
        attempt = Attempt(
            number=len(self.attempts) + 1,
            provider=provider_name(self.provider),
            model=served,
            status=error.status if error else 200,
            error=error.kind if error else None,
            usage=usage,
            cost_usd=self._cost(served, reply, usage),
            latency_s=latency_s,
        )
        self.attempts.append(attempt)
        self.tracker.note(attempt, self._held)
        self._held = None

    def _cost(self, model: str, reply: ChatReply | None, usage: TokenUsage | None) -> Decimal | None:
        noted = recorded.take()
        if noted is not None:
            return noted[0]
        if reply is not None and reply.cost_usd is not None:
            return reply.cost_usd  # the provider states it
        return _cost_usd(provider_name(self.provider), model, usage) if usage else None

    def response(self, content: M, reply: ChatReply, model: str) -> LLMResponse[M]:
        """The call's answer with the totals of its attempts."""
        return LLMResponse(
            content=content,
            provider=provider_name(self.provider),
            model=reply.model or model,
            usage=total_usage(self.attempts),
            cost_usd=billed_cost(self.attempts),
            stop_reason=reply.stop_reason,
            tool_calls=reply.tool_calls,
            attempts=tuple(self.attempts),
            reply=reply,
            truncated=self.context.truncated if self.context else 0,
        )


def _cost_usd(provider: str, model: str, usage: TokenUsage) -> Decimal | None:
    found = price(provider, model, usage, at=datetime.now(UTC))
    return found.cost_usd if found else None


def _most_usd(provider: HttpProvider, request: ChatRequest) -> Decimal | None:
    sent = provider.request(request)
    bound = upper_bound(sent.method, sent.url, sent.body)
    return None if bound is None else _cost_usd(provider.name, request.model, bound.usage)
