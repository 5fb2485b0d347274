"""Encoding of requests, with errors that name the place of a value that JSON cannot represent."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from llm_gateway.exceptions import ConfigError
from llm_gateway.types import ChatRequest

__all__ = ["encode_checked"]

T = TypeVar("T")
_MAX_DEPTH = 100
_MAX_SHOWN = 100


def encode_checked(name: str, chat: ChatRequest, encode: Callable[[], T]) -> T:
    """
    Return the result of *encode*, which encodes *chat* for the provider *name*.

    Raises:
        ConfigError: *chat* contains a value that JSON cannot represent; the error names its place.
    """
    try:
        return encode()
    except (TypeError, ValueError, RecursionError):
        found = next(_invalid_values(chat, ""), None)
        if found is None:
            raise
        place, value, why = found
        raise ConfigError(
            f"{name} cannot be sent {place}: {_shown(value)}",
            cause=why,
            fix="give texts, numbers, true, false, None, lists and dicts of only these",
        ) from None


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


def _invalid_values(value: Any, place: str, depth: int = 0) -> Iterator[tuple[str, object, str]]:
    """Yield the places in *value* that are not JSON, each with its value and the reason."""
    if depth > _MAX_DEPTH:
        yield place[:_MAX_SHOWN] + "...", type(value), "it contains itself, or is nested too deeply"
        return
    for name, one in _children(value):
        yield from _invalid_values(one, f"{place}{name}".lstrip("."), depth + 1)
    if isinstance(value, float) and not math.isfinite(value):
        yield place, value, "JSON has no such number"
    elif isinstance(value, str) and not _is_utf8(value):
        yield place, value, "it contains half of a character, which UTF-8 cannot encode"
    elif not (isinstance(value, _PLAIN) or dataclasses.is_dataclass(value)):
        yield place, value, f"a {type(value).__name__} is no JSON"


_PLAIN = (str, int, float, bool, bytes, list, tuple, dict, type(None))  # bytes are those of an image


def _children(value: Any) -> Iterator[tuple[str, Any]]:
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
