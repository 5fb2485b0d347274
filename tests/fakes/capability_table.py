"""The table of providers and capabilities in the summary; its cells come from every worker process."""

from collections import Counter

CAPABILITIES = (
    *("chat", "object", "stream", "tools", "parallel", "images", "json", "seed", "stop", "temp", "effort", "system"),
    *("list", "count", "close", "errors", "broken"),
)
RECORDED = "recorded"
LEGEND = (
    "s, a: sync and async passed   -: not offered, and refused as it should be (count: estimated)   !: failed   ?: not run\n"
    "recorded: exchanges of real traffic that were read"
)
_ORDER = "sa-!"
_KINDS = {"sa": "passed", "-": "not offered"}


def merged(parts):
    """Return the marks by row and column, collected from parts that each have some marks of one row."""
    cells = {}
    for row, marks in parts:
        for column, mark in marks.items():
            cells.setdefault(row, {}).setdefault(column, set()).add(mark)
    return cells


def cell(marks):
    return "".join(sorted(marks, key=_ORDER.find)) if marks else "?"


def written(parts):
    """Return the table as text, with the number of passed cells."""
    cells = merged(parts)
    columns = [one for one in CAPABILITIES if any(one in row for row in cells.values())]
    grid = {row: [cell(found.get(one)) for one in columns] for row, found in sorted(cells.items())}
    kinds = Counter(_KINDS.get(one, "open") for found in grid.values() for one in found)
    width = max(map(len, cells))
    last = [RECORDED] if any(RECORDED in row for row in cells.values()) else []
    lines = [" ".join([" " * width, *columns, *last])]
    for row, found in grid.items():
        shown = [one.ljust(len(column)) for one, column in zip(found, columns, strict=True)]
        lines.append(" ".join([row.ljust(width), *shown, *cells[row].get(RECORDED, ())]).rstrip())
    counts = f"{kinds['passed']} cells passed sync and async, {kinds['not offered']} not offered, {kinds['open']} open"
    return "\n".join([*lines, LEGEND, counts])
