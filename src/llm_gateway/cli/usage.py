"""``llm-gateway usage``: what was used and spent, from the ledger."""

from __future__ import annotations

import argparse
import csv
import itertools
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from llm_gateway.cli.grid import as_json, printable
from llm_gateway.client.usage import ledger_named
from llm_gateway.cost.ledger import Entry, Ledger, Span, open_ledger
from llm_gateway.cost.ledger.report import GROUPS, UsageRow, check_group, rows_by
from llm_gateway.exceptions import ConfigError
from llm_gateway.usage import CACHE_READ, CACHE_WRITE, LABELS, SHORT_COUNTS, TokenUsage

__all__ = ["add_to", "parse_time"]

_BATCH = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CALL_COLUMNS = (
    "timestamp",
    "provider",
    "model",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "cost",
    "session_id",
)


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("usage", help="say what was used and spent, from the ledger")
    parser.add_argument("--ledger", metavar="WHERE", help="a path or a URL; by default that of LLM_LEDGER")
    parser.add_argument("--by", default="day", help=f"{', '.join(GROUPS)}; or call, one line each, as CSV")
    parser.add_argument("--since", metavar="WHEN", help="a date, a time, or how long ago: 24h, 7d, 2w")
    parser.add_argument("--until", metavar="WHEN", help="the same; a date is included")
    parser.add_argument("--format", choices=("table", "json", "csv"), default="table", help="default: table")
    parser.add_argument("--copy-to", metavar="WHERE", help="append the entries to another ledger; each is there once")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    check_group(options.by, (*GROUPS, "call"))
    if options.by == "call" and options.format != "csv":
        raise ConfigError("single calls are written as CSV only", fix="llm-gateway usage --by call --format csv")
    span = _span(options)
    ledger = open_ledger(options.ledger or ledger_named(), must_exist=True)
    try:
        if options.copy_to:
            print(_copied(ledger, options.copy_to, span))
        elif options.by == "call":
            _write_csv(_CALL_COLUMNS, map(_call_cells, ledger.rows(span)))
        else:
            _print(rows_by(ledger, options.by, span), options)
    finally:
        ledger.close()
    return 0


def _span(options: argparse.Namespace) -> Span:
    now = datetime.now(UTC)
    since = parse_time(options.since, "--since", now=now) if options.since else None
    until = parse_time(options.until, "--until", now=now) if options.until else None
    return Span.of(since, until)


def _copied(ledger: Ledger, where: str, span: Span) -> str:
    target, count = open_ledger(where), 0
    try:
        for batch in _batches(ledger.rows(span)):
            target.append(batch)
            count += len(batch)
    finally:
        target.close()
    return f"{count} entries are in {target}"


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while batch := list(itertools.islice(rest, _BATCH)):
        yield batch


def _print(rows: list[UsageRow], options: argparse.Namespace) -> None:
    if options.format == "json":
        print(as_json([_plain(row) for row in rows]))
    elif options.format == "csv":
        parts = [*_PARTS, "cost_usd"]
        columns = [options.by, "calls", "failed", *parts, *(f"unknown_{part}" for part in parts)]
        _write_csv(columns, (_group_cells(row, parts) for row in rows))
    else:
        print(_table(rows, options.by))


def _plain(row: UsageRow) -> dict[str, Any]:
    shown = {*_PARTS, "cost_usd"}
    return {
        **asdict(row),
        "usage": {part: getattr(row.usage, part) for part in _PARTS},
        "cost_usd": None if row.cost_usd is None else float(row.cost_usd),
        "unknown": {part: count for part, count in row.unknown.items() if part in shown},
    }


def _group_cells(row: UsageRow, parts: list[str]) -> Iterator[object]:
    yield from (row.key, row.calls, row.failed)
    yield from (_dollars(row.cost_usd) if part == "cost_usd" else getattr(row.usage, part) for part in parts)
    yield from (row.unknown.get(part, 0) for part in parts)


def _call_cells(entry: Entry) -> Sequence[object]:
    usage = entry.usage or TokenUsage()
    return (
        entry.at.isoformat(timespec="microseconds"),
        entry.provider,
        entry.model_served or entry.model_requested,
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        _dollars(entry.cost_usd),
        entry.session_id,
    )


def _write_csv(columns: Sequence[str], lines: Iterable[Iterable[object]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(map(_harmless, columns))
    writer.writerows(map(_harmless, line) for line in lines)


def _harmless(cell: object) -> object:
    """Return *text* with an apostrophe where a spreadsheet would run it as a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


_PARTS = ("input_tokens", "output_tokens", CACHE_READ, CACHE_WRITE, "cache_write_1h_tokens", "reasoning_tokens")
_SHOWN = {**{name: LABELS[name] for name in SHORT_COUNTS}, "cost_usd": "cost"}
"""The parts in the table, by what they are called there."""


def _table(rows: list[UsageRow], by: str) -> str:
    if not rows:
        return "no calls"
    lines = [(printable(by), "calls", "failed", *_SHOWN.values(), "not known of"), *map(_line, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_aligned(line, widths) for line in lines)


def _line(row: UsageRow) -> tuple[str, ...]:
    usage = row.usage
    counts = (getattr(usage, name) for name in SHORT_COUNTS)
    unknown = ", ".join(f"{name} {row.unknown[part]:,}" for part, name in _SHOWN.items() if part in row.unknown)
    sums = ("?" if count is None else f"{count:,}" for count in counts)
    return (
        "-" if row.key is None else printable(row.key) or '""',
        f"{row.calls:,}",
        f"{row.failed:,}",
        *sums,
        _price_tag(row.cost_usd),
        unknown,
    )


def _price_tag(cost: Decimal | None) -> str:
    """Return all digits, and at least six after the point, so that columns can be compared."""
    if cost is None:
        return "?"
    digits = str(_dollars(cost)).partition(".")[2]
    return f"${cost:,.{max(6, len(digits))}f}"


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    first, *numbers, last = line
    cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:-1], strict=True)]
    return "  ".join([first.ljust(widths[0]), *cells, last]).rstrip()


def _dollars(cost: Decimal | None) -> str | None:
    return None if cost is None else f"{cost:f}"


_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, option: str, *, now: datetime) -> date | datetime:
    """
    Return the date or the time that *text* is; a time without a zone is in UTC.

    Raises:
        ConfigError: It is none; names *option*.
    """
    try:
        if ago := re.fullmatch(r"(\d+)([hdw])", text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        stated = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} {text!r} is no time",
            fix=f"for example: {option} 7d, {option} 24h, {option} {now:%Y-%m-%d} or {option} {now:%Y-%m-%dT%H:%M}",
        ) from None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)
