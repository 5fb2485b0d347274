"""Running sums of attempts: as large after a million calls as after one."""

from __future__ import annotations

import logging
from collections import OrderedDict
from dataclasses import dataclass
from decimal import Decimal

from llm_gateway.types import Attempt, TokenUsage

__all__ = ["Sessions", "Total"]

_log = logging.getLogger("llm_gateway.cost")
_UNKNOWN = TokenUsage()


@dataclass(slots=True)
class Total:
    """What attempts that were billed used and cost together; a sum is None where one of them reported nothing."""

    attempts: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cost_usd: Decimal | None = Decimal(0)

    def add(self, one: Attempt) -> None:
        """Count *one*, if it was billed."""
        if one.is_billed:
            usage = one.usage or _UNKNOWN
            self.attempts += 1
            self.input_tokens = _sum(self.input_tokens, usage.input_tokens)
            self.output_tokens = _sum(self.output_tokens, usage.output_tokens)
            self.cost_usd = None if self.cost_usd is None or one.cost_usd is None else self.cost_usd + one.cost_usd

    @property
    def tokens(self) -> int | None:
        """Input and output."""
        return _sum(self.input_tokens, self.output_tokens)


class Sessions:
    """
    Totals by session.

    Args:
        most: How many are kept; those that were used last stay.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._totals: OrderedDict[str, Total] = OrderedDict()
        self._has_forgotten = False

    def add(self, one: Attempt) -> None:
        """Count *one* for its session, if it has one."""
        if one.session_id is not None:
            self._totals.setdefault(one.session_id, Total()).add(one)
            self._totals.move_to_end(one.session_id)
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
        """US dollars of a session: nothing where it has had no calls, None where that is not known."""
        if session_id in self._totals:
            return self._totals[session_id].cost_usd
        return None if self._has_forgotten else Decimal(0)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
