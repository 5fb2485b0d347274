"""The top of a page: what run it was, its figures, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from llm_gateway.pytest_plugin.reports.page.markup import figure, name_of, text
from llm_gateway.pytest_plugin.reports.problem import Problem, problems
from llm_gateway.pytest_plugin.reports.wording import cost, count, number, seconds, share
from llm_gateway.usage import CACHE_READ, CACHE_WRITE

__all__ = ["figures", "heading", "problem_list"]

_MOST_PROBLEMS = 100


def heading(run: dict[str, Any]) -> str:
    """Project, mode, time and outcomes."""
    started = datetime.fromisoformat(run["started_at"])
    told = "".join(
        f'<li class="outcome {name}">{quantity:,} {name}</li>'
        for name, quantity in reversed(run["outcomes"].items())
        if quantity
    )
    return (
        f'<header><p class="project">{text(run["project"])}</p><h1>LLM calls</h1>'
        f'<p class="run"><span class="mode">mode: {text(run["mode"])}</span> '
        f'<time datetime="{text(run["started_at"])}">{started:%d %B %Y, %H:%M} UTC</time> '
        f'<span>{seconds(run["duration_s"])}</span></p><ul class="outcomes">{told or "<li>no tests</li>"}</ul></header>'
    )


def figures(totals: dict[str, Any]) -> str:
    """The sums of the run, large."""
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
    yield "Input tokens", number(sums["input_tokens"]), _cached(sums)
    reasoning = sums["reasoning_tokens"]
    yield "Output tokens", number(sums["output_tokens"]), f"{reasoning:,} of it reasoning" if reasoning else ""


def _cached(sums: dict[str, Any]) -> str:
    read, write, fresh = (sums[name] for name in (CACHE_READ, CACHE_WRITE, "fresh_input_tokens"))
    told = (read or 0) + (write or 0) + (fresh or 0)
    return f"{share(read or 0, told)} of it from a cache" if told else ""


def _unknown(counts: dict[str, int]) -> Iterator[tuple[str, str, str]]:
    if counts["cost_usd"]:
        usage = counts["input_tokens"]
        more = f"{usage:,} of them without known usage" if usage else "its tokens are known"
        yield "Cost not known", count(counts["cost_usd"], "call"), more


def problem_list(document: dict[str, Any]) -> str:
    """Each problem with its whole text to unfold, or nothing."""
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
