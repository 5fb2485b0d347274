"""What a client's calls used and cost together, and the limit that they may not pass."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from llm_gateway.cost.money import exact
from llm_gateway.cost.reservation import InsufficientBudget, MemoryReservations, Reservation, Reservations
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import CostLimitExceededError
from llm_gateway.record import CallRecord

__all__ = ["CostTracker", "Sessions"]

K = TypeVar("K")
_log = logging.getLogger("llm_gateway.cost")
_RECENT = 100
_AT_ONCE = 500
_FIX = "raise the limit (cost_limit_usd, LLM_COST_LIMIT_USD), or call reset() of the client's cost_tracker"


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
        self._clear()

    def _clear(self) -> None:
        self._count = 0
        self._recent: deque[CallRecord] = deque(maxlen=_RECENT)
        self._waiting: list[CallRecord] = []
        """What is in no sum yet."""
        self._models, self._sessions = dict[str, Totals](), Sessions()
        self._unknown: str | None = None
        """The first model whose cost is unknown."""
        self._reservations: Reservations = MemoryReservations()
        self._has_warned = False

    @property
    def attempts(self) -> list[CallRecord]:
        """The last hundred attempts, in the order in which they ended."""
        with self._lock:
            return list(self._recent)

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all attempts that were billed, or None when one of them reported none."""
        tokens: int | None = self._total().total("total_tokens")
        return tokens

    @property
    def total_cost_usd(self) -> Decimal | None:
        """US dollars of all attempts that were billed, or None when the price of one is not known."""
        return self._total().cost_usd

    def _total(self) -> Totals:
        with self._lock:
            self._sum_up()
            return sum(self._models.values(), Totals())

    def _sum_up(self) -> None:
        """Add what has ended since to the sums: many attempts at once cost less time than each by itself."""
        for name, attempts in _grouped(self._waiting, lambda one: f"{one.provider}:{one.model}").items():
            self._models[name] = self._models.get(name, Totals()) + Totals.of(attempts)
        self._sessions.add(self._waiting)
        self._waiting.clear()

    def session_cost_usd(self, session_id: str) -> Decimal | None:
        """
        Return US dollars of the billed attempts of a session, or None when the price of one is not known.

        The 100,000 sessions that were used last are known; beyond them a session that is not is None too.
        """
        with self._lock:
            self._sum_up()
            return self._sessions.cost_usd(session_id)

    def summary(self) -> dict[str, dict[str, Any]]:
        """
        Sum ``attempts``, ``input_tokens``, ``output_tokens`` and ``cost_usd`` as billed, by ``provider:model``.

        A sum is None where one of its attempts reported nothing.
        """
        with self._lock:
            self._sum_up()
            return {name: _row(totals) for name, totals in self._models.items() if totals.billed_calls}

    def reset(self) -> None:
        """Forget what was spent; the limit counts from zero again, calls under way included."""
        with self._lock:
            self._clear()

    @exact()
    def reserve(self, model: str, most_usd: Decimal | None, *, is_bound: bool) -> Reservation | None:
        """
        Reserve what an attempt costs at most.

        Args:
            model: As it is requested, for messages.

            most_usd: US dollars, or None where that is unknown.

            is_bound: Whether there is a most to know; a command or a custom class has none.

        Returns:
            What `note` takes back; None where no limit is set.

        Raises:
            CostLimitExceededError: It could pass the limit, or that is unknown.
        """
        if self.limit_usd is None:
            return None
        if self._unknown is not None:
            what = f"what {self._unknown!r} cost is not known"
            self._raise_exceeded(f"the cost limit of ${self.limit_usd} cannot be held: {what}")
        if is_bound and most_usd is None:
            self._raise_exceeded(
                f"the cost limit of ${self.limit_usd} cannot be held: the price of {model!r} is not known"
            )
        if most_usd is None:  # unknown: it is begun while anything is left
            spent = sum(self._reservations.spent(), Decimal(0))
            if spent >= self.limit_usd:
                self._raise_exceeded(self._why(Decimal(0), spent))
        made = self._reservations.reserve(most_usd or Decimal(0), self.limit_usd)
        if isinstance(made, InsufficientBudget):
            self._raise_exceeded(self._why(most_usd or Decimal(0), made.spent_usd + made.reserved_usd))
        return made

    def _why(self, most_usd: Decimal, spent: Decimal) -> str:
        limit = self.limit_usd or Decimal(0)
        if spent >= limit:
            return f"the cost limit of ${limit} is reached: ${spent} spent in {self._count} attempts"
        return f"the call may cost ${most_usd:f}, and ${limit - spent:f} of the cost limit of ${limit} is left"

    def _raise_exceeded(self, what: str) -> NoReturn:
        raise CostLimitExceededError(what, cause="the call was not sent", fix=_FIX)

    def note(self, attempt: CallRecord, reservation: Reservation | None = None) -> None:
        """Add *attempt*, which is over, and end its *reservation*."""
        with self._lock:
            self._add(attempt)
        if reservation is not None:
            self._reservations.settle(reservation, attempt.charged().cost_usd)
        self._warn()

    def abandon(self, reservation: Reservation | None) -> None:
        """Count a cancelled attempt as all that was reserved for it."""
        if reservation is not None:
            self._reservations.settle(reservation, None)

    def _add(self, attempt: CallRecord) -> None:
        self._count += 1
        self._recent.append(attempt)
        self._waiting.append(attempt)
        if len(self._waiting) >= _AT_ONCE:
            self._sum_up()
        if self._unknown is None and _is_unknown(attempt):
            self._unknown = attempt.model

    def _warn(self) -> None:
        if self.warn_usd is None or self._has_warned:
            return
        spent = self._total().known_cost_usd
        if spent >= self.warn_usd:
            self._has_warned = True
            _log.warning("$%s spent, the warning is set at $%s", spent, self.warn_usd)


