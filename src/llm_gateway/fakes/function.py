"""A function of the test that a script asks: what it raises fails the test, whatever an SDK makes of it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TypeVar

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.asked import FakeCall
from llm_gateway.fakes.where import is_ours, shown
from llm_gateway.interception.refusal import STATUS

__all__ = ["ask", "failure"]

T = TypeVar("T")


def ask(function: Callable[[FakeCall], T], call: FakeCall) -> T:
    """
    What *function* says of *call*.

    Raises:
        FakeScriptError: It raised an exception, which is the cause of this one.
    """
    try:
        return function(call)
    except Exception as error:
        raise failure(error) from error


def failure(error: Exception) -> FakeScriptError:
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
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not is_ours(frame.filename)]
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"it failed at {shown(own[-1].filename)}:{own[-1].lineno}" if own else None
