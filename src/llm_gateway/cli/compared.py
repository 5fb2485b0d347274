"""Two sides of cassettes compared, file by file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.tools.compare import Change, Pair, compare, summed, totals
from llm_gateway.cassettes.tools.summary import COUNTS, Facts, facts_of
from llm_gateway.cli.side import Side
from llm_gateway.exceptions import CassetteReadError

__all__ = ["Compared", "compared"]


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides by name, the exchanges that differ with the file they are in, and the sums of all."""

    old: str
    new: str
    differing: list[tuple[str, Pair]]
    same: int
    totals: list[Change]
    unknown: dict[str, tuple[int, int]]


def compared(old: Side, new: Side) -> Compared:
    """
    Compare all files of two sides.

    Raises:
        CassetteReadError: A file cannot be read, or there is none.
    """
    paths = sorted({*old.files, *new.files})
    if not paths:
        raise CassetteReadError(
            f"there is no cassette in {old.name!r} or {new.name!r}",
            cause="a cassette is a YAML file with a list `interactions`",
            fix="pytest --llm-record",
        )
    before = {path: _facts(old, path) for path in paths}
    after = {path: before[path] if _is_same(old, new, path) else _facts(new, path) for path in paths}
    pairs = [(path or new.name, pair) for path in paths for pair in compare(before[path], after[path])]
    every = [one for facts in before.values() for one in facts], [one for facts in after.values() for one in facts]
    differing = [row for row in pairs if row[1].change]
    return Compared(old.name, new.name, differing, len(pairs) - len(differing), totals(*every), _unknown(*every))


def _is_same(old: Side, new: Side, path: str) -> bool:
    """Return whether both sides have the same bytes, which need not be read twice."""
    return path in new.files and old.files.get(path) == new.files[path]


def _facts(side: Side, path: str) -> list[Facts]:
    if path not in side.files:
        return []
    return facts_of(Playback(Path(side.shown(path)), read=lambda _: side.files[path]))


def _unknown(old: Sequence[Facts], new: Sequence[Facts]) -> dict[str, tuple[int, int]]:
    """Return how many exchanges do not say a count that others do, on each side."""
    before, after = summed(old), summed(new)
    counts = {name: (before.unknown(name), after.unknown(name)) for name in COUNTS}
    return {name: both for name, both in counts.items() if any(both)}
