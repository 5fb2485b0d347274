"""The code of the test: the line that scripted an answer, and functions that a script calls."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.request import FakeCall
from llm_gateway.interception.refusal import STATUS

__all__ = ["call_user_function", "caller", "display_path", "is_internal", "user_function_error", "with_callsite"]

_OURS = str(Path(__file__).parent)
_PLACED = "it was scripted at"


def caller() -> str:
    """File and line of the nearest frame outside this package, as in ``tests/test_agent.py:12``."""
    frame = inspect.currentframe()
    assert frame is not None
    while frame.f_back is not None and is_internal(frame.f_code.co_filename):
        frame = frame.f_back
    return f"{display_path(frame.f_code.co_filename)}:{frame.f_lineno}"


def with_callsite(error: FakeScriptError, where: str) -> FakeScriptError:
    """*error* with the place that scripted what is wrong, unless it names one."""
    if _PLACED in (error.cause or ""):
        return error
    located = FakeScriptError(
        error.message, cause="\n".join(filter(None, [f"{_PLACED} {where}", error.cause])), fix=error.fix
    )
    located.__cause__ = error.__cause__
    return located


def is_internal(name: str) -> bool:
    """Whether the file *name* is part of this package."""
    return name.startswith(_OURS)


def display_path(name: str) -> str:
    """The file *name* as errors show it: from the folder in which pytest was started, if it is in there."""
    path = Path(name)
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else name


T = TypeVar("T")


def call_user_function(function: Callable[[FakeCall], T], call: FakeCall) -> T:
    """
    What *function* says of *call*.

    Raises:
        FakeScriptError: It raised an exception, which is the cause of this one.
    """
    try:
        return function(call)
    except Exception as error:
        raise user_function_error(error) from error


def user_function_error(error: Exception) -> FakeScriptError:
    """What to tell of *error*, which a function of the test raised."""
    is_told = getattr(error, "status_code", None) == STATUS  # what it asked itself was refused, and that is noted
    text = f"{type(error).__name__}: {'its own call was refused' if is_told else error}".removesuffix(": ")
    return FakeScriptError(
        f"a function of the script failed: {text}",
        cause=_place(error),
        fix="let it return an answer for every call that it is asked for, or True or False where it is a condition",
    )


def _place(error: Exception) -> str | None:
    """The line of the function's own file that failed; None where the function could not even be entered."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_internal(frame.filename)]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"it failed at {display_path(own[-1].filename)}:{own[-1].lineno}" if own else None
