"""Requests as text; what JSON cannot hold is named by its place, before anything is sent."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from llm_gateway.exceptions import ConfigError
from llm_gateway.types import ChatRequest

__all__ = ["written"]

T = TypeVar("T")
_DEEPEST = 100
_LONGEST = 100


def written(name: str, chat: ChatRequest, write: Callable[[], T]) -> T:
    """
    What *write* makes of *chat* for the provider *name*.

    Raises:
        ConfigError: *chat* holds something that JSON cannot; names its place.
    """
    try:
        return write()
    except (TypeError, ValueError, RecursionError):
        found = next(_unwritable(chat, ""), None)
        if found is None:
            raise
        place, value, why = found
        raise ConfigError(
            f"{name} cannot be sent {place}: {_shown(value)}",
            cause=why,
            fix="give texts, numbers, true, false, None, lists and dicts of these alone",
        ) from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _unwritable(value: Any, place: str, depth: int = 0) -> Iterator[tuple[str, object, str]]:
    """Places in *value* that are no JSON, with what stands there and why that is so."""
    if depth > _DEEPEST:
        yield place[:_LONGEST] + "...", type(value), "it holds itself, or is nested too deeply"
        return
    for name, one in _members(value):
        yield from _unwritable(one, f"{place}{name}".lstrip("."), depth + 1)
    if isinstance(value, float) and not math.isfinite(value):
        yield place, value, "JSON has no such number"
    elif isinstance(value, str) and not _is_utf8(value):
        yield place, value, "it holds half of a character, which no encoding takes"
    elif not (isinstance(value, _PLAIN) or dataclasses.is_dataclass(value)):
        yield place, value, f"a {type(value).__name__} is no JSON"


_PLAIN = (str, int, float, bool, bytes, list, tuple, dict, type(None))  # bytes are those of an image


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(value):
        yield from ((f".{one.name}", getattr(value, one.name)) for one in dataclasses.fields(value))
    elif isinstance(value, Mapping):
        yield from ((f".{key}", one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        yield from ((f"[{index}]", one) for index, one in enumerate(value))


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
