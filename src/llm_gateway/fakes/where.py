"""The line of a test that scripted an answer, so that errors can point at it."""

from __future__ import annotations

import inspect
from pathlib import Path

from llm_gateway.exceptions import FakeScriptError

__all__ = ["caller", "placed"]

_OURS = str(Path(__file__).parent)


def caller() -> str:
    """File and line of the nearest frame outside this package, as in ``tests/test_agent.py:12``."""
    frame = inspect.currentframe()
    assert frame is not None
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_OURS):
        frame = frame.f_back
    return f"{_shown(frame.f_code.co_filename)}:{frame.f_lineno}"


def placed(error: FakeScriptError, where: str) -> FakeScriptError:
    """*error* with the place that scripted what is wrong."""
    cause = f"it was scripted at {where}"
    return FakeScriptError(error.message, cause="\n".join(filter(None, [cause, error.cause])), fix=error.fix)


def _shown(name: str) -> str:
    path = Path(name)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else name
