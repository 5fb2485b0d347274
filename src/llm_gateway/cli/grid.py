"""What commands print: rows of text as a table, for a screen or as Markdown, and plain data as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal

from llm_gateway.cassettes.tools.compare import Change

__all__ = [
    "aligned",
    "as_json",
    "by_file",
    "code",
    "counted",
    "difference",
    "dollars",
    "markdown",
    "number",
    "printable",
]

Row = Sequence[str]
_PLAIN = re.compile(r"[^`\\|]+")
# JSON itself escapes only what is below the space; these control terminals too, or have no UTF-8
_RAW = re.compile("[\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def aligned(rows: Sequence[Row]) -> list[str]:
    """Return lines with columns of the same width."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def by_file(head: Row, files: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """Return lines as `aligned` does, with the file and *head* above the rows of each file; *files* has one a row."""
    above, *lines = aligned([head, *rows])
    printed: list[str] = []
    last: str | None = None
    for file, line in zip(files, lines, strict=True):
        printed += [line] if file == last else [printable(file), above, line]
        last = file
    return printed


def markdown(head: Row, rows: Sequence[Row]) -> list[str]:
    """Return lines of a Markdown table; cells with content of a recording go through `code` first."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def code(text: str) -> str:
    """Return *text* as Markdown code, so that it makes no link, no mention and no end of a cell."""
    text = printable(text)
    if _PLAIN.fullmatch(text):
        return f"`{text}`"
    return f"<code>{''.join(one if one.isalnum() else f'&#{ord(one)};' for one in text)}</code>"


def printable(text: str) -> str:
    """Return *text* on one line, without characters that control a terminal."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def as_json(value: object) -> str:
    """Return *value* as JSON that is safe to print and to save; sums of money are numbers."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=float)
    return _RAW.sub(lambda one: f"\\u{ord(one[0]):04x}", text)


def dollars(cost: Decimal) -> str:
    """Format a sum of money to 12 decimals: the claude CLI states sums with the rounding errors of binary fractions."""
    return f"{'-' if cost < 0 else ''}${round(abs(cost), 12).normalize():f}"


def number(value: float | Decimal | None) -> str:
    """Format a count or a sum of money; ``-`` where it is unknown."""
    if value is None:
        return "-"
    return dollars(value) if isinstance(value, Decimal) else f"{value:,}"


def counted(count: int, noun: str) -> str:
    """Format a count with its noun: ``1 exchange``, ``2 exchanges``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def difference(change: Change) -> str:
    """Format how much a count has grown, with the percentage; ``-`` where one side is unknown."""
    if not change.difference:
        return number(change.difference)
    share = "" if change.percent is None else f" ({change.percent:+.1f} %)"
    return f"{'+' if change.difference > 0 else ''}{number(change.difference)}{share}"
