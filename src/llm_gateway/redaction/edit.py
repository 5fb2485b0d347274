"""Replacements inside bytes that arrived in chunks, whose boundaries are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

__all__ = ["ChunkedBytes", "Edit", "Rule", "disjoint"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Replacement of the bytes from *start* up to *end* by *new*; *kind* names what was replaced."""

    start: int
    end: int
    new: bytes
    kind: str = ""


Rule = Callable[[bytes], Iterable[Edit]]
"""Function that finds what has to be replaced."""


def disjoint(edits: Iterable[Edit]) -> list[Edit]:
    """Return *edits* in order, without overlaps: the one that starts first is kept, of equal starts the longest."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


@dataclass(frozen=True, slots=True)
class ChunkedBytes:
    """Bytes with the *lengths* of the chunks that they arrived in, which add up to the total; empty for one chunk."""

    data: bytes
    lengths: tuple[int, ...] = ()

    def edited(self, rules: Iterable[Rule]) -> ChunkedBytes:
        """Apply *rules* in order. A chunk boundary inside replaced bytes stays at its offset, or moves to the end."""
        result = self
        for rule in rules:
            edits = disjoint(rule(result.data))
            if edits:
                result = ChunkedBytes(_applied(result.data, edits), _moved(result.lengths, edits))
        return result

    def split(self) -> list[bytes]:
        """Return the chunks; one that lost all its bytes is empty."""
        ends = [0, *accumulate(self.lengths)]
        return [self.data[start:end] for start, end in pairwise(ends)]


def _applied(data: bytes, edits: Sequence[Edit]) -> bytes:
    parts: list[bytes] = []
    position = 0
    for edit in edits:
        parts += [data[position : edit.start], edit.new]
        position = edit.end
    return b"".join([*parts, data[position:]])


def _moved(lengths: Sequence[int], edits: Sequence[Edit]) -> tuple[int, ...]:
    ends = [0]
    shift, waiting = 0, list(reversed(edits))
    for end in accumulate(lengths):
        while waiting and waiting[-1].end <= end:
            edit = waiting.pop()
            shift += len(edit.new) - (edit.end - edit.start)
        inside = waiting[-1] if waiting and waiting[-1].start < end else None
        ends.append(inside.start + shift + min(end - inside.start, len(inside.new)) if inside else end + shift)
    return tuple(end - start for start, end in pairwise(ends))
