"""The suite's own summary: here, because the controller of pytest-xdist reads no conftest further down."""

import contextlib
import sys

import capability_table

with contextlib.suppress(ImportError):  # not every environment has it
    from hypothesis import settings

    # How long an example takes says nothing on a busy machine.
    settings.register_profile("suite", deadline=None)
    settings.load_profile("suite")


def pytest_sessionfinish(session):
    """Write what a worker measured at once: on a busy machine it is killed before it has ended by itself."""
    if "coverage" in sys.modules and hasattr(session.config, "workerinput"):
        measured = sys.modules["coverage"].Coverage.current()
        if measured is not None:
            measured.save()


def table_of(cells):
    """Text in columns, of *cells* by row and column."""
    rows, columns = dict.fromkeys(row for row, _ in cells), dict.fromkeys(column for _, column in cells)
    lines = [["", *columns], *([row, *(cells.get((row, column), "-") for column in columns)] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def told_by(terminalreporter):
    """What each test noted, from whichever process noted it."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    return [pair for report in reports for pair in getattr(report, "user_properties", ())]


def pytest_terminal_summary(terminalreporter):
    """Print what the suite counted."""
    told = told_by(terminalreporter)
    lines = {name.removeprefix("counted "): value for name, value in told if name.startswith("counted ")}
    tables = {name.removeprefix("table "): value for name, value in told if name.startswith("table ")}
    cells: dict[str, dict[tuple[str, str], str]] = {}
    for name, value in told:
        if name.startswith("cell "):
            row, column, words = value
            cells.setdefault(name.removeprefix("cell "), {})[row, column] = words
    tables |= {name: table_of(found) for name, found in cells.items()}
    if rows := [value for name, value in told if name == "row providers"]:
        tables["providers"] = capability_table.written(rows)
    for name, table in sorted(tables.items()):
        terminalreporter.section(name)
        terminalreporter.write_line(table)
    if lines:
        terminalreporter.section("recorded traffic")
        terminalreporter.write_line("; ".join(f"{name}: {value}" for name, value in sorted(lines.items())))
