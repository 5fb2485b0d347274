"""The members of an object, whichever library made its class."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from llm_gateway.pytest_plugin.snapshots.ordinals import looks_like_id

__all__ = ["Members", "members"]

_PROVIDERS = frozenset("anthropic openai mistralai cohere groq together ollama claude_agent_sdk litellm".split())
_OURS = "llm_gateway.types"
_REPEATS = {"LLMResponse": frozenset({"reply", "attempts"})}
"""The decoded reply says again what the response says, and how often it was asked is no part of an answer."""


class Members(NamedTuple):
    """The members of one object, and whether a provider or this package made it, not the user."""

    items: list[tuple[Any, Any]]
    is_provider: bool


def members(value: Any) -> Members | None:
    """
    The members of *value*, or None where it has none that are data.

    A member that is None because nobody set it is left out: a newer SDK has more of them.
    """
    if isinstance(value, Mapping):
        return Members(list(value.items()), _is_wire(value))
    if isinstance(value, type):
        return None
    module = type(value).__module__
    is_provider = module == _OURS or module.partition(".")[0] in _PROVIDERS or module.startswith("google.genai.")
    items = _items(value)
    return None if items is None else Members(list(items), is_provider)


def _items(value: Any) -> Iterable[tuple[Any, Any]] | None:
    cls = type(value)
    if hasattr(cls, "__pydantic_fields__"):
        return _of_pydantic(value)
    if dataclasses.is_dataclass(value):
        return _of_dataclass(value)
    if hasattr(cls, "__attrs_attrs__"):
        return _told((field.name, getattr(value, field.name), field.default) for field in cls.__attrs_attrs__)
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return zip(cls._fields, value, strict=True)
    return vars(value).items() if isinstance(value, types.SimpleNamespace) else None


def _of_pydantic(value: Any) -> Iterable[tuple[Any, Any]]:
    cls = type(value)
    told = (
        (name, getattr(value, name), field.default) for name, field in cls.model_fields.items() if not field.exclude
    )
    computed = ((name, getattr(value, name)) for name in cls.model_computed_fields)
    return [*_told(told), *computed, *(value.model_extra or {}).items()]


def _of_dataclass(value: Any) -> Iterable[tuple[Any, Any]]:
    cls, fields = type(value), dataclasses.fields(value)
    told = ((field.name, getattr(value, field.name), field.default) for field in fields)
    if cls.__module__ != _OURS:
        return _told(told)
    left_out = _REPEATS.get(cls.__name__, frozenset())
    return ((name, own) for name, own, default in told if own != default and name not in left_out)


def _told(fields: Iterable[tuple[str, Any, Any]]) -> Iterable[tuple[str, Any]]:
    return ((name, own) for name, own, default in fields if own is not None or default is not None)


def _is_wire(mapping: Mapping[Any, Any]) -> bool:
    """Whether it is the body of a provider's reply: it has an id as they make them, or says what it is an object of."""
    return looks_like_id(mapping.get("id")) or ("object" in mapping and "model" in mapping)
