"""Where each provider is on the server, which variables lead its SDKs there, and where a request really goes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from llm_gateway.catalog import PROVIDERS, ProviderEntry
from llm_gateway.types import Headers
from llm_gateway.wire.identify import identify

__all__ = ["candidates", "provider_at", "served_providers", "variables"]

_REGION = re.compile(r"/locations/(?P<path>[^/]+)/|Credential=[^/]+/\d+/(?P<signature>[^/]+)/")
"""The region in a path of Google's, or in a signature for AWS."""


def served_providers() -> list[str]:
    """Return the names of the providers that have a place on the server."""
    return [name for name, one in PROVIDERS.items() if one.base_url]


def variables(url: str) -> dict[str, str]:
    """Return the environment variables that lead every SDK to the server at *url*."""
    every = ((name, one.sdk_url_variables) for name, one in PROVIDERS.items())
    return {variable: f"{url}/{name}{path}" for name, paths in every for variable, path in paths.items()}


def provider_at(target: str) -> tuple[str, str] | None:
    """Return the provider that *target* begins with, and the rest of it, with which its own paths begin."""
    name, _, rest = target.lstrip("/").partition("/")
    return (name, f"/{rest}") if name in served_providers() else None


def candidates(
    name: str, rest: str, headers: Headers, environ: Mapping[str, str], recorded: Iterable[str]
) -> Iterator[str]:
    """
    Yield the addresses that *rest* may have at the provider *name*, the best last.

    Args:
        name: One of `served_providers`.

        rest: Path and query.

        headers: Of the request; a signature for AWS names the region.

        environ: As it was before the server's own addresses were set.

        recorded: Addresses that the cassette holds.
    """
    for origin in dict.fromkeys(_origin(url) for url in recorded if _is_at(name, url)):
        yield origin + rest
    provider = PROVIDERS[name]
    for variable, path in provider.sdk_url_variables.items():
        if found := environ.get(variable, "").rstrip("/"):
            base = found if "://" in found else f"http://{found}"
            yield base + rest.removeprefix(path)
            return
    yield _origin(provider.url_in(_region(provider, rest, headers, environ))) + rest


def _is_at(name: str, url: str) -> bool:
    found = identify("POST", url)
    return found is not None and found.provider == name


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _region(provider: ProviderEntry, rest: str, headers: Headers, environ: Mapping[str, str]) -> str:
    """Return the region that a request is for: by its path or its signature, else by the environment."""
    signed = next((value for name, value in headers if name.lower() == "authorization"), "")
    if found := _REGION.search(rest) or _REGION.search(signed):
        return found["path"] or found["signature"]
    return next((environ[name] for name in provider.region_variables if environ.get(name)), provider.default_region)
