"""The code of the test: the line that scripted an answer, and the functions that a script calls."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.request import FakeCall
from llm_gateway.interception.refusal import STATUS

__all__ = ["call_user_function", "caller", "user_function_error", "with_callsite"]

_PACKAGE = str(Path(__file__).parent)
_SCRIPTED_AT = "it was scripted at"

T = TypeVar("T")


def caller() -> str:
    """Return file and line of the nearest frame outside this package, as in ``tests/test_agent.py:12``."""
    frame = inspect.currentframe()
    assert frame is not None
    while frame.f_back is not None and _is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{_display_path(frame.f_code.co_filename)}:{frame.f_lineno}"


def with_callsite(error: FakeScriptError, where: str) -> FakeScriptError:
    """Return *error* with the line *where* that scripted the answer; *error* itself where it names a line already."""
    if _SCRIPTED_AT in (error.cause or ""):
        return error
    located = FakeScriptError(
        error.message, cause="\n".join(filter(None, [f"{_SCRIPTED_AT} {where}", error.cause])), fix=error.fix
    )
    located.__cause__ = error.__cause__
    return located


def call_user_function(function: Callable[[FakeCall], T], call: FakeCall) -> T:
    """
    Call *function*, which the test has written, with *call*.

    Raises:
        FakeScriptError: *function* raised an exception, which is the cause of this error. It fails the test even where
            an SDK would catch the original.
    """
    try:
        return function(call)
    except Exception as error:
        raise user_function_error(error) from error


def user_function_error(error: Exception) -> FakeScriptError:
    """Return the error that fails the test where its own function raised *error*."""
    # A call that the function made itself may have failed; the test reports that failure on its own.
    is_reported = getattr(error, "status_code", None) == STATUS
    text = f"{type(error).__name__}: {'its own call was refused' if is_reported else error}".removesuffix(": ")
    return FakeScriptError(
        f"a function of the script failed: {text}",
        cause=_failing_line(error),
        fix="let it return an answer for every call that it gets, or True or False where it is a condition",
    )


def _failing_line(error: Exception) -> str | None:
    """Return the line of the function's own file that failed; None where the function could not be entered."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_internal(frame.filename)]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"it failed at {_display_path(own[-1].filename)}:{own[-1].lineno}" if own else None


def _is_internal(filename: str) -> bool:
    return filename.startswith(_PACKAGE)


def _display_path(filename: str) -> str:
    """Return *filename* relative to the working directory where it lies inside it."""
    path = Path(filename)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else filename
