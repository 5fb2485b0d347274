"""What a client's calls used and cost together, and the limit that they may not pass."""

from __future__ import annotations

import logging
import threading
from decimal import Decimal
from typing import Any, NoReturn

from llm_gateway.cost.money import exact
from llm_gateway.cost.purse import Held, MemoryPurse, Purse, Short
from llm_gateway.exceptions import CostLimitExceededError
from llm_gateway.types import Attempt, TokenUsage

__all__ = ["CostTracker", "billed_cost"]

_log = logging.getLogger("llm_gateway.cost")
_NOTHING = {"attempts": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": Decimal(0)}
_FIX = "raise the limit (cost_limit_usd, LLM_COST_LIMIT_USD), or call reset() of the client's cost_tracker"


@exact()
def billed_cost(attempts: list[Attempt]) -> Decimal | None:
    """US dollars of the attempts that were billed, or None when the price of one is not known."""
    costs = [one.cost_usd for one in attempts if one.is_billed]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


class CostTracker:
    """
    Totals of attempts, safe to share between clients, threads and tasks.

    Args:
        limit_usd: US dollars that are never passed: a call that could is refused before it is sent.

        warn_usd: US dollars at which one warning is logged, to ``llm_gateway.cost``.
    """

    def __init__(self, *, limit_usd: Decimal | None = None, warn_usd: Decimal | None = None) -> None:
        self.limit_usd = limit_usd
        self.warn_usd = warn_usd
        self._lock = threading.Lock()
        self._attempts: list[Attempt] = []
        self._purse: Purse = MemoryPurse()
        self._has_warned = False

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts so far, in the order in which they ended."""
        return list(self._attempts)

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all attempts that were billed, or None when one of them reported none."""
        totals = [one.usage.total_tokens if one.usage else None for one in self._attempts if one.is_billed]
        known = [total for total in totals if total is not None]
        return sum(known) if len(known) == len(totals) else None

    @property
    def total_cost_usd(self) -> Decimal | None:
        """US dollars of all attempts that were billed, or None when the price of one is not known."""
        return billed_cost(self._attempts)

    def session_cost_usd(self, session_id: str) -> Decimal | None:
        """US dollars of the attempts of a session that were billed, or None when the price of one is not known."""
        return billed_cost([one for one in self.attempts if one.session_id == session_id])

    @exact()
    def summary(self) -> dict[str, dict[str, Any]]:
        """
        By model: ``attempts``, ``input_tokens``, ``output_tokens`` and ``cost_usd`` of what was billed.

        A sum is None where one of its attempts reported nothing.
        """
        summary: dict[str, dict[str, Any]] = {}
        for one in self.attempts:
            if one.is_billed:
                _add(summary.setdefault(one.model, dict(_NOTHING)), one)
        return summary

    def reset(self) -> None:
        """Forget what was spent; the limit counts from zero again, calls under way included."""
        with self._lock:
            self._attempts.clear()
            self._purse = MemoryPurse()
            self._has_warned = False

    @exact()
    def hold(self, model: str, most_usd: Decimal | None, *, is_bound: bool) -> Held | None:
        """
        Hold what an attempt costs at most.

        Args:
            model: As it is asked for, for messages.

            most_usd: US dollars, or None where nobody can tell.

            is_bound: Whether there is a most to know; a command or a class of someone else's has none.

        Returns:
            What `note` takes back; None where no limit is set.

        Raises:
            CostLimitExceededError: It could pass the limit, or that cannot be told.
        """
        if self.limit_usd is None:
            return None
        unknown = next((one.model for one in self._attempts if _is_unknown(one)), None)
        if unknown is not None:
            self._refuse(f"the cost limit of ${self.limit_usd} cannot be held: what {unknown!r} cost is not known")
        if is_bound and most_usd is None:
            self._refuse(f"the cost limit of ${self.limit_usd} cannot be held: the price of {model!r} is not known")
        if most_usd is None:  # nobody can tell; it is begun while anything is left
            spent = sum(self._purse.spent(), Decimal(0))
            if spent >= self.limit_usd:
                self._refuse(self._short(Decimal(0), spent))
        held = self._purse.hold(most_usd or Decimal(0), self.limit_usd)
        if isinstance(held, Short):
            self._refuse(self._short(most_usd or Decimal(0), held.spent_usd + held.held_usd))
        return held

    def _short(self, most_usd: Decimal, spent: Decimal) -> str:
        limit = self.limit_usd or Decimal(0)
        if spent >= limit:
            return f"the cost limit of ${limit} is reached: ${spent} spent in {len(self._attempts)} attempts"
        return f"the call may cost ${most_usd:f}, and ${limit - spent:f} of the cost limit of ${limit} is left"

    def _refuse(self, what: str) -> NoReturn:
        raise CostLimitExceededError(what, cause="the call was not sent", fix=_FIX)

    def note(self, attempt: Attempt, held: Held | None = None) -> None:
        """Add *attempt*, which is over, and give back what was held for it."""
        with self._lock:
            self._attempts.append(attempt)
        if held is not None:
            self._purse.settle(held, attempt.cost_usd if attempt.is_billed else Decimal(0))
        self._warn()

    def abandon(self, held: Held | None) -> None:
        """An attempt was cancelled; it counts as all that was held for it."""
        if held is not None:
            self._purse.settle(held, None)

    @exact()
    def _warn(self) -> None:
        if self.warn_usd is None or self._has_warned:
            return
        spent = sum((one.cost_usd for one in self._attempts if one.cost_usd is not None), Decimal(0))
        if spent >= self.warn_usd:
            self._has_warned = True
            _log.warning("$%s spent, the warning is set at $%s", spent, self.warn_usd)


def _is_unknown(one: Attempt) -> bool:
    """Whether nobody knows what *one* cost; what was cancelled counts as all that was held for it."""
    return one.is_billed and one.cost_usd is None and one.error != "cancelled"


def _add(row: dict[str, Any], one: Attempt) -> None:
    usage = one.usage or TokenUsage()
    more = {
        "attempts": 1,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cost_usd": one.cost_usd,
    }
    for name, value in more.items():
        row[name] = None if value is None or row[name] is None else row[name] + value
