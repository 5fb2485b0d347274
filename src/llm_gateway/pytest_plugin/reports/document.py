"""The document that every report is made from: plain data, documented in docs/report.md. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from llm_gateway.cost.money import exact
from llm_gateway.cost.totals import Totals
from llm_gateway.pytest_plugin.reports.fact import OUTCOMES, Fact
from llm_gateway.record import CallRecord
from llm_gateway.usage import MAIN_COUNTS

__all__ = ["ANSWERED", "SCHEMA", "build", "dollars", "model_rows", "sums"]

SCHEMA = 1


def build(
    run: dict[str, Any], facts: Sequence[Fact], refused: Iterable[tuple[str | None, str]], broken_modules: int = 0
) -> dict[str, Any]:
    """
    The document of one run.

    Args:
        run: Its mode, start, duration and exit code.

        facts: Every test, whether it used a model or not.

        refused: Test (None outside any) and call of what was refused.

        broken_modules: How many modules pytest could not collect; it counts them as errors.
    """
    counts = Counter(fact.outcome for fact in facts) + Counter(error=broken_modules)
    mine = sorted((fact for fact in facts if fact.uses_llm), key=lambda fact: fact.id)
    calls = [call for fact in mine for call in fact.calls]
    return {
        "schema": SCHEMA,
        "run": {**run, "outcomes": {name: counts[name] for name in reversed(OUTCOMES)}},
        "totals": {
            "all": sums(calls),
            "spent": sums(call for call in calls if call.source in ("record", "live")),
            **{source: sums(call for call in calls if call.source == source) for source in ANSWERED},
            "faked": sum(call.source == "fake" for call in calls),
            "missed": sum(call.source == "miss" for call in calls),
            "refused": sum(call.source == "refused" for call in calls),
        },
        "models": model_rows(calls),
        "tests": [_test(fact) for fact in mine],
        "blocked": [{"test": test, "call": what} for test, what in dict.fromkeys(refused)],
    }


def _test(fact: Fact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "outcome": fact.outcome,
        "duration_s": round(fact.duration_s, 4),
        "totals": sums(fact.calls),
        "budget": fact.budget,
        "missed": fact.missed,
        "blocked": fact.blocked,
        "cassette": fact.cassette,
        "calls": [_call(call) for call in fact.calls],
    }


def _call(call: CallRecord) -> dict[str, Any]:
    plain = call.to_dict(_OF_A_CALL)
    return {
        "served": call.source,
        "model": call.model or None,
        **plain,
        **{name: getattr(call.usage, name, None) for name in MAIN_COUNTS},
        "cost_usd": None if call.cost_usd is None else dollars(call.cost_usd),
        "recorded_at": call.started_at.isoformat() if call.started_at else None,
    }


_OF_A_CALL = ("provider", "api", "status", "error", "is_billed", "duration_s")


ANSWERED = ("replay", "record", "live")
"""The sources of calls that a report adds up; scripts, faults and calls that were not made are counted apart."""


def sums(calls: Iterable[CallRecord]) -> dict[str, Any]:
    """Return what *calls* used and cost together; those that only a script answered, or nobody, are left out."""
    return as_row(Totals.of(call for call in calls if call.source in ANSWERED))


def as_row(totals: Totals) -> dict[str, Any]:
    """
    Return *totals* as JSON can hold them.

    A sum covers the calls that told the number, and is None when there were calls and none of them did.
    """
    cost: Decimal | None = totals.partial("cost_usd")
    return {
        "calls": totals.calls,
        "model_calls": totals.model_calls,
        **{name: totals.partial(name) for name in (*MAIN_COUNTS, "fresh_input_tokens")},
        "cost_usd": None if cost is None else dollars(cost),
        "waited_s": None if totals.waited_s is None else round(totals.waited_s, 4),
        "unknown": {name: totals.unknown(name) for name in (*MAIN_COUNTS, "cost_usd")},
    }


def dollars(amount: Decimal) -> str:
    """Return an exact amount without an exponent: ``0.0000054``."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") or "0" if "." in text else text


@exact()
def model_rows(calls: Iterable[CallRecord]) -> list[dict[str, Any]]:
    """Return the sums of each model that was called, the most expensive first."""
    groups: dict[tuple[str | None, str | None], list[CallRecord]] = {}
    for call in calls:
        if call.is_model_call and call.source in ANSWERED:
            groups.setdefault((call.provider, call.model or None), []).append(call)
    rows = [(provider, model, Totals.of(group)) for (provider, model), group in groups.items()]
    rows.sort(key=lambda row: (-row[2].known_cost_usd, -row[2].sum_known("input_tokens"), str(row[1])))
    return [{"provider": provider, "model": model, "totals": as_row(totals)} for provider, model, totals in rows]
