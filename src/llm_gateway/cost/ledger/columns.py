"""The columns that every ledger has, and how an entry becomes a row of them and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.cost.money import exact
from llm_gateway.cost.totals import Totals
from llm_gateway.usage import COUNTS, TokenUsage

__all__ = ["COLUMNS", "NUMBERS", "decode", "encode", "totals"]

COLUMNS = (
    "id",
    "at",
    "provider",
    "api",
    "model_requested",
    "model_served",
    "status",
    "price",
    "session_id",
    "test_id",
    "latency_s",
    "tags",
    "cost_pico",
    *COUNTS,
    "service_tier",
)
_PICO = Decimal(10**12)  # of an int: arithmetic at import would follow the decimal context of the importer
_TEXTS = COLUMNS[2:10]


def _is_known(column: str) -> str:
    return f"CASE WHEN {column} IS NULL THEN 0 ELSE 1 END"


# Dollars are picodollars, whole numbers, so that sums are exact. They are summed in two halves: 64 bits hold only
# nine million dollars in picodollars.
NUMBERS = {
    "calls": "1",
    "failed": "CASE WHEN status = 'ok' THEN 0 ELSE 1 END",
    "cost_micro": "coalesce(cost_pico / 1000000, 0)",
    "cost_rest": "coalesce(cost_pico - cost_pico / 1000000 * 1000000, 0)",
    "cost_known": _is_known("cost_pico"),
    **{part: f"coalesce({part}, 0)" for part in COUNTS},
    **{f"{part}_known": _is_known(part) for part in COUNTS},
}
"""What is added up over entries, as SQL that gives one entry's number."""


@exact()
def encode(entry: Entry, *, at: object) -> tuple[object, ...]:
    """Return the values of *entry* in the order of COLUMNS, with *at* as the store writes times."""
    return (
        _held(entry.id),
        at,
        *(_held(value) if (value := getattr(entry, name)) else None for name in _TEXTS),
        entry.latency_s,
        json.dumps({_held(name): _held(value) for name, value in entry.tags.items()}, sort_keys=True),
        None if entry.cost_usd is None else int((entry.cost_usd * _PICO).to_integral_value()),
        *(getattr(entry.usage, part, None) for part in COUNTS),
        _held(tier) if (tier := getattr(entry.usage, "service_tier", None)) else None,
    )


@exact()
def decode(row: Sequence[Any], *, at: datetime) -> Entry:
    """Return the entry of a row whose tags are text."""
    cost, usage = row[12], row[13:]
    return Entry(
        id=row[0],
        at=at,
        latency_s=row[10],
        tags=json.loads(row[11]),
        cost_usd=None if cost is None else Decimal(cost) / _PICO,
        usage=None if all(part is None for part in usage) else _usage(usage),
        **dict(zip(_TEXTS, row[2:10], strict=True)),
    )


def _usage(parts: Sequence[Any]) -> TokenUsage:
    return TokenUsage(**dict(zip((*COUNTS, "service_tier"), parts, strict=True)))


@exact()
def totals(numbers: Sequence[int]) -> Totals:
    """Return the sums of a group from a row of the sums of NUMBERS, in their order."""
    row = dict(zip(NUMBERS, numbers, strict=True))
    return Totals.of_groups(
        calls=row["calls"],
        failed_calls=row["failed"],
        sums={
            **{name: row[name] for name in COUNTS},
            "cost_usd": Decimal(row["cost_micro"] * 10**6 + row["cost_rest"]) / _PICO,
        },
        known={**{name: row[f"{name}_known"] for name in COUNTS}, "cost_usd": row["cost_known"]},
    )


def _held(text: str) -> str:
    """Return *text* as any database can keep it: what UTF-8 or PostgreSQL cannot is escaped, so that no row is lost."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
