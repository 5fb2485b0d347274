"""What the user says of models; it wins over lists and over what is known beforehand."""

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

__all__ = ["Facts", "clear", "read", "register_model", "registered", "said"]

Facts: TypeAlias = Mapping[str, Any]
"""Members of `ModelInfo` by name."""
_own: dict[str, Facts] = {}


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
    Say what is known of a model; this wins over the provider's list, and over what was said of it before.

    Args:
        target: ``provider:model``; the model may hold ``*``, as in ``openai:ft:gpt-5-mini:acme:*``.

        capabilities: Words of `llm_gateway.wire.models.CAPABILITIES`.

        deprecated_at: A date, or its text as in ``2027-01-31``; so for *retires_at*.

        refuses: What the model does not take, in words of `llm_gateway.wire.params.NAMES`; an empty list says that it
            takes everything.

    Raises:
        ConfigError: The target names no model, or a value is none that a model can have.
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
    told = {name: value for name, value in given.items() if value is not None}
    _own[target] = _checked(target, told, "register_model")


def clear() -> None:
    """Forget what `register_model` was told."""
    _own.clear()


def read(document: Mapping[str, Any], origin: str) -> dict[str, Facts]:
    """
    What settings say of models: ``provider:model`` to facts, as `register_model` takes them.

    Raises:
        ConfigError: Names *origin*, the entry and the mistake.
    """
    return {str(target): _checked(str(target), facts, origin) for target, facts in document.items()}


def said(own: Mapping[str, Facts], provider: str, model: str) -> Facts | None:
    """What *own*, and before it `register_model`, says of *model*: of itself, else by the longest pattern that fits."""
    name, every = f"{provider}:{model}", {**own, **_own}
    if name in every:
        return every[name]
    fitting = [target for target in every if "*" in target and fnmatchcase(name, target)]
    return every[max(fitting, key=len)] if fitting else None


def registered(own: Mapping[str, Facts], provider: str) -> list[ModelInfo]:
    """The models of *provider* that are named in full."""
    names = [target.partition(":") for target in {**own, **_own} if "*" not in target]
    return [
        dataclasses.replace(ModelInfo(model, provider), **said(own, provider, model) or {})
        for named, _, model in names
        if named == provider
    ]


def _checked(target: str, facts: object, origin: str) -> Facts:
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


def _moment(value: object) -> datetime:
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
    "deprecated_at": _moment,
    "retires_at": _moment,
    "replaced_by": _model,
    "refuses": functools.partial(_words, known=NAMES),
}
