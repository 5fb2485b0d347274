"""
The catalogue of providers: names, hosts, addresses, environment variables, quirks and limits of each, in one entry.

Whatever depends on the provider is looked up here, so that a provider that speaks a known format is one entry more.
Pure data. Internal.
"""

from __future__ import annotations

from llm_gateway.catalog import hosts, own_format
from llm_gateway.catalog.entry import ChatQuirks, ProviderEntry, Unsupported

__all__ = ["PROVIDERS", "ChatQuirks", "ProviderEntry", "Unsupported", "find"]

PROVIDERS = {one.name: one for one in (*own_format.PROVIDERS, *hosts.CALLED, *hosts.RECOGNISED)}
"""By name."""


def find(name: str) -> ProviderEntry:
    """Return the provider *name*; one that is not in the catalogue has nothing but its name."""
    return PROVIDERS.get(name) or ProviderEntry(name, name)
