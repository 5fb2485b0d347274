"""The most that all calls of a run may cost: reserved before each call, settled after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from llm_gateway.cassettes.diagnosis import summary
from llm_gateway.cost.account import caller_provider, known_facts
from llm_gateway.cost.money import exact
from llm_gateway.cost.prices import most_expensive_usd
from llm_gateway.cost.reservation import InsufficientBudget, Reservation, Reservations
from llm_gateway.exceptions import CostLimitExceededError
from llm_gateway.exchange import Exchange
from llm_gateway.interception.call_guard import OnComplete
from llm_gateway.types import WireRequest
from llm_gateway.wire.bounds import Bound, upper_bound

__all__ = ["RunLimit"]


class RunLimit:
    """
    A call guard that rejects calls which could take spending past *limit_usd*.

    A call reserves its most: its input as estimated, its output as long as it may be. The cost of a run of the
    ``claude`` command is known only at its end: one is allowed while anything is left.

    Args:
        reservations: Counts the spending; workers share one.

        limit_usd: US dollars.

        name: What the limit is called in messages, as it was typed.
    """

    def __init__(self, reservations: Reservations, limit_usd: Decimal, name: str) -> None:
        self._reservations = reservations
        self._limit_usd = limit_usd
        self._name = name

    @exact()
    def allow(self, request: WireRequest | None) -> OnComplete:
        """
        Reserve what the call costs at most.

        Raises:
            CostLimitExceededError: That is more than is left, or is not known.
        """
        if request is None:
            return self._enter_run()
        bound = upper_bound(request.method, request.url, request.body)
        if bound is None:
            return lambda _: None
        bound = replace(bound, provider=caller_provider(request) or bound.provider)
        reservation = self._reserve(request, bound)

        def ended(exchange: Exchange) -> None:
            self._reservations.settle(reservation, _cost(exchange))

        return ended

    def _reserve(self, request: WireRequest, bound: Bound) -> Reservation:
        models = dict.fromkeys([bound.model or "", *bound.others])
        most_usd = most_expensive_usd(bound.provider, models, bound.usage, at=datetime.now(UTC))
        if most_usd is None:
            raise CostLimitExceededError(
                f"{summary(request)} was not sent: the price of {bound.provider}:{bound.model} is not known",
                cause=f"{self._name} can only be held where every price is known",
                fix=f'say it in a price file (ini value llm_prices): "{bound.provider}:{bound.model}": '
                "{input: 0.5, output: 2}",
            )
        made = self._reservations.reserve(most_usd, self._limit_usd)
        if isinstance(made, Reservation):
            return made
        raise CostLimitExceededError(
            f"{summary(request)} was not sent: it may cost {_money(most_usd)}, "
            f"and {_money(self._left(made))} of {self._name} is left",
            cause=_why(made, bound),
            fix=f"to allow it: raise {self._name.partition('=')[0]}" + (", or set max_tokens" if bound.is_open else ""),
        )

    def _left(self, budget: InsufficientBudget) -> Decimal:
        return max(Decimal(0), self._limit_usd - budget.spent_usd - budget.reserved_usd)

    def _enter_run(self) -> OnComplete:
        made = self._reservations.reserve(Decimal(0), self._limit_usd)
        if isinstance(made, InsufficientBudget) or sum(self._reservations.spent()) >= self._limit_usd:
            raise CostLimitExceededError(
                f"claude was not run: nothing of {self._name} is left",
                cause="a run that does not say what it cost counts as all that was left",
                fix=f"to allow it: raise {self._name.partition('=')[0]}, or run claude with --output-format json",
            )

        @exact()
        def ended(exchange: Exchange) -> None:
            cost_usd = _cost(exchange)
            rest = self._limit_usd - self._reservations.spent()[0]
            self._reservations.settle(made, rest if cost_usd is None else cost_usd)

        return ended


def _why(budget: InsufficientBudget, bound: Bound) -> str:
    held = f", {_money(budget.reserved_usd)} held for calls under way" if budget.reserved_usd else ""
    most = f"at most {bound.usage.input_tokens:,} tokens in and {bound.usage.output_tokens or 0:,} out"
    assumed = ", for it sets no limit to its output" if bound.is_open else ""
    return f"{_money(budget.spent_usd)} spent{held}; {most}{assumed}"


def _cost(exchange: Exchange) -> Decimal | None:
    """Return the cost of a call that has ended; None when it is unknown."""
    return known_facts(exchange).charged().cost_usd


def _money(amount: Decimal) -> str:
    return f"${amount.normalize():f}"
