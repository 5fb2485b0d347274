"""The document that every report is made from: plain data, documented in docs/report.md. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from llm_gateway.pytest_plugin.reports.fact import OUTCOMES, Fact
from llm_gateway.pytest_plugin.reports.sums import ANSWERED, dollars, model_rows, sums
from llm_gateway.record import CallRecord
from llm_gateway.usage import MAIN_COUNTS

__all__ = ["SCHEMA", "build"]

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
