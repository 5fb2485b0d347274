"""One call of the client while it runs: its attempts, and what they cost."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from llm_gateway.client.breaker import Breaker, Breakers
from llm_gateway.client.cache.cache import Cache
from llm_gateway.client.cache.entry import Entry as Kept
from llm_gateway.client.context import Context
from llm_gateway.client.observed import Observation
from llm_gateway.client.params import Params
from llm_gateway.client.timeouts import Timeouts
from llm_gateway.cost import recorded
from llm_gateway.cost.booking import is_taken_over
from llm_gateway.cost.ledger.entry import Entry, known_cost, known_usage
from llm_gateway.cost.ledger.outbox import Outbox
from llm_gateway.cost.prices import dearest_usd, price
from llm_gateway.cost.purse import Held
from llm_gateway.cost.tracker import CostTracker, billed_cost
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow import steps
from llm_gateway.flow.limit import Limit
from llm_gateway.flow.steps import Flow
from llm_gateway.providers.base import HttpProvider, Provider
from llm_gateway.types import Attempt, ChatReply, ChatRequest, LLMResponse, TokenUsage
from llm_gateway.wire.bounds import upper_bound

__all__ = ["Call", "provider_name", "sum_usage", "total_usage"]

M = TypeVar("M")


def provider_name(provider: Provider) -> str:
    """The name of *provider*; a class of someone else's need not have one."""
    return str(getattr(provider, "name", type(provider).__name__))


def address_of(provider: Provider) -> str:
    """Where *provider* is called; empty for what is not called over HTTP."""
    if not isinstance(provider, HttpProvider):
        return ""
    return str(getattr(provider.client, "base_url", provider.base_url))  # a client's own address, where it has one


def total_usage(attempts: list[Attempt]) -> TokenUsage | None:
    """Tokens of all *attempts*, or None when none reported any."""
    return sum_usage(attempt.usage for attempt in attempts)


def sum_usage(usages: Iterable[TokenUsage | None]) -> TokenUsage | None:
    """Tokens of all *usages* that are known, or None when none is."""
    known = [usage for usage in usages if usage is not None]
    total = known[0] if known else None
    for one in known[1:]:
        total = one if total is None else total + one
    return total


