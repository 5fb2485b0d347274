"""One call of the client while it runs: its attempts, and what they cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from llm_gateway.cost import recorded
from llm_gateway.exceptions import ProviderError
from llm_gateway.providers.base import Provider
from llm_gateway.types import Attempt, ChatReply, LLMResponse, TokenUsage

__all__ = ["Call", "billed_cost", "provider_name", "total_usage"]

M = TypeVar("M")
Price = Callable[[str, str, TokenUsage], Decimal | None]


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


def billed_cost(attempts: list[Attempt]) -> Decimal | None:
    """US dollars of the attempts that were billed, or None when the price of one is not known."""
    costs = [one.cost_usd for one in attempts if one.is_billed]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


@dataclass
class Call:
    """
    What one call knows of itself.

    *response_model* is for providers that validate by themselves; *noted* takes each attempt when it is over.
    """

    provider: Provider
    max_retries: int
    price: Price
    noted: Callable[[Attempt], None]
    response_model: type[Any] | None = None
    attempts: list[Attempt] = field(default_factory=list)

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
        self.noted(attempt)

    def _cost(self, model: str, reply: ChatReply | None, usage: TokenUsage | None) -> Decimal | None:
        noted = recorded.take()
        if noted is not None:
            return noted[0]
        if reply is not None and reply.cost_usd is not None:
            return reply.cost_usd  # the provider states it
        return self.price(provider_name(self.provider), model, usage) if usage else None

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
        )
