"""``llm-gateway cassettes reprice``: move recorded costs to the price table of today, on purpose."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from llm_gateway import config
from llm_gateway.cassettes import document
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.tools.compare import Change
from llm_gateway.cassettes.tools.reprice import Outcome, Repriced, reprice, rewritten
from llm_gateway.cli.files import bytes_of, for_each_cassette
from llm_gateway.cli.grid import by_file, counted, difference, number, printable
from llm_gateway.config.file import read_document
from llm_gateway.cost import overrides
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import CassetteSaveError, ConfigError

__all__ = ["add_to"]

_EPILOG = """\
A price is that of a day. Each call is priced by the day on which it was recorded, as the table knows that day now;
with --at as if it had been made then. Only cost and price row are written, in cassettes of this package.
Costs that a provider stated itself, as the claude CLI does, are kept; so is a cost where no price is known now.
"""
_HEAD = ("exchange", "model", "old", "new", "difference")
_WORDS: dict[Outcome, str] = {
    "same": "unchanged",
    "stated": "kept as stated by the provider",
    "unpriced": "without usage or a price, left alone",
    "foreign": "recorded without usage and price, left alone",
}


def add_to(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "reprice",
        help="write cost and price row anew, by the prices known today",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER", help="cassettes, or folders of them")
    parser.add_argument("--at", metavar="DATE", help="price as of this date or time (UTC), or `now`")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, only say what would change")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    at = _time(options.at)
    _read_own_prices()
    done, failures = for_each_cassette(options.paths, partial(_one, at=at, writes=not options.dry_run))
    print(_table(done, is_dry=options.dry_run))
    return 2 if failures else 0


def _read_own_prices() -> None:
    """Read the file that ``LLM_PRICES`` names: its prices win here too."""
    path = config.load().prices
    if path is not None:
        overrides.read(read_document(path), str(path))


def _time(text: str | None) -> datetime | None:
    if text is None or text == "now":
        return None if text is None else datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--at {text!r} is no date",
            cause="a date as in 2026-11-21, a time as in 2026-11-21T12:00, or `now` was expected",
            fix=f"llm-gateway cassettes reprice --dry-run --at {datetime.now(UTC):%Y-%m-%d} cassettes",
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _one(file: Path, *, at: datetime | None, writes: bool) -> list[Repriced]:
    raw = bytes_of(file)
    playback = Playback(file, read=lambda _: raw)
    exchanges = reprice(playback, at)
    changes = [one for one in exchanges if one.outcome == "repriced"]
    if changes and writes:
        _save(file, rewritten(playback, raw, changes))
    return exchanges


def _save(file: Path, text: str) -> None:
    try:
        document.write(file, text)
    except CassetteSaveError as error:
        raise CassetteSaveError(
            error.message, cause="it is as it was", fix=f"make {file.parent} writable, then reprice again"
        ) from error


def _table(done: dict[Path, list[Repriced]], *, is_dry: bool) -> str:
    rows = [(str(file), one) for file, exchanges in done.items() for one in exchanges if one.outcome == "repriced"]
    lines = by_file(_HEAD, [file for file, _ in rows], [_row(exchange) for _, exchange in rows])
    return "\n".join([*lines, *([""] if lines else []), *_conclusion([row for _, row in rows], done, is_dry=is_dry)])


def _row(one: Repriced) -> tuple[str, ...]:
    model = one.new.model or "-"
    name = f"{'run ' if one.section == 'processes' else ''}#{one.index}"
    return (name, printable(model), *_costs(Change("cost_usd", one.old.cost_usd, one.new.cost_usd)))


def _costs(change: Change) -> tuple[str, str, str]:
    return number(change.old), number(change.new), difference(change)


def _conclusion(repriced: list[Repriced], done: dict[Path, list[Repriced]], *, is_dry: bool) -> Iterator[str]:
    yield f"{counted(len(repriced), 'exchange')} {'would be repriced, nothing was written' if is_dry else 'repriced'}"
    if repriced:
        old, new = (Totals.of(side).cost_usd for side in zip(*((one.old, one.new) for one in repriced), strict=True))
        yield "sum: {} -> {}, {}".format(*_costs(Change("cost_usd", old, new)))
    counts = Counter(one.outcome for exchanges in done.values() for one in exchanges)
    yield from (f"{counts[outcome]:,} {words}" for outcome, words in _WORDS.items() if counts[outcome])
