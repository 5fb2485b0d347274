"""Facts about models that the user states; they win over provider lists and published limits."""

from __future__ import annotations

import dataclasses
import difflib
import functools
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from fnmatch import fnmatchcase
from typing import Any, TypeAlias, cast

from llm_gateway.exceptions import ConfigError
from llm_gateway.wire.models import CAPABILITIES, ModelInfo
from llm_gateway.wire.params import NAMES

__all__ = ["ModelFacts", "clear", "facts_of", "read", "register_model", "registered"]

ModelFacts: TypeAlias = Mapping[str, Any]
"""Fields of `ModelInfo` by name."""
_registered: dict[str, ModelFacts] = {}


def register_model(
    target: str,
    *,
    context_tokens: int | None = None,
    max_output_tokens: int | None = None,
    capabilities: Iterable[str] | None = None,
    deprecated_at: date | str | None = None,
    retires_at: date | str | None = None,
    replaced_by: str | None = None,
    refuses: Iterable[str] | None = None,
) -> None:
    """
    Register facts about a model; they win over the provider's list, and over what was registered before.

    Args:
        target: ``provider:model``; the model may hold ``*``, as in ``openai:ft:gpt-5-mini:acme:*``.

        capabilities: Words of `llm_gateway.wire.models.CAPABILITIES`.

        deprecated_at: A date, or its text as in ``2027-01-31``; so for *retires_at*.

        refuses: Options that the model does not take, in words of `llm_gateway.wire.params.NAMES`; an empty list means
            that it takes all of them.

    Raises:
        ConfigError: The target names no model, or a value cannot be one of a model.
    """
    given = {
        "context_tokens": context_tokens,
        "max_output_tokens": max_output_tokens,
        "capabilities": None if capabilities is None else list(capabilities),
        "deprecated_at": deprecated_at,
        "retires_at": retires_at,
        "replaced_by": replaced_by,
        "refuses": None if refuses is None else list(refuses),
    }
    stated = {name: value for name, value in given.items() if value is not None}
    _registered[target] = _checked(target, stated, "register_model")


def clear() -> None:
    """Forget all registered models."""
    _registered.clear()


def read(document: Mapping[str, Any], origin: str) -> dict[str, ModelFacts]:
    """
    Return the facts that settings state, by ``provider:model``, as `register_model` takes them.

    Raises:
        ConfigError: Names *origin*, the entry and the mistake.
    """
    return {str(target): _checked(str(target), facts, origin) for target, facts in document.items()}


def facts_of(own: Mapping[str, ModelFacts], provider: str, model: str) -> ModelFacts | None:
    """Return the facts of *model*: registered ones before *own*, an exact name before the longest matching pattern."""
    name, every = f"{provider}:{model}", {**own, **_registered}
    if name in every:
        return every[name]
    matching = [target for target in every if "*" in target and fnmatchcase(name, target)]
    return every[max(matching, key=len)] if matching else None


def registered(own: Mapping[str, ModelFacts], provider: str) -> list[ModelInfo]:
    """Return the models of *provider* that are named without a pattern."""
    names = [target.partition(":") for target in {**own, **_registered} if "*" not in target]
    return [
        dataclasses.replace(ModelInfo(model, provider), **facts_of(own, provider, model) or {})
        for named, _, model in names
        if named == provider
    ]


def _checked(target: str, facts: object, origin: str) -> ModelFacts:
    if not target.partition(":")[2]:
        raise ConfigError(f"{origin}: {target!r} names no model", fix="write provider:model, as in openai:gpt-5-mini")
    if not isinstance(facts, Mapping):
        raise ConfigError(
            f"{origin}: {target!r} has {facts!r}, no facts",
            cause=f"facts of a model are {', '.join(_FACTS)}",
            fix=f'"{target}": {{context_tokens: 128000}}',
        )
    given = cast("Mapping[object, object]", facts)
    return {_name(target, name, origin): _value(target, str(name), value, origin) for name, value in given.items()}


def _name(target: str, name: object, origin: str) -> str:
    if name in _FACTS:
        return str(name)
    near = difflib.get_close_matches(str(name), _FACTS, n=1)
    raise ConfigError(
        f"{origin}: {target!r} has an unknown fact {name!r}",
        cause=f"did you mean {near[0]!r}?" if near else None,
        fix=f"facts are {', '.join(_FACTS)}",
    )


def _value(target: str, name: str, value: object, origin: str) -> Any:
    try:
        return _FACTS[name](value)
    except ValueError as error:
        raise ConfigError(f"{origin}: {target!r} has {name}={value!r}", cause=str(error)) from None


def _tokens(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError("it is a number of tokens, above 0")
    return value


def _words(value: object, known: frozenset[str] = CAPABILITIES) -> frozenset[str]:
    words = frozenset(map(str, value)) if isinstance(value, list | tuple | frozenset | set) else frozenset({str(value)})
    if unknown := words - known:
        raise ValueError(f"{min(unknown)!r} is none of {', '.join(sorted(known))}")
    return words


def _datetime(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime.combine(found, time())
    if not isinstance(found, datetime):
        raise ValueError("it is a date, as in 2027-01-31")  # noqa: TRY004  one kind of error for all facts
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _model(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("it is the name of a model")
    return value


_FACTS: dict[str, Callable[[object], Any]] = {
    "context_tokens": _tokens,
    "max_output_tokens": _tokens,
    "capabilities": _words,
    "deprecated_at": _datetime,
    "retires_at": _datetime,
    "replaced_by": _model,
    "refuses": functools.partial(_words, known=NAMES),
}
