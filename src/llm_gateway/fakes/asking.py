"""Ask a function of the test, and tell the test of what it raises: beneath an SDK, whose retries would swallow it."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from llm_gateway.exceptions import FakeScriptError, GatewayError
from llm_gateway.fakes.asked import FakeCall

__all__ = ["told_by"]


def told_by(function: Callable[[FakeCall], Any], call: FakeCall) -> Any:
    """
    What *function* returns for *call*.

    Raises:
        FakeScriptError: It raised; the text says what, and where.
    """
    try:
        return function(call)
    except GatewayError:
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        said = f": {error}" if str(error) else ""
        raise FakeScriptError(
            f"{getattr(function, '__name__', 'a function')}() raised {type(error).__name__}{said}",
            cause=f"it was asked about call {call}\nand raised at {frame.filename}:{frame.lineno}",
            fix="mend the function, or check what was asked after the call: fake_llm.last",
        ) from error
