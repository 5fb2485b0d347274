"""What is said of an argument that a client does not take."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypedDict

from llm_gateway.config import GatewayConfig

__all__ = ["NoMore", "check_no_more"]


class NoMore(TypedDict):
    """No argument: what is given beside the others is refused by type checkers, and here with more words."""


def check_no_more(taker: Callable[..., Any], unknown: Mapping[str, object]) -> None:
    """
    Refuse arguments that *taker* does not have, as Python does, and say where a setting of that name is made.

    Raises:
        TypeError: There is one.
    """
    if not unknown:
        return
    name, value = next(iter(unknown.items()))
    keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(taker).parameters.values()
    taken = [one.name for one in parameters if one.kind in keyword and one.name != "self"]
    setting = next(iter(_near(name, GatewayConfig.model_fields)), None)
    near = _near(name, taken)
    if near and name not in GatewayConfig.model_fields:
        cause, fix = f"did you mean {near[0]!r}?", f"arguments are {', '.join(taken)}"
    elif setting:
        shown = repr(value) if isinstance(value, int | float) else "..."
        cause = "it is a setting of the client" if setting == name else f"did you mean the setting {setting!r}?"
        fix = f"SyncLLMClient(config=GatewayConfig({setting}={shown})), or export LLM_{setting.upper()}=..."
    else:
        cause, fix = f"arguments are {', '.join(taken)}", "other settings: SyncLLMClient(config=GatewayConfig(...))"
    raise TypeError(f"there is no argument {name!r}\n  {cause}\n  {fix}")


def _near(name: str, known: Any) -> list[str]:
    return difflib.get_close_matches(name, list(known), n=1)
