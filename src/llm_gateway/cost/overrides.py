"""The user's own prices, by provider and model; they win over the list."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from typing import Any

from llm_gateway.exceptions import ConfigError
from llm_gateway.usage import COUNTS

__all__ = ["Own", "clear", "find", "read", "register_pricing"]

RATES = {
    **{name.removesuffix("_tokens"): name.replace("_tokens", "_mtok") for name in COUNTS if name != "reasoning_tokens"},
    "web_searches": "web_searches_kcount",
}
"""What a rate is called here, and in the price row: US dollars for a million tokens, or for a thousand searches."""


@dataclass(frozen=True, slots=True)
class Own:
    """A price of the user's: *given* by name of `RATES`, and where it was stated."""

    given: Mapping[str, Decimal]
    origin: str
    target: str

    @property
    def rates(self) -> Any:
        """The rates as genai-prices reckons with them."""
        from genai_prices.types import ModelPrice

        return ModelPrice(**{RATES[name]: rate for name, rate in self.given.items()})

    @property
    def row(self) -> dict[str, Any]:
        """The head of the price row."""
        return {"source": self.origin, "model": self.target}


_own: dict[str, Own] = {}


def register_pricing(target: str, **rates: Decimal | float | str) -> None:
    """
    Register the price of a model; it wins over the price list, and over an earlier registration.

    Args:
        target: ``provider:model``; the model may hold ``*``, as in ``openai:ft:gpt-5-mini:acme:*``.

        rates: US dollars for a million tokens, named as the counts of `TokenUsage` without their ``_tokens``
            (``input``, ``output``, ``input_audio``, ...); and ``web_searches`` for a thousand of them. *input* is
            required; tokens of a kind that has no rate cost what their whole does.

    Raises:
        ConfigError: A name is not known, or a rate is no amount of dollars.
    """
    _own[target] = _checked(target, rates, "register_pricing")


def clear() -> None:
    """Forget all prices of the user's."""
    _own.clear()


def find(provider: str, model: str) -> Own | None:
    """Return the user's price of *model*: its own, else that of the longest matching pattern."""
    name = f"{provider}:{model}"
    if name in _own:
        return _own[name]
    fitting = [target for target in _own if "*" in target and fnmatchcase(name, target)]
    return _own[max(fitting, key=len)] if fitting else None


def read(document: object, origin: str) -> None:
    """
    Register the prices of a file: a mapping of ``provider:model`` to rates, as `register_pricing` takes them.

    Raises:
        ConfigError: Names *origin*, the entry and the mistake; nothing of the file counts then.
    """
    if not isinstance(document, dict) or not document:
        raise ConfigError(
            f"{origin} holds no prices",
            cause="it has to map provider:model to rates",
            fix='for example: "openai:my-model": {input: 0.5, output: 2}',
        )
    _own.update({str(target): _checked(str(target), rates, origin) for target, rates in document.items()})


def _checked(target: str, rates: object, origin: str) -> Own:
    if not target.partition(":")[2]:
        raise ConfigError(f"{origin}: {target!r} names no model", fix="write provider:model, as in openai:gpt-5-mini")
    if not isinstance(rates, Mapping) or "input" not in rates:
        raise ConfigError(
            f"{origin}: {target!r} has no rate for input",
            cause="a price needs input, in US dollars for a million tokens",
            fix=f'"{target}": {{input: 0.5, output: 2}}',
        )
    return Own(
        {_name(target, name, origin): _dollars(target, name, rates[name], origin) for name in rates}, origin, target
    )


def _name(target: str, name: object, origin: str) -> str:
    if name in RATES:
        return str(name)
    near = difflib.get_close_matches(str(name), RATES, n=1)
    raise ConfigError(
        f"{origin}: {target!r} has an unknown rate {name!r}",
        cause=f"did you mean {near[0]!r}?" if near else None,
        fix=f"rates are {', '.join(RATES)}",
    )


def _dollars(target: str, name: object, value: object, origin: str) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(value, bool) or not amount.is_finite() or amount < 0:
        raise ConfigError(
            f"{origin}: {target!r} has {name}={value!r}", cause="a rate is US dollars for a million tokens, 0 or more"
        )
    return amount
