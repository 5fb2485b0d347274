"""The suite's own summary: here, because the controller of pytest-xdist reads no conftest further down."""


def pytest_terminal_summary(terminalreporter):
    """Print what the suite counted, from whichever process counted it."""
    lines = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name.startswith("counted "):
                    lines[name.removeprefix("counted ")] = value
    if lines:
        terminalreporter.section("recorded traffic")
        terminalreporter.write_line("; ".join(f"{name}: {value}" for name, value in sorted(lines.items())))