@dataclass
class Call:
    """
    What one call knows of itself.

    *response_model* is for providers that validate by themselves; *tracker* takes each attempt when it is over;
    *fallbacks* are asked in turn when the provider cannot answer (see `llm_gateway.client.fallback`); *listed* gives
    the names of models that a provider has listed.
    """

    provider: Provider
    max_retries: int
    tracker: CostTracker
    response_model: type[Any] | None = None
    fallbacks: Sequence[Any] = ()
    limits: Timeouts = field(default_factory=Timeouts)
    context: Context | None = None
    params: Params = field(default_factory=Params)
    dropped: dict[str, None] = field(default_factory=dict[str, None])
    """Options that were left out, in order."""
    answering_model: str | None = None
    is_replayed: bool = False
    """Whether the last attempt was answered by a recording, so that there is nothing to wait for."""
    outbox: Outbox | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    listed: Callable[[Provider], list[str]] | None = None
    session_id: str | None = None
    observed: Observation | None = None
    attempts: list[Attempt] = field(default_factory=list)
    cache: Cache | None = None
    hits: list[Kept] = field(default_factory=list[Kept])
    """What came from the cache."""
    fresh: list[tuple[str, Kept]] = field(default_factory=list[tuple[str, Kept]])
    """What did not, by its key there."""
    _held: Held | None = None
    _asked: str | None = None
    """The model of the attempt that is under way."""
    _price_source: str | None = None
    _unbooked: list[Entry] = field(default_factory=list)
    breakers: Breakers | None = None
    _called: float | None = None
    _began: float = 0.0

    @property
    def provider_name(self) -> str:
        """The name of the provider that is asked now."""
        return provider_name(self.provider)

    @property
    def usage(self) -> TokenUsage | None:
        """Tokens of all attempts, or None when none reported any."""
        return total_usage(self.attempts)

    def begin(self, now: float) -> None:
        """An attempt begins; the first one starts the clock of the call."""
        self._began = now
        if self._called is None:
            self._called = now

    def has_time(self, seconds: float, now: float) -> bool:
        """Whether a wait of *seconds* leaves time for another attempt."""
        called, most = self._called, self.limits.total_timeout_s
        return called is None or most is None or now + seconds < called + most

    @property
    def whole(self) -> tuple[Limit, ...]:
        """How long the attempt may take."""
        return self.limits.whole(self._began, self._called or 0.0)

    @property
    def first(self) -> tuple[Limit, ...]:
        """How long it may take to the first content."""
        return self.limits.first(self._began, self._called or 0.0)

    @property
    def between(self) -> tuple[Limit, ...]:
        """How long each piece after that may take."""
        return self.limits.between(self._called or 0.0)

    @property
    def breaker(self) -> Breaker | None:
        """The circuit of the provider that is asked now, if it has one."""
        if self.breakers is None:
            return None
        return self.breakers.of(self.provider_name, address_of(self.provider))

    def fitted(self, request: ChatRequest) -> ChatRequest:
        """*request* without what its model does not take; errors as in `llm_gateway.client.params.Params.fit`."""
        sent, lost = self.params.fit(self.provider, request)
        self.dropped.update(dict.fromkeys(lost))
        return sent

    def enter(self, request: ChatRequest) -> None:
        """
        Begin an attempt.

        Raises:
            CostLimitExceededError: It could pass the cost limit.
        """
        if self.tracker.limit_usd is not None:
            self._hold(request)
        self._asked = request.model
        recorded.say_provider(self.provider_name if isinstance(self.provider, HttpProvider) else None)
        if self.observed is not None:
            self.observed.attempt_begins(self, request)

    def _hold(self, request: ChatRequest) -> None:
        is_bound = isinstance(self.provider, HttpProvider)
        most_usd = _most_usd(self.provider, request) if isinstance(self.provider, HttpProvider) else None
        self._held = self.tracker.hold(request.model, most_usd, is_bound=is_bound)

    def abandon(self, error: BaseException) -> None:
        """
        The attempt was stopped by *error*.

        One that was cancelled may have been answered, and nobody will say what it cost; one that failed on this side
        was not sent.
        """
        if self._asked is not None and not isinstance(error, Exception):
            self._add(self._attempt(self._asked, error="cancelled", usage=TokenUsage()), self._asked)
        self.tracker.abandon(self._held)
        self._held = self._asked = None
        recorded.say_provider(None)
        if self.observed is not None:
            self.observed.attempt_breaks(error)

    def content(self) -> None:
        """A piece of a stream arrived."""
        if self.observed is not None:
            self.observed.content()

    def hop(self, error: ProviderError, provider: str, model: str) -> None:
        """Another model is asked because of *error*."""
        if self.observed is not None:
            self.observed.hop(error, provider, model)

    def note(
        self,
        model: str,
        reply: ChatReply | None,
        error: ProviderError | None = None,
        latency_s: float | None = None,
        *,
        left: GeneratorExit | None = None,
    ) -> None:
        """Add an attempt that is over; *left* says that its reader left before the end."""
        served = (reply and reply.model) or model
        usage = reply.usage if reply else error.usage if error else None
        if usage is None and (left is not None or (error is not None and error.has_begun)):
            usage = TokenUsage()  # it was billed, and how much nobody said
        attempt = self._attempt(
            served,
            status=error.status if error else 200,
            error=error.kind if error else "cancelled" if left else None,
            usage=usage,
            cost_usd=self._cost(served, reply, usage),
            latency_s=latency_s,
        )
        self._add(attempt, model)
        if self.observed is not None:
            self.observed.attempt_ends(attempt, reply, error or left)

    def _attempt(self, model: str, **known: Any) -> Attempt:
        unknown: dict[str, Any] = {"status": None, "cost_usd": None, "latency_s": None, "session_id": self.session_id}
        return Attempt(len(self.attempts) + 1, provider_name(self.provider), model, **unknown | known)

    def _add(self, attempt: Attempt, asked: str) -> None:
        self.attempts.append(attempt)
        self.tracker.note(attempt, self._held)
        self._held = self._asked = None
        recorded.say_provider(None)
        if self.outbox is not None and not is_taken_over():
            self._unbooked.append(self._entry(attempt, asked))

    def _entry(self, attempt: Attempt, asked: str) -> Entry:
        dialect = getattr(self.provider, "dialect", None)
        return Entry(
            id=uuid.uuid4().hex,
            at=datetime.now(UTC) - timedelta(seconds=attempt.latency_s or 0),
            provider=attempt.provider,
            api=dialect.name if dialect else None,
            model_requested=asked,
            model_served=attempt.model if attempt.error is None else None,
            usage=known_usage(attempt.usage),
            cost_usd=known_cost(attempt.cost_usd),
            price=None if attempt.cost_usd is None else self._price_source,
            latency_s=attempt.latency_s,
            status=attempt.error or "ok",
            session_id=self.session_id,
            tags=self.tags,
        )

    def book(self) -> Flow:
        """Write what has ended to the ledger, out of the way of an event loop."""
        if self._unbooked:
            yield steps.Call(self.book_now)

    def book_now(self) -> None:
        """Write what has ended to the ledger, here."""
        if self.outbox is not None and self._unbooked:
            entries, self._unbooked = self._unbooked, []
            self.outbox.add(entries)

    def _cost(self, model: str, reply: ChatReply | None, usage: TokenUsage | None) -> Decimal | None:
        noted = recorded.take()
        self.is_replayed = noted is not None
        if noted is not None:
            return noted[0]
        if reply is not None and reply.cost_usd is not None:
            self._price_source = provider_name(self.provider)
            return reply.cost_usd  # the provider states it
        found = price(provider_name(self.provider), model, usage, at=datetime.now(UTC)) if usage else None
        self._price_source = str(found.row["source"]) if found else None
        return found.cost_usd if found else None

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
            dropped_params=tuple(self.dropped),
        )


def _most_usd(provider: HttpProvider, request: ChatRequest) -> Decimal | None:
    sent = provider.request(request)
    bound = upper_bound(sent.method, sent.url, sent.body)
    if bound is None:
        return None
    return dearest_usd(provider.name, [request.model, *bound.others], bound.usage, at=datetime.now(UTC))
