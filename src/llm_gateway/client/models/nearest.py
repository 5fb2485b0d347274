"""Suggest models for a misspelt name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from llm_gateway.client.call import Call
from llm_gateway.cost.prices import known_models
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Flow

__all__ = ["nearest_models", "nearest_of", "offer_listed"]


def nearest_of(name: str, names: Iterable[str]) -> tuple[str, ...]:
    """Return up to three of *names* that *name* may have meant, the nearest first."""
    return tuple(difflib.get_close_matches(name, [one for one in names if one != name], n=3))


def nearest_models(provider: str, name: str) -> str | None:
    """Return a question that offers the nearest priced models; None where none is near."""
    return _question(nearest_of(name, known_models(provider)))


def offer_listed(call: Call, name: str, error: ProviderError) -> Flow:
    """Let *error*, for a model *name* that the provider does not have, suggest names of its kept list."""
    listed = call.listed
    if error.kind != "not_found" or listed is None:
        return
    names: list[str] = yield steps.Call(lambda: listed(call.provider))
    error.cause = _question(nearest_of(name, names)) or error.cause


def _question(near: tuple[str, ...]) -> str | None:
    return f"did you mean {' or '.join(map(repr, near))}?" if near else None
