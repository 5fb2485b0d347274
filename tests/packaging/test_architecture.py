"""What import-linter does not see: circles, imports for types included, and context variables."""

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[2] / "src"
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}


def imported(path):
    """The modules of the package that *path* imports anywhere: at its top, in functions, and for types."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in FILES)
        elif isinstance(node, ast.ImportFrom) and node.module in FILES:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in FILES else node.module for name in names)


def test_no_modules_import_each_other_in_a_circle():
    """Not even through a third one, or for types alone."""
    try:
        TopologicalSorter({name: set(imported(path)) - {name} for name, path in FILES.items()}).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_context_variables_are_for_interception_alone():
    """They say which cassette is open and which test runs; numbers and providers travel with the data."""
    holders = {name for name, path in FILES.items() if "ContextVar" in path.read_text("utf-8")}

    assert set() == {name for name in holders if not name.startswith("llm_gateway.interception.")}


def test_modules_say_in_one_line_what_they_hold():
    """The first line of a docstring is what a reader sees of a module in a list."""
    undescribed = [name for name, path in FILES.items() if not ast.get_docstring(ast.parse(path.read_text("utf-8")))]

    assert [] == undescribed


def test_a_replayed_call_passes_through_few_files():
    """The page for contributors lists them; comprehensions count as functions on Python 3.11."""
    script = ROOT.parent / "tests" / "bench" / "walk.py"
    printed = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True).stdout
    files, functions, _ = (int(part.split()[0]) for part in printed.splitlines()[-1].split(", "))

    assert files <= 25
    assert functions <= 120
