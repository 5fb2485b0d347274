"""
Files and functions that one replayed test passes through, from its setup to its report.

usage: python tests/bench/walk.py [TEST]

TEST is a test of examples/quickstart, by default the one that streams with the openai SDK. It runs in a process of its
own, with another test before it that imports what both need; functions include comprehensions and generators.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

__all__ = ["walk"]

_ROOT = Path(__file__).parents[2]
_EXAMPLE = _ROOT / "examples" / "quickstart"
_SOURCE = f"{_ROOT / 'src' / 'llm_gateway'}{os.sep}"
_TEST = "test_draft_streams_with_the_openai_sdk"
_FIRST = "test_triage_uses_the_anthropic_sdk"
_RESULT = "LLM_GATEWAY_WALK"


def walk(test: str = _TEST) -> dict[str, dict[str, int]]:
    """Run *test* in a process of its own; return, for each file it passed through, its functions and their calls."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "walk.json")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "walk",
            "-p",
            "no:cacheprovider",
            "-k",
            f"{_FIRST} or {test}",
        ]
        environ = {**os.environ, _RESULT: str(result), "PYTHONPATH": str(Path(__file__).parent)}
        subprocess.run(command, cwd=_EXAMPLE, env=environ, check=True, stdout=subprocess.PIPE)
        found: dict[str, dict[str, int]] = json.loads(result.read_text("utf-8"))
        return found


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Count the calls of every test but the first; this module is a plugin in the test's process."""
    if item.name == _FIRST:
        return (yield)
    calls: Counter[tuple[str, str]] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(_SOURCE):
            calls[code.co_filename.removeprefix(_SOURCE), f"{code.co_qualname}:{code.co_firstlineno}"] += 1

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        return (yield)
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
        files: dict[str, dict[str, int]] = {}
        for (file, function), count in calls.items():
            files.setdefault(file, {})[function] = count
        Path(os.environ[_RESULT]).write_text(json.dumps(files), "utf-8")


def main() -> None:
    """Print the walk."""
    files = walk(*sys.argv[1:2])
    for file, functions in sorted(files.items()):
        print(file)
        for function, calls in functions.items():
            print(f"    {calls:>4} {function.rpartition(':')[0]}")
    count = sum(map(len, files.values()))
    print(f"{len(files)} files, {count} functions, {sum(sum(one.values()) for one in files.values())} calls")


if __name__ == "__main__":
    main()
