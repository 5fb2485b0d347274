"""The table of all tests, which page.js sorts and filters."""

from __future__ import annotations

from typing import Any

from llm_gateway.pytest_plugin.reports.page.markup import figure, name_of, text
from llm_gateway.pytest_plugin.reports.wording import UNKNOWN, cost, number, sort_value
from llm_gateway.usage import CACHE_READ

__all__ = ["table"]

_COLUMNS = ("Test", "Outcome", "Calls", "Input", "Cached", "Output", "Cost", "Waited, s", "Took, s", "Budget")
_SORTED = "Cost"


def table(tests: list[dict[str, Any]]) -> str:
    """All *tests*, dearest first."""
    heads = "".join(map(_head, _COLUMNS))
    rows = sorted(tests, key=lambda test: (-sort_value(test["totals"]["cost_usd"]), test["id"]))
    body = "\n".join(map(_row, rows))
    return (
        '<section class="card"><div class="top"><h2 id="tests">Tests</h2>'
        '<form hidden><label>Filter <input type="search" autocomplete="off" placeholder="name or outcome"></label>'
        '<output aria-live="polite"></output></form></div>'
        '<div class="scroll" role="region" aria-labelledby="tests" tabindex="0">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
        '<button type="button" class="more" hidden></button></section>'
    )


def _head(name: str) -> str:
    order = ' aria-sort="descending"' if name == _SORTED else ""
    return f'<th scope="col"{order}><button type="button">{name}</button></th>'


def _row(test: dict[str, Any]) -> str:
    sums, outcome = test["totals"], test["outcome"]
    numbers = (
        number(sums["calls"]),
        number(sums["input_tokens"]),
        number(sums[CACHE_READ]),
        number(sums["output_tokens"]),
        cost(sums["cost_usd"]),
        _seconds(sums["waited_s"]),
        _seconds(test["duration_s"]),
    )
    cells = "".join(f"<td>{figure(shown)}" for shown in numbers)
    return (
        f'<tr><th scope="row">{name_of(test["id"])}<td class="outcome {outcome}">{outcome}'
        f"{cells}<td>{_budget(test['budget'])}"
    )


def _seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _budget(budget: dict[str, Any] | None) -> str:
    if budget is None:
        return ""
    limits = ", ".join(f"{name}={value}" for name, value in budget["limits"].items())
    verdict = {"held": "held", "broken": "over"}.get(budget["verdict"], "not judged")
    return f'<span class="{verdict.split()[0]}">{verdict}</span> <small>{text(limits)}</small>'
