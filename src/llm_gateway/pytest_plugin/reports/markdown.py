"""The report in Markdown, short enough for a comment on a pull request."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from typing import Any

from llm_gateway.pytest_plugin.reports.problem import problems
from llm_gateway.pytest_plugin.reports.wording import cost, count, most, number, outcomes, printable, seconds

__all__ = ["render"]

_MOST = 10
_MOST_PROBLEMS = 15
_LONGEST = 160
_SPECIAL = re.compile(r"[|`*\[\]~$@\\]|(?<![^\W_])_|_(?![^\W_])|(?<=http)s?:(?=//)|(?<=www)\.", re.ASCII)


def render(document: dict[str, Any]) -> str:
    """Return the text of the comment, of at most some sixty lines."""
    lines = [f"### LLM calls ({document['run']['mode']})", "", *_totals(document)]
    lines += _problem_lines(document)
    lines += _most_expensive(document["tests"])
    lines += _models(document["models"])
    return "\n".join(lines) + "\n"


def _totals(document: dict[str, Any]) -> Iterator[str]:
    run, totals = document["run"], document["totals"]
    tests = f"{outcomes(run)} in {seconds(run['duration_s'])}"
    if not totals["all"]["calls"] and not totals["faked"]:
        yield f"No LLM call was made. {tests}."
        return
    parts = [part for source in ("record", "live", "replay") for part in _part(source, totals[source])]
    unknown = totals["all"]["unknown"]
    parts += [f"{count(totals['faked'], 'call')} answered by a script"] if totals["faked"] else []
    notes = [f"{count(unknown[name], 'call')} without {what}" for name, what in _UNKNOWN if unknown[name]]
    yield f"**{'; '.join([*parts, *notes])}**. {tests}."


_UNKNOWN = (("input_tokens", "known usage"), ("cost_usd", "known cost"))


def _part(source: str, sums: dict[str, Any]) -> Iterator[str]:
    if not sums["calls"]:
        return
    spent = "not spent" if source == "replay" else "spent"
    tokens = f"{number(sums['input_tokens'])} tokens in, {number(sums['output_tokens'])} out"
    yield f"{source} {count(sums['calls'], 'call')}: {tokens}, {cost(sums['cost_usd'])} {spent}"


def _problem_lines(document: dict[str, Any]) -> list[str]:
    found = list(problems(document))
    if not found:
        return []
    lines = [f"- {one.kind}: {_code(one.test or 'outside any test')} {escaped(one.line)}" for one in found]
    return ["", f"**{count(len(found), 'problem')}**", "", *lines[:_MOST_PROBLEMS], *_rest(found, _MOST_PROBLEMS, "- ")]


def _rest(rows: Sequence[object], limit: int, start: str) -> list[str]:
    return [f"{start}and {len(rows) - limit:,} more"] if len(rows) > limit else []


def _most_expensive(tests: list[dict[str, Any]]) -> list[str]:
    rows = (most(tests, "cost_usd") or most(tests, "tokens"))[:_MOST]
    if not rows:
        return []
    lines = [f"| {_code(row['id'])} | {row['outcome']} | {_numbers(row['totals'])} |" for row in rows]
    return [
        "",
        "| most expensive tests | outcome | calls | in | out | cost |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
        *lines,
    ]


def _models(models: list[dict[str, Any]]) -> list[str]:
    if not models:
        return []
    lines = [
        f"| {_code(str(row['model'] or 'unknown'))} | {escaped(str(row['provider'] or 'unknown'))} "
        f"| {_numbers(row['totals'])} |"
        for row in models[:_MOST]
    ]
    head = ["", "| model | provider | calls | in | out | cost |", "| --- | --- | ---: | ---: | ---: | ---: |"]
    return [*head, *lines, *_rest(models, _MOST, "\n")]


def _numbers(sums: dict[str, Any]) -> str:
    cells = (
        number(sums["calls"]),
        number(sums["input_tokens"]),
        number(sums["output_tokens"]),
        cost(sums["cost_usd"]),
    )
    return " | ".join(cells)


def _code(text: str) -> str:
    return f"<code>{escaped(text)}</code>"


def escaped(text: str) -> str:
    """Return *text* on one line, shortened, with the special characters of Markdown and HTML escaped."""
    line = printable(" ".join(text.split()))
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
    return _SPECIAL.sub(lambda found: "".join(f"&#{ord(sign)};" for sign in found[0]), html.escape(line, quote=False))
