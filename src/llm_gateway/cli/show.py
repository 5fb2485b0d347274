"""``llm-gateway cassettes show``: what each recorded exchange was, used and cost."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cli.grid import as_json, by_file, printable
from llm_gateway.cost.account import known_facts
from llm_gateway.exceptions import CassetteReadError
from llm_gateway.exchange import HttpExchange, ProcessExchange
from llm_gateway.record import CallRecord
from llm_gateway.usage import CACHE_READ, CACHE_WRITE
from llm_gateway.wire.framing.reply import is_stream

__all__ = ["add_to", "rows_of"]

_PARTS = ("input_tokens", "output_tokens", CACHE_READ, CACHE_WRITE, "reasoning_tokens")
_COLUMNS = ("index", "kind", "api", "model", "status", "end", "input", "output", "cached", "cost")


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser("show", help="list exchanges with provider, model, usage, cost and price row")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="cassettes, of any recorder")
    parser.add_argument("--json", action="store_true", help="print a list of objects; null where nothing was reported")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    rows = [row for file in options.files for row in rows_of(file)]
    print(as_json(rows) if options.json else _table(rows))
    return 0


def rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """
    Return one row for each exchange of *file*, plain data as ``--json`` prints it.

    Raises:
        CassetteReadError: There is no such file, or it cannot be read.
    """
    playback = Playback(file)
    if not playback.exists:
        raise CassetteReadError(f"there is no cassette {file}", fix="ls -R cassettes")
    for position, index in enumerate(playback.places):
        yield _http_row(file, index, playback.exchange(position))
    for index, run in enumerate(playback.processes):
        yield _process_row(file, index, run)


def _http_row(file: Path, index: int, exchange: HttpExchange) -> dict[str, Any]:
    reply = exchange.reply
    head = {
        "status": reply.status if reply else None,
        "streaming": is_stream(reply.headers, reply.body) if reply else False,
    }
    return _row(file, index, "http", known_facts(exchange), {**head, "end": exchange.end})


def _process_row(file: Path, index: int, run: ProcessExchange) -> dict[str, Any]:
    head = {"status": run.exit_code, "streaming": "stream-json" in run.argv, "end": run.end}
    return _row(file, index, "process", known_facts(run), head)


def _row(file: Path, index: int, kind: str, record: CallRecord, head: dict[str, Any]) -> dict[str, Any]:
    usage = record.usage
    return {
        "file": str(file),
        "index": index,
        "kind": kind,
        "provider": record.provider,
        "api": record.api,
        "model_requested": record.model_requested,
        "model_served": record.model_served,
        **head,
        "usage": {part: getattr(usage, part) if usage else None for part in _PARTS},
        "cost_usd": None if record.cost_usd is None else float(record.cost_usd),
        "price": record.price,
    }


def _table(rows: list[dict[str, Any]]) -> str:
    lines: list[tuple[str, ...]] = []
    for row in rows:
        usage = row["usage"]
        cells = (
            row["index"],
            row["kind"],
            row["api"],
            row["model_served"] or row["model_requested"],
            row["status"],
            row["end"],
            *(usage[part] for part in _PARTS[:3]),
            None if row["cost_usd"] is None else f"${row['cost_usd']:.6f}",
        )
        lines.append(tuple("-" if cell is None else printable(str(cell)) for cell in cells))
    return "\n".join(by_file(_COLUMNS, [row["file"] for row in rows], lines)) or "no exchanges"
