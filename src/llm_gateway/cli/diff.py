"""``llm-gateway cassettes diff``: what has changed between two recordings of the same calls."""

from __future__ import annotations

import argparse
from typing import Any

from llm_gateway.cassettes.tools.compare import Change, Pair
from llm_gateway.cassettes.tools.summary import Facts
from llm_gateway.cli.compared import Compared, compared
from llm_gateway.cli.diff_text import as_markdown, as_table
from llm_gateway.cli.grid import as_json
from llm_gateway.cli.side import sides

__all__ = ["add_to"]

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
