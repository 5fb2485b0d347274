"""The line of a test that scripted an answer, so that errors can point at it."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["caller"]

_OURS = str(Path(__file__).parent)


def caller() -> str:
    """File and line of the nearest frame outside this package, as in ``tests/test_agent.py:12``."""
    frame = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  inspect.stack reads every file
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return f"{_shown(frame.f_code.co_filename)}:{frame.f_lineno}"


def _shown(name: str) -> str:
    path = Path(name)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else name
