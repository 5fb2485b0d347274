"""Replacements inside bytes that arrived in pieces: what is replaced, and where the cuts are afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

__all__ = ["Edit", "Pieces", "Rule", "disjoint"]


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Put *new* in the place of the bytes from *start* up to *end*. *kind* says why."""

    start: int
    end: int
    new: bytes
    kind: str = ""


Rule = Callable[[bytes], Iterable[Edit]]
"""Finds what has to be replaced."""


def disjoint(edits: Iterable[Edit]) -> list[Edit]:
    """*edits* in order, without those that overlap one that starts earlier, or that starts with it and is longer."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if not kept or edit.start >= kept[-1].end:
            kept.append(edit)
    return kept


@dataclass(frozen=True, slots=True)
class Pieces:
    """*data* and the *lengths* of the pieces that it came in, whose sum is its length; no lengths: one piece."""

    data: bytes
    lengths: tuple[int, ...] = ()

    def edited(self, rules: Iterable[Rule]) -> Pieces:
        """Apply *rules* one after the other. A replacement across a cut is cut where it is as long, or at its end."""
        pieces = self
        for rule in rules:
            edits = disjoint(rule(pieces.data))
            if edits:
                pieces = Pieces(_applied(pieces.data, edits), _moved(pieces.lengths, edits))
        return pieces

    def split(self) -> list[bytes]:
        """The pieces themselves; one that lost all its bytes is empty."""
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
