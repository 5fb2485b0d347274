"""The marker ``llm_budget`` and the fixture of that name: what a test's calls may use, in every mode."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from llm_gateway.cost.budget import Limits, overruns, table
from llm_gateway.cost.money import exact
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import BudgetExceededError, ConfigError
from llm_gateway.wire.identify import identify

if TYPE_CHECKING:
    from llm_gateway.exchange import Exchange
    from llm_gateway.interception.call_guard import OnComplete
    from llm_gateway.interception.cassette import Cassette
    from llm_gateway.record import CallRecord
    from llm_gateway.types import WireRequest

__all__ = ["Budget", "BudgetGuard", "check_budget", "judgement", "limits_of", "verdict"]


def limits_of(item: pytest.Item) -> Limits | None:
    """
    The limits of *item*; None where no marker sets any.

    Markers of the test, its class and its module hold together; for one limit the innermost value counts.

    Raises:
        ConfigError: A marker cannot be read.
    """
    given: dict[str, Any] = {}
    marks = list(item.iter_markers("llm_budget"))
    for mark in reversed(marks):
        given.update(mark.kwargs)
    if named := [arg for mark in marks for arg in mark.args]:
        raise ConfigError(
            f"llm_budget({named[0]!r}) names no limit", fix="for example: @pytest.mark.llm_budget(max_tokens=2000)"
        )
    return Limits.read(given) if marks else None


def check_budget(item: pytest.Item) -> None:
    """
    Refuse a marker that cannot be read.

    Raises:
        pytest.UsageError: Names the test and the mistake.
    """
    try:
        limits_of(item)
    except ConfigError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def charges_of(calls: Sequence[CallRecord]) -> list[CallRecord]:
    """Return the calls that count against a budget, those that nobody bills with zeros."""
    return [one.charged() for one in calls if one.is_model_call]


_FIX = "to allow it: raise the limit in @pytest.mark.llm_budget(...)"


def verdict(test_id: str, limits: Limits, calls: Sequence[CallRecord], *, is_over: bool) -> str | None:
    """Why the test fails its budget, with a table of its calls; None when it holds."""
    charges = charges_of(calls)
    if not charges:
        if not is_over:
            return None
        return (
            f"BudgetExceededError: {test_id} has a budget and made no call\n"
            "  a budget that nothing counts against holds nothing\n"
            "  take the marker llm_budget away, or let the test call a model"
        )
    lines = overruns(limits, charges)
    if not lines:
        return None
    why = "\n".join([*lines, table(charges)])
    return BudgetExceededError(f"{test_id} is over its budget", cause=why, fix=_FIX).report


class BudgetGuard:
    """
    Refuse the calls of a test that has used up its budget already, so that a loop that never ends costs no more.

    See `llm_gateway.interception.call_guard.CallGuard`.
    """

    def __init__(self, test_id: str, limits: Limits) -> None:
        self._test_id = test_id
        self._limits = dataclasses.replace(limits, min_cache_hit=None, max_calls=None, allow_unknown=True)
        self._max_calls = limits.max_calls
        self._begun = 0
        self._charges: list[CallRecord] = []
        self._lock = threading.Lock()

    def allow(self, request: WireRequest | None) -> OnComplete:
        """
        Count the call in.

        Raises:
            BudgetExceededError: Nothing of the budget is left.
        """
        if request is not None and identify(request.method, request.url) is None:
            return _nothing
        with self._lock:
            over = overruns(self._limits, self._charges)
            if self._max_calls is not None and self._begun >= self._max_calls:
                over = [f"{self._begun + 1} calls, 1 over max_calls={self._max_calls}", *over]
            if over:
                self._refuse(request, over)
            self._begun += 1
        return self._ended

    def _refuse(self, request: WireRequest | None, over: list[str]) -> NoReturn:
        raise BudgetExceededError(
            f"{self._test_id} is over its budget",
            cause="\n".join([*over, table(self._charges), f"{_what(request)} was not called any more"]),
            fix=_FIX,
        )

    def _ended(self, exchange: Exchange) -> None:
        if exchange.record is not None:
            self._charges.append(exchange.record)


def _nothing(exchange: Exchange) -> None:
    """What is no call to a model counts against no budget."""
    del exchange


def _what(request: WireRequest | None) -> str:
    from llm_gateway.cassettes.diagnosis import summary

    return "claude" if request is None else summary(request)


def judgement(item: pytest.Item, calls: Sequence[CallRecord], why: str | None) -> dict[str, Any] | None:
    """The limits of *item* and what became of them, as JSON can hold it; its verdict is None where nothing counted."""
    limits = limits_of(item)
    if limits is None:
        return None
    named = {name: value for name, value in dataclasses.asdict(limits).items() if value not in (None, False)}
    if limits.max_cost_usd is not None:
        named["max_cost_usd"] = f"{limits.max_cost_usd:f}"
    held = "held" if charges_of(calls) else None
    return {"limits": named, "verdict": "broken" if why else held, "reason": why}


class Budget:
    """
    What the fixture ``llm_budget`` gives.

    Attributes:
        limits: What the markers set; all None without a marker.
    """

    def __init__(self, limits: Limits, cassette: Cassette) -> None:
        self.limits = limits
        self._cassette = cassette

    @property
    def calls(self) -> list[CallRecord]:
        """What each call so far used and cost; a call that nobody bills has zeros."""
        self._cassette.settle(is_over=False)
        return charges_of(self._cassette.calls)

    @property
    def spent(self) -> dict[str, Any]:
        """``calls``, ``tokens`` and ``cost_usd`` so far; a sum is None where a call reported nothing."""
        totals = Totals.of(self.calls)
        return {"calls": totals.model_calls, "tokens": totals.total("total_tokens"), "cost_usd": totals.cost_usd}

    @property
    @exact()
    def remaining(self) -> dict[str, Any]:
        """What is left of ``calls``, ``tokens`` and ``cost_usd``; None without a limit or a known sum."""
        spent = self.spent
        limits = {
            "calls": self.limits.max_calls,
            "tokens": self.limits.max_tokens,
            "cost_usd": self.limits.max_cost_usd,
        }
        return {
            name: None if limit is None or spent[name] is None else limit - spent[name]
            for name, limit in limits.items()
        }

    @contextmanager
    def limit(self, **limits: Any) -> Generator[None]:
        """
        Hold the calls made inside the block to *limits*, named as in the marker.

        Raises:
            ConfigError: They cannot be read.
        """
        wanted, before = Limits.read(limits), len(self.calls)
        try:
            yield
        finally:
            charges = self.calls[before:]
            if lines := overruns(wanted, charges):
                text = ["BudgetExceededError: a block is over its budget", *lines, *table(charges).splitlines()]
                pytest.fail("\n  ".join(text), pytrace=False)
