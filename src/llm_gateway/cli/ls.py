"""``llm-gateway cassettes ls``: which cassettes there are, and what each holds."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.tools.compare import summed
from llm_gateway.cassettes.tools.summary import Facts, facts_of
from llm_gateway.cli.files import bytes_of, for_each_cassette
from llm_gateway.cli.grid import aligned, as_json, counted, number, printable

__all__ = ["add_to"]

_COUNTS = ("input_tokens", "output_tokens", "cost_usd")
_HEAD = ("file", "exchanges", "input", "output", "cost", "recorded", "models")


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("ls", help="list cassettes with their exchanges, models, tokens and cost")
    parser.add_argument("paths", nargs="*", type=Path, metavar="FILE_OR_FOLDER", help="default: cassettes")
    parser.add_argument("--json", action="store_true", help="print a list of objects; null where nothing was reported")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    read, failures = for_each_cassette(options.paths or [Path("cassettes")], _facts)
    rows = [_row(str(file), facts) for file, facts in read.items()]
    if options.json:
        print(as_json(rows))
    elif rows:
        every = _row(counted(len(rows), "file"), [one for facts in read.values() for one in facts])
        print("\n".join(aligned([_HEAD, *map(_line, [*rows, every])])))
    return 2 if failures else 0


def _facts(file: Path) -> list[Facts]:
    raw = bytes_of(file)
    return facts_of(Playback(file, read=lambda _: raw))


def _row(file: str, facts: Sequence[Facts]) -> dict[str, Any]:
    totals = summed(facts)
    times = [one.exchange.recorded_at for one in facts if one.exchange.recorded_at is not None]
    return {
        "file": file,
        "exchanges": len(facts),
        **{name: totals.total(name) for name in _COUNTS},
        "recorded_at": max(times).isoformat() if times else None,
        "models": sorted({one.model for one in facts if one.model is not None}),
    }


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    counts = (number(row[name]) for name in ("exchanges", *_COUNTS))
    return (printable(row["file"]), *counts, (row["recorded_at"] or "-")[:10], printable(", ".join(row["models"])))
