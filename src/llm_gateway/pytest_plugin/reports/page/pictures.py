"""The charts of a page: cost and tokens by test, by model and by mode, the slowest tests, and the prompt cache."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llm_gateway.pytest_plugin.reports.page.markup import figure, name_of, text
from llm_gateway.pytest_plugin.reports.wording import cost, most, number, seconds, share, size
from llm_gateway.usage import CACHE_READ, CACHE_WRITE

__all__ = ["pictures"]

_MOST = 10
_SERIES = {"fresh": "input", "read": "input from cache", "write": "input into cache", "output": "output"}
_BOTH = [("cost", "cost"), *_SERIES.items()]
_Sums = dict[str, Any]


def pictures(document: dict[str, Any]) -> Iterator[str]:
    """Yield the charts, in two columns."""
    tests, totals = document["tests"], document["totals"]
    modes = [
        {"name": f"<b>{name}</b>", "title": name, "totals": totals[name]}
        for name in ("record", "live", "replay")
        if totals[name]["calls"]
    ]
    yield '<div class="column">'
    yield _by_test("Cost by test", "cost_usd", tests, _cost_bar)
    yield _by_test("Slowest", "waited_s", tests, _time_bar, note="Time the providers took; a replay does not wait.")
    yield _cost_and_tokens("By mode", "Record and live spend, replay does not.", modes)
    yield '</div><div class="column">'
    yield _by_test("Tokens by test", "tokens", tests, _token_bar, keys=list(_SERIES.items()))
    yield _cost_and_tokens(
        "By model", "The most expensive models.", [_named(row) for row in document["models"][:_MOST]]
    )
    yield _cache(totals["all"])
    yield "</div>"


def _by_test(
    title: str,
    name: str,
    tests: list[_Sums],
    bar: Callable[[_Sums, float], Bar],
    *,
    note: str = "",
    keys: Sequence[tuple[str, str]] = (),
) -> str:
    ranked = most(tests, name)
    rows, scale = ranked[:_MOST], size(ranked[0]["totals"], name) if ranked else 1.0
    drawings = [Row(name_of(row["id"]), row["id"], [bar(row["totals"], scale)]) for row in rows]
    which = f"Top {len(rows)} of {len(ranked):,} tests." if len(ranked) > len(rows) else ""
    return chart(title, f"{which} {note}".strip(), drawings, keys=keys)


def _cost_and_tokens(title: str, note: str, rows: list[dict[str, Any]]) -> str:
    highest_cost = max((size(row["totals"], "cost_usd") for row in rows), default=0) or 1.0
    most_tokens = max((size(row["totals"], "tokens") for row in rows), default=0) or 1.0
    drawings = [
        Row(row["name"], row["title"], [_cost_bar(row["totals"], highest_cost), _token_bar(row["totals"], most_tokens)])
        for row in rows
    ]
    return chart(title, note, drawings, keys=_BOTH)


def _named(row: dict[str, Any]) -> dict[str, Any]:
    model, provider = row["model"] or "model unknown", row["provider"] or "provider unknown"
    return {"name": f"<b>{text(model)}</b> {text(provider)}", "title": f"{provider}: {model}", "totals": row["totals"]}


def _cost_bar(sums: _Sums, scale: float) -> Bar:
    shown = cost(sums["cost_usd"])
    return Bar([("cost", size(sums, "cost_usd"))], scale, shown, f"cost {shown}")


def _time_bar(sums: _Sums, scale: float) -> Bar:
    shown = seconds(sums["waited_s"])
    return Bar([("time", size(sums, "waited_s"))], scale, shown, shown)


def _token_bar(sums: _Sums, scale: float) -> Bar:
    read, write = sums[CACHE_READ] or 0, sums[CACHE_WRITE] or 0
    sizes = {
        "fresh": (sums["input_tokens"] or 0) - read - write,
        "read": read,
        "write": write,
        "output": sums["output_tokens"] or 0,
    }
    parts = ", ".join(f"{part:,} {_SERIES[series]}" for series, part in sizes.items() if part > 0)
    is_known = sums["input_tokens"] is not None or sums["output_tokens"] is not None
    shown = number(int(size(sums, "tokens"))) if is_known else number(None)
    return Bar(list(sizes.items()), scale, shown, f"tokens: {parts or 'none reported'}")


def _cache(sums: _Sums) -> str:
    read, write = sums[CACHE_READ] or 0, sums[CACHE_WRITE] or 0
    fresh, everything = sums["fresh_input_tokens"] or 0, sums["input_tokens"] or 0
    shares = [
        ("read", "read from the cache", read),
        ("write", "written to the cache", write),
        ("fresh", "fresh", fresh),
        ("silent", "cache not reported", max(0, everything - read - write - fresh)),
    ]
    if not everything:
        return chart("Prompt cache", "", [])
    words = [(series, f"{share(part, everything)} {what} ({part:,})") for series, what, part in shares if part]
    bar = Bar([(series, part) for series, _, part in shares], everything, "", "; ".join(label for _, label in words))
    return (
        '<section class="card cache"><h2>Prompt cache</h2><p class="note">Where the input tokens came from.</p>'
        f"{draw(bar)}{legend(words)}</section>"
    )


Segments = Sequence[tuple[str, float]]
_LEAST = 0.6
_LEAST_STACKED = 6.0
"""The shortest visible bar, plain and stacked, in percent of the width."""


@dataclass(frozen=True, slots=True)
class Bar:
    """
    Stacked *segments*, each a series of the legend and its size.

    *scale* is the size that fills the width, *shown* the text next to the bar, *label* the text for screen readers.
    """

    segments: Segments
    scale: float
    shown: str
    label: str


@dataclass(frozen=True, slots=True)
class Row:
    """A name, as markup, with the bars below it."""

    name: str
    title: str
    bars: Sequence[Bar]


def chart(title: str, note: str, rows: Sequence[Row], *, keys: Iterable[tuple[str, str]] = ()) -> str:
    """Return a card of bars, or one with a note that nothing was reported."""
    body = "".join(map(_row, rows))
    drawing = f"<ol>{body}</ol>" if rows else '<p class="none">Nothing was reported.</p>'
    note_markup = f'<p class="note">{text(note)}</p>' if note else ""
    return f'<section class="card"><h2>{text(title)}</h2>{note_markup}{legend(keys) if rows else ""}{drawing}</section>'


def legend(keys: Iterable[tuple[str, str]]) -> str:
    """Return the legend of the series in *keys*."""
    items = "".join(f'<li><span class="key {series}"></span>{text(words)}</li>' for series, words in keys)
    return f'<ul class="legend">{items}</ul>' if items else ""


def _row(row: Row) -> str:
    bars = "".join(f'<div class="line">{draw(bar)}<span>{figure(bar.shown)}</span></div>' for bar in row.bars)
    return f'<li><div class="name" title="{text(row.title)}">{row.name}</div>{bars}</li>'


def draw(bar: Bar) -> str:
    """Return the drawing of *bar*."""
    at, rects = 0.0, []
    for series, percent in _visible(bar):
        rects.append(f'<rect class="{series}" x="{at:.2f}%" width="{percent:.2f}%" height="100%"/>')
        at += percent
    return f'<svg role="img" focusable="false"><title>{text(bar.label)}</title>{"".join(rects)}</svg>'


def _visible(bar: Bar) -> Segments:
    """Return the segments in percent; of a bar too short to show them, only the largest, at the length of the whole."""
    sizes = [(series, 100 * size / bar.scale) for series, size in bar.segments if size > 0]
    whole = sum(size for _, size in sizes)
    if whole >= _LEAST_STACKED or not sizes:
        return sizes
    return [(max(sizes, key=lambda segment: segment[1])[0], max(whole, _LEAST))]
