"""Usage and costs from the ledger that the settings name."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

from llm_gateway.cost.ledger import Ledger
from llm_gateway.cost.ledger import report as reports
from llm_gateway.cost.ledger.report import UsageRow
from llm_gateway.exceptions import ConfigError

__all__ = ["ledger_named", "usage_report"]


def usage_report(
    start: date | datetime | None = None,
    end: date | datetime | None = None,
    *,
    ledger: Ledger | str | Path | None = None,
    by: str = "day",
) -> list[UsageRow]:
    """
    Sum usage and costs; see `llm_gateway.cost.ledger.report.usage_report`.

    Args:
        start: A time, or a date in UTC; None leaves it open.

        end: A time, or a date, that day included; None leaves it open.

        ledger: An open ledger, or where it is; None takes ``LLM_LEDGER``.

        by: What to group by.

    Raises:
        ConfigError: No ledger is named.
        LedgerError: The ledger cannot be read, or there is no such *by*.
    """
    return reports.usage_report(start, end, ledger=ledger or ledger_named(), by=by)


def ledger_named() -> str:
    """
    Return where the ledger of the settings is.

    Raises:
        ConfigError: The settings name none.
    """
    from llm_gateway.config import load

    named = load().ledger
    if named is None or not named.get_secret_value():
        raise ConfigError(
            "no ledger is named",
            cause="LLM_LEDGER is not set, in the environment or in .env",
            fix="export LLM_LEDGER=ledger.db, or: llm-gateway usage --ledger ledger.db",
        )
    return named.get_secret_value()
