"""Price recorded calls by the current price list, and rewrite their costs alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import yaml

from llm_gateway.cassettes import document
from llm_gateway.cassettes.format import accounted
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cost.account import priced, time_of
from llm_gateway.exceptions import CassetteReadError, CassetteSaveError
from llm_gateway.exchange import Exchange
from llm_gateway.record import CallRecord

__all__ = ["Outcome", "Repriced", "reprice", "rewritten"]

Outcome = Literal["repriced", "same", "stated", "unpriced", "foreign"]
"""
``stated``: the provider stated the cost; ``unpriced``: no usage, or no current price is known; ``foreign``: recorded by
another tool, so that there is no price to change. All but ``repriced`` stay as they are.
"""
_FIELDS = ("cost_usd", "price")
_OF_OTHERS = CallRecord()


@dataclass(frozen=True, slots=True)
class Repriced:
    """Entry *index* of the list *section*, as it was priced and as it is now."""

    section: Literal["interactions", "processes"]
    index: int
    outcome: Outcome
    old: CallRecord
    new: CallRecord


def reprice(playback: Playback, at: datetime | None) -> list[Repriced]:
    """Price each exchange of *playback* as of *at*, or as of its recording where that is None."""
    return [
        _repriced(section, index, exchange, at)
        for section, index, exchange in (
            *_http(playback),
            *(("processes", *row) for row in enumerate(playback.processes)),
        )
    ]


def _http(playback: Playback) -> Iterator[tuple[Literal["interactions"], int, Exchange]]:
    for position, index in enumerate(playback.places):
        yield "interactions", index, playback.exchange(position)


def _repriced(section: Any, index: int, exchange: Exchange, at: datetime | None) -> Repriced:
    old = exchange.record
    if old is None:
        return Repriced(section, index, "foreign", _OF_OTHERS, _OF_OTHERS)
    if old.cost_usd is not None and "model" not in (old.price or {}):
        return Repriced(section, index, "stated", old, old)
    bare = dataclasses.replace(old, cost_usd=None, price=None)
    new = priced(bare, at=at or time_of(exchange))
    outcome: Outcome = "unpriced" if new.cost_usd is None else "same" if _is_same(old, new) else "repriced"
    return Repriced(section, index, outcome, old, new if outcome == "repriced" else old)


def _is_same(old: CallRecord, new: CallRecord) -> bool:
    """Return whether cost and rates are equal; a new release of the price list alone changes no file."""
    return old.cost_usd == new.cost_usd and _rates(old) == _rates(new)


def _rates(record: CallRecord) -> dict[str, object]:
    return {name: rate for name, rate in (record.price or {}).items() if name != "source"}


def rewritten(playback: Playback, raw: bytes, changes: Sequence[Repriced]) -> str:
    """
    Return the text of *playback*, *raw*, with the new costs and price rows; every other byte is as it was.

    Raises:
        CassetteSaveError: The text is laid out in a way in which these fields cannot be replaced alone.
    """
    lines, nodes = raw.decode("utf-8").split("\n"), document.nodes(raw)
    expected = document.parse(raw, playback.path)
    for change in sorted(changes, key=lambda one: _line(nodes, one), reverse=True):
        fields = {name: value for name, value in accounted(change.new).items() if name in _FIELDS}
        _replace(lines, _llm(nodes, change), fields)
        expected[change.section][change.index]["llm"].update(fields)
    text = "\n".join(lines)
    if _parsed(text, playback.path) != expected:
        raise CassetteSaveError(
            f"cannot reprice {document.shown(playback.path)}; it is as it was",
            cause="its `llm` fields are not one on a line, as a recording writes them",
            fix="record it again: pytest --llm-record",
        )
    return text


def _line(nodes: dict[str, list[Any]], change: Repriced) -> int:
    return int(nodes[change.section][change.index].start_mark.line)


def _llm(nodes: dict[str, list[Any]], change: Repriced) -> Any:
    return next(value for key, value in nodes[change.section][change.index].value if key.value == "llm")


def _replace(lines: list[str], mapping: Any, fields: dict[str, Any]) -> None:
    """Replace the fields of a block mapping by *fields* of the same names, or after its ``usage``."""
    starts = [key.start_mark.line for key, _ in mapping.value]
    ends = [*starts[1:], mapping.end_mark.line]
    names = [key.value for key, _ in mapping.value]
    spans = dict(zip(names, zip(starts, ends, strict=True), strict=True))
    old = [_without_comments(lines, *spans[name]) for name in _FIELDS if name in spans]
    place = min((start for start, _ in old), default=spans["usage"][1])
    for start, end in sorted(old, reverse=True):
        del lines[start:end]
    ending = "\r" if lines[place - 1].endswith("\r") else ""
    lines[place:place] = [f"{line}{ending}" for line in _written(fields, mapping.value[0][0].start_mark.column)]


def _without_comments(lines: list[str], start: int, end: int) -> tuple[int, int]:
    while end > start + 1 and lines[end - 1].lstrip()[:1] in ("", "#"):
        end -= 1
    return start, end


def _written(fields: dict[str, Any], column: int) -> list[str]:
    text = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=10_000_000)
    return [" " * column + line for line in text.splitlines()]


def _parsed(text: str, path: Path) -> object:
    try:
        return document.parse(text.encode(), path)
    except CassetteReadError:
        return None
