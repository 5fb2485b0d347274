"""One call of the client while it runs: its attempts, and what they cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from llm_gateway.catalog import find
from llm_gateway.client.breaker import Breaker, Breakers
from llm_gateway.client.cache.cache import Cache
from llm_gateway.client.cache.entry import Entry as CacheEntry
from llm_gateway.client.context import Context
from llm_gateway.client.observation import Observation
from llm_gateway.client.params import Params
from llm_gateway.client.timeouts import Timeouts
from llm_gateway.cost.account import priced
from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.cost.ledger.outbox import Outbox
from llm_gateway.cost.prices import most_expensive_usd
from llm_gateway.cost.reservation import Reservation
from llm_gateway.cost.totals import Totals
from llm_gateway.cost.tracker import CostTracker
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Flow
from llm_gateway.flow.timeout import Timeout
from llm_gateway.providers.base import HttpProvider, Provider, provider_address, provider_name
from llm_gateway.record import CallRecord, End, RecordHolder
from llm_gateway.types import ChatReply, ChatRequest, LLMResponse
from llm_gateway.usage import TokenUsage
from llm_gateway.wire.bounds import upper_bound

__all__ = ["Call"]

M = TypeVar("M")


@dataclass
class Call:
    """
    One call: its settings, its attempts so far, and its claims on the cost limit, the ledger and the cache.

    *response_model* is for providers that validate by themselves; *tracker* takes each attempt when it is over;
    *fallbacks* are called in turn when the provider cannot answer (see `llm_gateway.client.fallback`); *listed* returns
    the names of models that a provider has listed.
    """

    provider: Provider
    max_retries: int
    tracker: CostTracker
    response_model: type[Any] | None = None
    fallbacks: Sequence[Any] = ()
    timeouts: Timeouts = field(default_factory=Timeouts)
    context: Context | None = None
    params: Params = field(default_factory=Params)
    dropped: dict[str, None] = field(default_factory=dict[str, None])
    """Options that were left out, in order."""
    answering_model: str | None = None
    holder: RecordHolder | None = None
    """The holder that came with the reply of this attempt; None where the reply was neither recorded nor replayed."""
    outbox: Outbox | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    listed: Callable[[Provider], list[str]] | None = None
    session_id: str | None = None
    observed: Observation | None = None
    attempts: list[CallRecord] = field(default_factory=list[CallRecord])
    cache: Cache | None = None
    hits: list[CacheEntry] = field(default_factory=list[CacheEntry])
    """Replies from the cache."""
    fresh: list[tuple[str, CacheEntry]] = field(default_factory=list[tuple[str, CacheEntry]])
    """New replies with their cache keys, to be kept when the call succeeds."""
    _reservation: Reservation | None = None
    _requested_model: str | None = None
    """The model of the attempt that is under way."""
    _unwritten: list[Entry] = field(default_factory=list)
    breakers: Breakers | None = None
    _called: float | None = None
    _began: float = 0.0

    @property
    def provider_name(self) -> str:
        """The name of the current provider."""
        return provider_name(self.provider)

    @property
    def usage(self) -> TokenUsage | None:
        """Tokens of all attempts, or None where they are not known of one that may have been billed."""
        return Totals.of(self.attempts).usage

    def begin(self, now: float) -> None:
        """Start the clock of an attempt; the first attempt also starts that of the call."""
        self._began = now
        if self._called is None:
            self._called = now

    def has_time(self, seconds: float, now: float) -> bool:
        """Return whether a wait of *seconds* leaves time for another attempt."""
        called, most = self._called, self.timeouts.total_timeout_s
        return called is None or most is None or now + seconds < called + most

    @property
    def attempt_timeouts(self) -> tuple[Timeout, ...]:
        """The timeouts of an attempt without a stream."""
        return self.timeouts.whole(self._began, self._called or 0.0)

    @property
    def first_content_timeouts(self) -> tuple[Timeout, ...]:
        """The timeouts of a stream up to its first content."""
        return self.timeouts.first(self._began, self._called or 0.0)

    @property
    def chunk_timeouts(self) -> tuple[Timeout, ...]:
        """The timeouts of each further chunk of a stream."""
        return self.timeouts.between(self._called or 0.0)

    @property
    def breaker(self) -> Breaker | None:
        """The circuit breaker of the current provider; None without one."""
        if self.breakers is None:
            return None
        return self.breakers.of(self.provider_name, provider_address(self.provider))

    def without_unsupported(self, request: ChatRequest) -> ChatRequest:
        """Return *request* without the options that its model does not take; raise as `Params.fit` does."""
        sent, unsupported = self.params.fit(self.provider, request)
        self.dropped.update(dict.fromkeys(unsupported))
        return sent

    def enter(self, request: ChatRequest) -> None:
        """
        Begin an attempt.

        Raises:
            CostLimitExceededError: It could pass the cost limit.
        """
        if self.tracker.limit_usd is not None:
            self._reserve(request)
        self._requested_model, self.holder = request.model, None
        if self.observed is not None:
            self.observed.attempt_begins(len(self.attempts) + 1, self.provider, request.model)

    def _reserve(self, request: ChatRequest) -> None:
        is_bound = isinstance(self.provider, HttpProvider)
        most_usd = _max_cost_usd(self.provider, request) if isinstance(self.provider, HttpProvider) else None
        self._reservation = self.tracker.reserve(request.model, most_usd, is_bound=is_bound)

    def abandon(self, error: BaseException) -> None:
        """
        End an attempt that *error* stopped before its reply was complete.

        An attempt that was cancelled may be billed, so it is added with unknown usage; one that failed here was not
        sent and is not added.
        """
        record: CallRecord | None = None
        if self._requested_model is not None and not isinstance(error, Exception):
            record = self._finished(self._accounted(self._requested_model, None, None), error="cancelled")
            self._add(record)
        self.tracker.abandon(self._reservation)
        self._reservation = self._requested_model = None
        if self.observed is not None:
            self.observed.attempt_breaks(error, record)

    def content(self) -> None:
        """Notify observers of a chunk of a stream."""
        if self.observed is not None:
            self.observed.content()

    def hop(self, error: ProviderError, provider: str, model: str) -> None:
        """Notify observers that another model is called because of *error*."""
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
    ) -> CallRecord:
        """Add an ended attempt, and return its record; *left* is set when the caller closed a stream before its end."""
        if self.holder is None and error is not None:
            self.holder = error.holder
        found = self.holder.record if self.holder is not None else None
        record = self._finished(
            found or replace(self._accounted(model, reply, error), end=_end(error, left)),
            error=error.kind if error else "cancelled" if left else None,
            status=error.status if error else 200,
            model_requested=model,
            duration_s=latency_s,
        )
        self._add(record)
        if self.observed is not None:
            self.observed.attempt_ends(record, reply, error or left)
        return record

    def _finished(self, record: CallRecord, **known: Any) -> CallRecord:
        """Return *record* completed with the fields that this call knows."""
        began = record.started_at or datetime.now(UTC) - timedelta(seconds=known.get("duration_s") or 0)
        mine: dict[str, Any] = {
            "provider": self.provider_name,
            "attempt": len(self.attempts) + 1,
            "session_id": self.session_id,
            "tags": self.tags,
        }
        return replace(record, **mine, started_at=began, **known)

    def _accounted(self, model: str, reply: ChatReply | None, error: ProviderError | None) -> CallRecord:
        """Return the record of an attempt that was neither recorded nor replayed."""
        dialect = getattr(self.provider, "dialect", None)
        usage = reply.usage if reply else error.usage if error else None
        cost = reply.cost_usd if reply else None
        name = self.provider_name
        if isinstance(self.provider, HttpProvider) and not find(name).states_cost:
            cost = None
        record = CallRecord(
            provider=name,
            api=dialect.name if dialect else "custom",
            model_requested=model,
            model_served=reply.model if reply else None,
            usage=usage,
            cost_usd=cost,
            price=None if cost is None else {"source": name},
            is_billed=error is None or usage is not None or error.has_begun or error.may_be_billed,
        )
        return priced(record, at=datetime.now(UTC))

    def _add(self, record: CallRecord) -> None:
        self.attempts.append(record)
        self.tracker.note(record, self._reservation)
        self._reservation = self._requested_model = None
        if self.outbox is not None and not (self.holder and self.holder.owns_ledger):
            self._unwritten.append(Entry.of(record))

    def write_ledger(self) -> Flow:
        """Write the attempts that have ended to the ledger, in a thread where there is an event loop."""
        if self._unwritten:
            yield steps.Call(self.write_ledger_now)

    def write_ledger_now(self) -> None:
        """Write the attempts that have ended to the ledger, in this thread."""
        if self.outbox is not None and self._unwritten:
            entries, self._unwritten = self._unwritten, []
            self.outbox.add(entries)

    def response(self, content: M, reply: ChatReply, model: str) -> LLMResponse[M]:
        """Return the response with the totals of all attempts."""
        totals = Totals.of(self.attempts)
        return LLMResponse(
            content=content,
            provider=self.provider_name,
            model=reply.model or model,
            usage=totals.usage,
            cost_usd=totals.cost_usd,
            stop_reason=reply.stop_reason,
            tool_calls=reply.tool_calls,
            attempts=tuple(self.attempts),
            reply=reply,
            truncated=self.context.truncated if self.context else 0,
            dropped_params=tuple(self.dropped),
        )


def _max_cost_usd(provider: HttpProvider, request: ChatRequest) -> Decimal | None:
    sent = provider.request(request)
    bound = upper_bound(sent.method, sent.url, sent.body)
    if bound is None:
        return None
    return most_expensive_usd(provider.name, [request.model, *bound.others], bound.usage, at=datetime.now(UTC))


def _end(error: ProviderError | None, left: GeneratorExit | None) -> End:
    """Return how the reply of an attempt ended, as its recording would state it."""
    if left is not None:
        return "partial"
    return "error" if error is not None and error.has_begun else "complete"
