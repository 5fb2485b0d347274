"""``llm-gateway cassettes diff``: what has changed between two recordings of the same calls."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from llm_gateway.cassettes.diagnosis import json_differences
from llm_gateway.cassettes.tools.compare import Change, Pair
from llm_gateway.cassettes.tools.summary import COUNTS, Facts
from llm_gateway.cli.compared import Compared, compared
from llm_gateway.cli.grid import aligned, as_json, by_file, code, counted, difference, markdown, number, printable
from llm_gateway.cli.side import sides
from llm_gateway.usage import LABELS

__all__ = ["add_to", "as_markdown", "as_table"]

_EPILOG = """\
A side is a file, a folder, a git revision, or REVISION:PATH. OLD is HEAD and NEW the working tree by
default; a revision compared with a folder is read at the place of that folder. `-- PATH...` is --path for each PATH.
The exit code is 0 where nothing differs, 1 where something does, 2 where they cannot be compared.
The text of answers is not compared. A number that was not reported is `-` (null in JSON), and so is its difference.
"""


def add_to(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "diff",
        help="compare recordings: tokens, cost, stop reason, tool calls, model, status",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("old", nargs="?", metavar="OLD", help="default: HEAD")
    parser.add_argument("new", nargs="?", metavar="NEW", help="default: the working tree")
    parser.add_argument("--path", action="append", default=[], metavar="PATH", help="compare only what is below it")
    parser.add_argument("--format", choices=("table", "markdown", "json"), default="table", help="default: table")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    found = compared(*sides(options.old, options.new, options.path))
    write = {"table": as_table, "markdown": as_markdown, "json": _as_json}[options.format]
    print(write(found))
    return 1 if found.differing else 0


def _as_json(found: Compared) -> str:
    value = {
        "old": found.old,
        "new": found.new,
        "totals": {
            change.name: {
                **_change(change),
                **dict(zip(("unknown_in_old", "unknown_in_new"), found.unknown.get(change.name, (0, 0)), strict=True)),
            }
            for change in found.totals
        },
        "same": found.same,
        "exchanges": list(map(_pair, *zip(*found.differing, strict=True))) if found.differing else [],
    }
    return as_json(value)


def _pair(file: str, pair: Pair) -> dict[str, Any]:
    return {
        "file": file,
        "change": pair.change,
        "old": pair.old and _side(pair.old),
        "new": pair.new and _side(pair.new),
        "request_changed": list(pair.request_changes),
        "changes": {change.name: _change(change) for change in pair.changes},
    }


def _side(one: Facts) -> dict[str, Any]:
    return {"index": one.index, "kind": one.kind, "api": one.api, "model": one.model, **one.values}


def _change(change: Change) -> dict[str, Any]:
    return {"old": change.old, "new": change.new, "difference": change.difference, "percent": change.percent}


_NAMES = {
    "status": "status",
    "model_served": "model",
    "stop_reason": "stop reason",
    "tool_calls": "tool calls",
    **LABELS,
    "cost_usd": "cost",
}
_HEAD = ("exchange", "what", "old", "new", "difference")
_TOTALS = ("all exchanges", "old", "new", "difference")
_MOST_PATHS = 5
_LONGEST_COMMENT = 60_000
"""GitHub rejects a comment of more than 65,536 characters."""
Row = tuple[str, ...]
Shown = Callable[[str], str]


def as_table(found: Compared) -> str:
    """Format for a screen: what changed, by file, then the sums."""
    if not found.differing:
        return _nothing(found)
    rows = [(file, row) for file, pair in found.differing for row in _rows(pair, printable)]
    changed = by_file(_HEAD, [file for file, _ in rows], [row for _, row in rows])
    return "\n".join([*changed, "", *aligned([_TOTALS, *_sums(found)]), *_unknown(found), _outcome(found)])


def as_markdown(found: Compared) -> str:
    """Format for a pull request's comment: the sums, then what changed, as far as a comment may be long."""
    title = f"### Recorded calls, {code(found.old)} to {code(found.new)}"
    if not found.differing:
        return f"{title}\n\n{_nothing(found)}"
    rows = [(code(file), *row) for file, pair in found.differing for row in _rows(pair, _coded)]
    top = [title, "", _outcome(found), "", *markdown(_TOTALS, list(_sums(found))), "", *_unknown(found), ""]
    lines = markdown(("file", *_HEAD), rows)
    left = _LONGEST_COMMENT - sum(len(line) + 1 for line in top)
    kept = [line for line, end in zip(lines, accumulate(len(one) + 1 for one in lines), strict=True) if end <= left]
    cut = len(lines) - len(kept)
    return "\n".join([*top, *kept, *(["", f"{cut} more rows are left out."] if cut else [])])


def _coded(text: str) -> str:
    return code(text) if text and text != "-" else text


def _rows(pair: Pair, shown: Shown) -> Iterator[Row]:
    one = pair.new or pair.old
    name = f"{'run ' if one and one.kind == 'process' else ''}#{one.index if one else ''}"
    if pair.old is None or pair.new is None:
        yield name, str(pair.change), *(shown(_summary(side)) for side in (pair.old, pair.new)), ""
        return
    if pair.request_changes:
        paths = [*pair.request_changes[:_MOST_PATHS], *(["..."] if len(pair.request_changes) > _MOST_PATHS else [])]
        yield name, "request", "", shown(", ".join(paths)), ""
    for change in pair.changes:
        yield from ((name, *row) for row in _changed(change, shown))


def _summary(one: Facts | None) -> str:
    if one is None:
        return "-"
    parts = [one.model or one.api or "no LLM call"]
    parts += [f"{one.values[name]:,} {_NAMES[name]}" for name in COUNTS[:2] if one.values[name] is not None]
    return ", ".join([*parts, *([number(one.values["cost_usd"])] if one.values["cost_usd"] is not None else [])])


def _changed(change: Change, shown: Shown) -> Iterator[Row]:
    name = _NAMES[change.name]
    if change.name in COUNTS:
        yield name, number(change.old), number(change.new), difference(change)
    elif change.name == "tool_calls" and _names(change.old) == _names(change.new):
        for one in list(json_differences("", change.new, change.old))[:_MOST_PATHS]:
            yield f"{name} {shown(one.path)}", shown(one.recorded), shown(one.actual), ""
    else:
        yield name, shown(_text(change.old)), shown(_text(change.new)), ""


def _names(calls: Any) -> list[str] | None:
    return None if calls is None else [call["name"] for call in calls]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_names(value) or ()) or "none"
    return "-" if value is None else str(value)


def _sums(found: Compared) -> Iterator[Row]:
    for change in found.totals:
        name = _NAMES.get(change.name, change.name)
        yield name, number(change.old), number(change.new), difference(change)


def _unknown(found: Compared) -> list[str]:
    """Return a line on the sums that are unknown as some exchanges do not state their part, or no line."""
    parts = [f"{_NAMES[name]} {old:,} old and {new:,} new" for name, (old, new) in found.unknown.items()]
    return [f"not known of all: {', '.join(parts)}"] if parts else []


def _outcome(found: Compared) -> str:
    kinds = [pair.change for _, pair in found.differing]
    counts = ", ".join(f"{kinds.count(kind):,} {kind}" for kind in ("changed", "added", "removed") if kind in kinds)
    return f"{len(kinds):,} of {counted(len(kinds) + found.same, 'exchange')} differ: {counts}"


def _nothing(found: Compared) -> str:
    return f"no difference in {counted(found.same, 'exchange')}"
