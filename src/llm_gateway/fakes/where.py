"""The line of a test that scripted an answer, so that errors can point at it."""

from __future__ import annotations

import inspect
from pathlib import Path

from llm_gateway.exceptions import FakeScriptError

__all__ = ["caller", "is_ours", "placed", "shown"]

_OURS = str(Path(__file__).parent)
_PLACED = "it was scripted at"


def caller() -> str:
    """File and line of the nearest frame outside this package, as in ``tests/test_agent.py:12``."""
    frame = inspect.currentframe()
    assert frame is not None
    while frame.f_back is not None and is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{shown(frame.f_code.co_filename)}:{frame.f_lineno}"


def placed(error: FakeScriptError, where: str) -> FakeScriptError:
    """*error* with the place that scripted what is wrong, unless it names one."""
    if _PLACED in (error.cause or ""):
        return error
    placed = FakeScriptError(
        error.message, cause="\n".join(filter(None, [f"{_PLACED} {where}", error.cause])), fix=error.fix
    )
    placed.__cause__ = error.__cause__
    return placed


def is_ours(name: str) -> bool:
    """Whether the file *name* is part of this package."""
    return name.startswith(_OURS)


def shown(name: str) -> str:
    """The file *name* as errors show it: from the folder in which pytest was started, if it is in there."""
    path = Path(name)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else name
