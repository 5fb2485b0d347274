"""The marker and the fixture ``llm_budget``: limits on the usage of a test's calls, in every mode."""

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

__all__ = ["Budget", "BudgetGuard", "check_budget", "failure_message", "limits_of", "outcome_of"]


def limits_of(item: pytest.Item) -> Limits | None:
    """
    Return the limits of *item*; None without a marker.

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
    Check the markers of *item*.

    Raises:
        pytest.UsageError: A marker cannot be read; the text names the test and the mistake.
    """
    try:
        limits_of(item)
    except ConfigError as error:
        raise pytest.UsageError(f"{item.nodeid}: {error}") from None


def charges_of(calls: Sequence[CallRecord]) -> list[CallRecord]:
    """Return the model calls, which count against a budget; those that are not billed have zeros."""
    return [one.charged() for one in calls if one.is_model_call]


_FIX = "to allow it: raise the limit in @pytest.mark.llm_budget(...)"


def failure_message(test_id: str, limits: Limits, calls: Sequence[CallRecord], *, is_over: bool) -> str | None:
    """Return why the test fails its budget, with a table of its calls; None when the budget holds."""
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
    """A call guard that rejects the calls of a test whose budget is used up, so that an endless loop costs no more."""

    def __init__(self, test_id: str, limits: Limits) -> None:
        self._test_id = test_id
        self._limits = dataclasses.replace(limits, min_cache_hit=None, max_calls=None, allow_unknown=True)
        self._max_calls = limits.max_calls
        self._started = 0
        self._charges: list[CallRecord] = []
        self._lock = threading.Lock()

    def allow(self, request: WireRequest | None) -> OnComplete:
        """
        Count a call that starts, and return what accounts for its end.

        Raises:
            BudgetExceededError: The budget is used up.
        """
        if request is not None and identify(request.method, request.url) is None:
            return _ignore
        with self._lock:
            over = overruns(self._limits, self._charges)
            if self._max_calls is not None and self._started >= self._max_calls:
                over = [f"{self._started + 1} calls, 1 over max_calls={self._max_calls}", *over]
            if over:
                self._raise_over_budget(request, over)
            self._started += 1
        return self._account

    def _raise_over_budget(self, request: WireRequest | None, over: list[str]) -> NoReturn:
        raise BudgetExceededError(
            f"{self._test_id} is over its budget",
            cause="\n".join([*over, table(self._charges), f"{_call_text(request)} was not called any more"]),
            fix=_FIX,
        )

    def _account(self, exchange: Exchange) -> None:
        if exchange.record is not None:
            self._charges.append(exchange.record)


def _ignore(exchange: Exchange) -> None:
    """Ignore an exchange that calls no model."""
    del exchange


def _call_text(request: WireRequest | None) -> str:
    from llm_gateway.cassettes.diagnosis import summary

    return "claude" if request is None else summary(request)


def outcome_of(item: pytest.Item, calls: Sequence[CallRecord], reason: str | None) -> dict[str, Any] | None:
    """Return the limits of *item* and their outcome for the report; ``verdict`` is None where no call counted."""
    limits = limits_of(item)
    if limits is None:
        return None
    set_limits = {name: value for name, value in dataclasses.asdict(limits).items() if value not in (None, False)}
    if limits.max_cost_usd is not None:
        set_limits["max_cost_usd"] = f"{limits.max_cost_usd:f}"
    held = "held" if charges_of(calls) else None
    return {"limits": set_limits, "verdict": "broken" if reason else held, "reason": reason}


class Budget:
    """
    The fixture ``llm_budget``.

    Attributes:
        limits: Limits of the markers; all None without a marker.
    """

    def __init__(self, limits: Limits, cassette: Cassette) -> None:
        self.limits = limits
        self._cassette = cassette
        self._first_inner = len(cassette.inner_calls)

    @property
    def calls(self) -> list[CallRecord]:
        """The calls so far, those in cassettes of the test's own included; a call that is not billed has zeros."""
        self._cassette.settle(is_over=False)
        return charges_of([*self._cassette.calls, *self._cassette.inner_calls[self._first_inner :]])

    @property
    def spent(self) -> dict[str, Any]:
        """``calls``, ``tokens`` and ``cost_usd`` so far; a sum is None where a call reported nothing."""
        totals = Totals.of(self.calls)
        return {"calls": totals.model_calls, "tokens": totals.total("total_tokens"), "cost_usd": totals.cost_usd}

    @property
    @exact()
    def remaining(self) -> dict[str, Any]:
        """Remaining ``calls``, ``tokens`` and ``cost_usd``; None without a limit or a known sum."""
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
            ConfigError: *limits* cannot be read.
        """
        wanted, before = Limits.read(limits), len(self.calls)
        try:
            yield
        finally:
            charges = self.calls[before:]
            if lines := overruns(wanted, charges):
                text = ["BudgetExceededError: a block is over its budget", *lines, *table(charges).splitlines()]
                pytest.fail("\n  ".join(text), pytrace=False)
