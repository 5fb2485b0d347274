"""Provider by capability by colour, as the summary shows it; cells come from whichever process filled them."""

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


def merged(parts):
    """Cells by row and column, of parts that each hold some marks for one row."""
    cells = {}
    for row, marks in parts:
        for column, mark in marks.items():
            cells.setdefault(row, {}).setdefault(column, set()).add(mark)
    return cells


def cell(marks):
    return "".join(sorted(marks, key=lambda mark: (_ORDER.find(mark), mark))) if marks else "?"


def written(parts):
    """The table as text, and how much of it is filled."""
    cells = merged(parts)
    columns = [one for one in (*CAPABILITIES, RECORDED) if any(one in row for row in cells.values())]
    width = max(map(len, cells))
    lines = [" " * width + "  " + " ".join(columns)]
    for row in sorted(cells):
        found = [cell(cells[row].get(column)).ljust(len(column)) for column in columns]
        lines.append(f"{row.ljust(width)}  {' '.join(found)}".rstrip())
    return "\n".join([*lines, LEGEND])
