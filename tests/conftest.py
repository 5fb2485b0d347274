"""The suite's own summary: here, because the controller of pytest-xdist reads no conftest further down."""


def pytest_terminal_summary(terminalreporter):
    """Print what the suite counted, from whichever process counted it."""
    lines: dict[str, str] = {}
    tables: dict[str, str] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("counted "):
                    lines[name.removeprefix("counted ")] = value
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("table "):
                    tables[name.removeprefix("table ")] = value
    for name, table in sorted(tables.items()):
        terminalreporter.section(name)
        terminalreporter.write_line(table)
    if lines:
        terminalreporter.section("recorded traffic")
        terminalreporter.write_line("; ".join(f"{name}: {value}" for name, value in sorted(lines.items())))
