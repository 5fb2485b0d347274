"""Arguments for the ``complete`` method of a custom provider, chosen by its signature."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from llm_gateway.providers.base import CustomProvider
from llm_gateway.types import ChatRequest

__all__ = ["arguments"]

_NAMES = (
    *("model", "max_tokens", "temperature", "top_p", "seed", "reasoning_effort"),
    *("stop", "tools", "tool_choice", "json_mode", "extra"),
)


def arguments(provider: CustomProvider, request: ChatRequest) -> tuple[dict[str, Any], tuple[str, ...]]:
    """
    Return the options of *request* that the provider's ``complete`` takes, and the names of set options that it lacks.

    A method with ``**kwargs`` gets the options that are set; named parameters always get their value.
    """
    named, takes_all = _parameters(getattr(provider.complete, "__func__", provider.complete))
    options = {name: getattr(request, name) for name in _NAMES}
    is_set = {
        name for name, value in options.items() if value is not None and value is not False and value not in _EMPTY
    }
    given = {name: value for name, value in options.items() if name in named or (takes_all and name in is_set)}
    return given, tuple(name for name in _NAMES if name in is_set and name not in given and name != "model")


_EMPTY: tuple[Any, ...] = ((), {}, "")


@lru_cache(maxsize=64)
def _parameters(function: Callable[..., Any]) -> tuple[frozenset[str], bool]:
    parameters = inspect.signature(function).parameters.values()
    by_name = (one.name for one in parameters if one.kind in (one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD))
    return frozenset(by_name) & frozenset(_NAMES), any(one.kind is one.VAR_KEYWORD for one in parameters)
