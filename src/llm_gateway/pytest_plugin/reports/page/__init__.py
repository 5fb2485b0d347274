"""The report as one HTML page without other files; a policy in the page forbids every request. Internal."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

from llm_gateway.pytest_plugin.reports.page.markup import figure, name_of, text
from llm_gateway.pytest_plugin.reports.page.pictures import pictures
from llm_gateway.pytest_plugin.reports.problem import Problem, problems
from llm_gateway.pytest_plugin.reports.wording import UNKNOWN, cost, count, number, seconds, share, sort_value
from llm_gateway.usage import CACHE_READ, CACHE_WRITE

__all__ = ["render"]

_MOST_PROBLEMS = 100
_COLUMNS = ("Test", "Outcome", "Calls", "Input", "Cached", "Output", "Cost", "Waited, s", "Took, s", "Budget")
_SORTED = "Cost"


def render(document: dict[str, Any]) -> str:
    """Return the page of *document*."""
    style, script = _part("page.css"), _part("page.js")
    policy = f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    run = document["run"]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>LLM calls ({text(run['mode'])}) of {text(run['project'])}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>\n<main>\n{_body(document)}\n'
        f"</main>\n<footer>Written by pytest-llm-gateway. A dash is a number that was not reported.</footer>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _body(document: dict[str, Any]) -> str:
    parts = [_heading(document["run"])]
    if document["totals"]["all"]["calls"]:
        parts += [_figures(document["totals"]), _problem_list(document)]
        parts += ['<div class="pictures">', *pictures(document), "</div>"]
    else:
        parts += ['<p class="card empty">No LLM call was made in this run.</p>', _problem_list(document)]
    if document["tests"]:
        parts.append(_table(document["tests"]))
    return "\n".join(parts)


def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(part: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"


def _heading(run: dict[str, Any]) -> str:
    """Return the heading: project, mode, time and outcomes."""
    started = datetime.fromisoformat(run["started_at"])
    outcomes = "".join(
        f'<li class="outcome {name}">{quantity:,} {name}</li>'
        for name, quantity in reversed(run["outcomes"].items())
        if quantity
    )
    return (
        f'<header><p class="project">{text(run["project"])}</p><h1>LLM calls</h1>'
        f'<p class="run"><span class="mode">mode: {text(run["mode"])}</span> '
        f'<time datetime="{text(run["started_at"])}">{started:%d %B %Y, %H:%M} UTC</time> '
        f"<span>{seconds(run['duration_s'])}</span></p>"
        f'<ul class="outcomes">{outcomes or "<li>no tests</li>"}</ul></header>'
    )


def _figures(totals: dict[str, Any]) -> str:
    """Return the sums of the run as large figures."""
    items = [*_costs(totals), *_counts(totals), *_unknown(totals["all"]["unknown"])]
    cells = "".join(
        f"<div><dt>{text(name)}</dt><dd>{figure(value)}</dd><dd>{text(more)}</dd></div>" for name, value, more in items
    )
    return f'<dl class="figures">{cells}</dl>'


def _costs(totals: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    spent, replay = totals["spent"], totals["replay"]
    not_spent = cost(replay["cost_usd"])
    if not spent["calls"]:
        yield "Not spent", not_spent, "what these calls cost when recorded"
        yield "Waiting saved", seconds(replay["waited_s"]), "a replay does not wait"
        return
    also = replay["calls"]
    more = f"and {not_spent} not spent, by replay" if also else "by calls to providers"
    yield "Spent", cost(spent["cost_usd"]), more
    more = f"and {seconds(replay['waited_s'])} saved, by replay" if also else "for providers"
    yield "Waited", seconds(spent["waited_s"]), more


def _counts(totals: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    sums = totals["all"]
    kinds = [f"{totals[name]['calls']:,} {name}" for name in ("record", "live", "replay") if totals[name]["calls"]]
    not_made = (("faked", "answered by a script"), ("missed", "without a recording"), ("refused", "refused by a limit"))
    kinds += [f"{totals[name]:,} {what}" for name, what in not_made if totals[name]]
    yield "Calls", number(sums["calls"]), ", ".join(kinds)
    yield "Input tokens", number(sums["input_tokens"]), _cached_share(sums)
    reasoning = sums["reasoning_tokens"]
    yield "Output tokens", number(sums["output_tokens"]), f"{reasoning:,} of it reasoning" if reasoning else ""


def _cached_share(sums: dict[str, Any]) -> str:
    read, write, fresh = (sums[name] for name in (CACHE_READ, CACHE_WRITE, "fresh_input_tokens"))
    reported = (read or 0) + (write or 0) + (fresh or 0)
    return f"{share(read or 0, reported)} of it from a cache" if reported else ""


def _unknown(counts: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    if counts["cost_usd"]:
        usage = counts["input_tokens"]
        more = f"{usage:,} of them without known usage" if usage else "its tokens are known"
        yield "Cost not known", count(counts["cost_usd"], "call"), more


def _problem_list(document: dict[str, Any]) -> str:
    """Return the problems, each with its whole text to unfold; empty without problems."""
    found = list(problems(document))
    if not found:
        return ""
    left = len(found) - _MOST_PROBLEMS
    rest = f'<p class="note">and {left:,} more: they are in the JSON report</p>' if left > 0 else ""
    items = "".join(map(_problem, found[:_MOST_PROBLEMS]))
    return f'<section class="card problems"><h2>{count(len(found), "problem")}</h2>{items}{rest}</section>'


def _problem(one: Problem) -> str:
    where = name_of(one.test) if one.test else "<b>outside any test</b>"
    return (
        f'<details><summary><span class="kind">{one.kind}</span> <span class="where">{where}</span> '
        f"<span>{text(one.line)}</span></summary><pre>{text(one.text)}</pre></details>"
    )


def _table(tests: list[dict[str, Any]]) -> str:
    """Return the table of all *tests*, the most expensive first; page.js sorts and filters it."""
    heads = "".join(map(_column_head, _COLUMNS))
    rows = sorted(tests, key=lambda test: (-sort_value(test["totals"]["cost_usd"]), test["id"]))
    body = "\n".join(map(_table_row, rows))
    return (
        '<section class="card"><div class="top"><h2 id="tests">Tests</h2>'
        '<form hidden><label>Filter <input type="search" autocomplete="off" placeholder="name or outcome"></label>'
        '<output aria-live="polite"></output></form></div>'
        '<div class="scroll" role="region" aria-labelledby="tests" tabindex="0">'
        f"<table><thead><tr>{heads}</tr></thead><tbody>\n{body}\n</tbody></table></div>"
        '<button type="button" class="more" hidden></button></section>'
    )


def _column_head(name: str) -> str:
    order = ' aria-sort="descending"' if name == _SORTED else ""
    return f'<th scope="col"{order}><button type="button">{name}</button></th>'


def _table_row(test: dict[str, Any]) -> str:
    sums, outcome = test["totals"], test["outcome"]
    numbers = (
        number(sums["calls"]),
        number(sums["input_tokens"]),
        number(sums[CACHE_READ]),
        number(sums["output_tokens"]),
        cost(sums["cost_usd"]),
        _exact_seconds(sums["waited_s"]),
        _exact_seconds(test["duration_s"]),
    )
    cells = "".join(f"<td>{figure(shown)}" for shown in numbers)
    return (
        f'<tr><th scope="row">{name_of(test["id"])}<td class="outcome {outcome}">{outcome}'
        f"{cells}<td>{_budget(test['budget'])}"
    )


def _exact_seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _budget(budget: dict[str, Any] | None) -> str:
    if budget is None:
        return ""
    limits = ", ".join(f"{name}={value}" for name, value in budget["limits"].items())
    outcome = {"held": "held", "broken": "over"}.get(budget["verdict"], "not checked")
    return f'<span class="{outcome.split()[0]}">{outcome}</span> <small>{text(limits)}</small>'
