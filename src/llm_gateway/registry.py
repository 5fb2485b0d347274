"""Providers by name."""

from __future__ import annotations

import contextlib
import difflib
import functools
import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from llm_gateway.catalog import PROVIDERS, ProviderEntry, find
from llm_gateway.config import GatewayConfig, load
from llm_gateway.exceptions import ConfigError, UnknownProviderError

if TYPE_CHECKING:
    from llm_gateway.providers.base import Provider

__all__ = ["Factory", "build_provider", "list_providers", "register_provider", "resolve"]

Factory: TypeAlias = Callable[[GatewayConfig], Any]
"""A function that builds a provider from its settings."""
_GROUP = "llm_gateway"

_registered: dict[str, Factory] = {}


def register_provider(name: str, factory: Factory) -> None:
    """
    Register a provider by *name*; it wins over one of that name that is built in or installed.

    Args:
        name: As in ``LLM_PROVIDER=name`` and ``name:model``.

        factory: Called with a `GatewayConfig`; a class will do. What it returns needs
            ``async def complete(messages, response_model=None)`` and ``async def close()``.

    Raises:
        ConfigError: The name is empty, or has a colon, which separates provider and model.
    """
    if not name or ":" in name:
        raise ConfigError(f"a provider cannot be called {name!r}", fix="use letters, digits, - and _")
    _registered[name] = factory


def list_providers() -> list[str]:
    """Return the names of all providers, sorted: built in, installed and registered ones."""
    built_in = (name for name, one in PROVIDERS.items() if one.adapter)
    return sorted({*built_in, *_installed(), *_registered})


def build_provider(name: str, config: GatewayConfig | None = None) -> Provider:
    """
    Build the provider *name*, set up by *config*, or by variables and ``.env`` where none is given.

    Raises:
        UnknownProviderError: Offers the nearest names, then lists all.
        ConfigError: Something that it needs is not set, or a section of settings has a misspelt name.
    """
    factory, config = resolve(name), config or load()
    config.check_sections(list_providers())
    made: Provider = factory(config)
    if not hasattr(made, "name"):
        with contextlib.suppress(AttributeError):  # a class with slots keeps the name of its class
            setattr(made, "name", name)  # noqa: B010  prices and reports know it by this name
    return made


def resolve(name: str) -> Factory:
    """
    Return the factory of provider *name*.

    Raises:
        UnknownProviderError: Offers the nearest names, then lists all.
    """
    if name in _registered:
        return _registered[name]
    if find(name).adapter:
        return _built_in(find(name))
    installed = _installed()
    if name in installed:
        return installed[name]
    near = difflib.get_close_matches(name, list_providers(), n=2)
    raise UnknownProviderError(
        f"unknown provider {name!r}",
        cause=f"did you mean {' or '.join(map(repr, near))}?" if near else None,
        fix=f"known providers: {', '.join(list_providers())}",
    )


def _built_in(entry: ProviderEntry) -> Factory:
    module, _, function = entry.adapter.partition(":")
    factory = getattr(importlib.import_module(f"llm_gateway.providers.{module}"), function or "provider")
    return functools.partial(factory, entry.name) if module == "compatible" else factory


@functools.cache
def _installed() -> dict[str, Factory]:
    """Return the providers of installed packages; looked up once, with the first name."""
    from importlib.metadata import entry_points

    if not entry_points(group=_GROUP):
        return {}
    from llm_gateway.hookspecs import manager

    found: dict[str, Factory] = {}
    for providers in manager().hook.llm_gateway_providers():
        found.update(providers)
    return found
