"""
What an installed package may add, by pluggy.

A package names its module in the entry point group ``llm_gateway`` and implements hooks there::

    from llm_gateway.hookspecs import hookimpl

    @hookimpl
    def llm_gateway_providers():
        return {"acme": AcmeProvider}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pluggy

__all__ = ["hookimpl", "llm_gateway_providers"]

GROUP = "llm_gateway"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def llm_gateway_providers() -> Mapping[str, Callable[[Any], Any]]:
    """
    Return providers by name; each value is called with a `GatewayConfig` and returns a provider.

    A provider needs ``async def complete(messages, response_model=None)`` and ``async def close()``.
    """
    return {}


def manager() -> pluggy.PluginManager:
    """Return a plugin manager with all installed plugins."""
    plugins = pluggy.PluginManager(GROUP)
    plugins.add_hookspecs(__import__(__name__, fromlist=["hookspec"]))
    plugins.load_setuptools_entrypoints(GROUP)
    return plugins
