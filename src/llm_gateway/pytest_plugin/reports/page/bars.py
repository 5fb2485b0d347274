"""Bars drawn in SVG, each with the words for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from llm_gateway.pytest_plugin.reports.page.markup import figure, text

__all__ = ["Bar", "Row", "chart", "drawn", "legend"]

Segments = Sequence[tuple[str, float]]
_LEAST = 0.6
_LEAST_STACKED = 6.0
"""In percent of the width: shorter ones could not be seen, or their parts not be told apart."""


@dataclass(frozen=True, slots=True)
class Bar:
    """Stacked *segments*, each a series of the legend and its size; *scale* is the size that fills the width."""

    segments: Segments
    scale: float
    shown: str
    said: str


@dataclass(frozen=True, slots=True)
class Row:
    """What the bars below it are about; *name* is markup."""

    name: str
    title: str
    bars: Sequence[Bar]


def chart(title: str, note: str, rows: Sequence[Row], *, keys: Iterable[tuple[str, str]] = ()) -> str:
    """A card of bars, or one that says that there is nothing to draw."""
    body = "".join(map(_row, rows))
    drawing = f"<ol>{body}</ol>" if rows else '<p class="none">Nothing was reported.</p>'
    said = f'<p class="note">{text(note)}</p>' if note else ""
    return f'<section class="card"><h2>{text(title)}</h2>{said}{legend(keys) if rows else ""}{drawing}</section>'


def legend(keys: Iterable[tuple[str, str]]) -> str:
    """Which colour is what."""
    items = "".join(f'<li><span class="key {series}"></span>{text(words)}</li>' for series, words in keys)
    return f'<ul class="legend">{items}</ul>' if items else ""


def _row(row: Row) -> str:
    bars = "".join(f'<div class="line">{drawn(bar)}<span>{figure(bar.shown)}</span></div>' for bar in row.bars)
    return f'<li><div class="name" title="{text(row.title)}">{row.name}</div>{bars}</li>'


def drawn(bar: Bar) -> str:
    """The bar itself."""
    at, rects = 0.0, []
    for series, size in _visible(bar):
        rects.append(f'<rect class="{series}" x="{at:.2f}%" width="{size:.2f}%" height="100%"/>')
        at += size
    return f'<svg role="img" focusable="false"><title>{text(bar.said)}</title>{"".join(rects)}</svg>'


def _visible(bar: Bar) -> Segments:
    """The segments in percent; of a bar too short to show them, only the largest, as long as the whole."""
    sizes = [(series, 100 * size / bar.scale) for series, size in bar.segments if size > 0]
    whole = sum(size for _, size in sizes)
    if whole >= _LEAST_STACKED or not sizes:
        return sizes
    return [(max(sizes, key=lambda segment: segment[1])[0], max(whole, _LEAST))]
