"""The document that every report is made from: plain data, documented in docs/report.md. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from llm_gateway.pytest_plugin.reports.fact import OUTCOMES, Fact
from llm_gateway.pytest_plugin.reports.sums import SERVED, dollars, model_rows, sums

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
            **{served: sums(call for call in calls if call["served"] == served) for served in SERVED},
            "faked": sum(call["served"] == "fake" for call in calls),
            "missed": sum(call["served"] == "miss" for call in calls),
            "refused": sum(call["served"] == "refused" for call in calls),
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


def _call(call: dict[str, Any]) -> dict[str, Any]:
    cost = None if call["cost"] is None else dollars(Decimal(call["cost"]))
    return {
        **{name: call[name] for name in ("served", "provider", "api", "model", "status", "error")},
        "input_tokens": call["input"],
        "cache_read_tokens": call["cache_read"],
        "cache_write_tokens": call["cache_write"],
        "output_tokens": call["output"],
        "reasoning_tokens": call["reasoning"],
        "cost_usd": cost,
        "duration_s": call["duration_s"],
        "recorded_at": call["recorded_at"],
    }