def _is_unknown(one: CallRecord) -> bool:
    """Return whether the cost of *one* is unknown; a failed attempt counts as all that was reserved for it."""
    return one.is_billed and one.cost_usd is None and one.error is None


def _grouped(records: Iterable[CallRecord], key: Callable[[CallRecord], K]) -> dict[K, list[CallRecord]]:
    """Return *records* by *key*."""
    groups: dict[K, list[CallRecord]] = {}
    for record in records:
        groups.setdefault(key(record), []).append(record)
    return groups


def _row(totals: Totals) -> dict[str, Any]:
    counts = {name: totals.total(name) for name in ("input_tokens", "output_tokens", "cost_usd")}
    return {"attempts": totals.billed_calls, **counts}


class Sessions:
    """
    Totals by session.

    Args:
        most: How many are kept; those that were used last stay.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._totals: OrderedDict[str, Totals] = OrderedDict()
        self._has_forgotten = False

    def add(self, attempts: Sequence[CallRecord]) -> None:
        """Count *attempts*, in the order in which they ended, each for its session if it has one."""
        groups = _grouped(attempts, lambda one: one.session_id)
        for session_id in reversed(dict.fromkeys(one.session_id for one in reversed(attempts))):  # by their last use
            if session_id is not None:
                before = self._totals.get(session_id, Totals())
                self._totals[session_id] = before + Totals.of(groups[session_id])
                self._totals.move_to_end(session_id)
                if len(self._totals) > self._most:
                    self._forget()

    def _forget(self) -> None:
        self._totals.popitem(last=False)
        if not self._has_forgotten:
            self._has_forgotten = True
            _log.warning(
                "the costs of the oldest sessions are forgotten: there are more than %s\n"
                "  one that is taken up again counts from zero; export LLM_LEDGER=ledger.db to keep all",
                f"{self._most:,}",
            )

    def cost_usd(self, session_id: str) -> Decimal | None:
        """Return US dollars of a session: nothing where it has had no calls, None where that is not known."""
        if session_id in self._totals:
            return self._totals[session_id].cost_usd
        return None if self._has_forgotten else Decimal(0)
