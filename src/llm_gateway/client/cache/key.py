"""The cache key of a request: all that is sent, but for credentials."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from llm_gateway.exceptions import ProviderError
from llm_gateway.providers.base import HttpProvider, ProcessProvider, Provider
from llm_gateway.types import ChatRequest

__all__ = ["key_of"]

_VERSION = 1  # raised when what is kept changes its meaning
_LEFT_OUT = re.compile(r"auth|key|token|secret|cookie|user-agent|x-stainless", re.IGNORECASE)
"""Headers that identify the caller or its program."""
_CHANGING = frozenset({"conversation", "container"})
"""Fields that refer to state at the provider: the same request has another answer the next time."""


def key_of(provider: Provider, request: ChatRequest, tenant: str | None) -> str | None:
    """
    Return a hash of all that *request* sends to *provider*, but for credentials; None where it must not be cached.

    Streaming is not part of it. None is returned for a custom provider, whose requests are not visible, for a request
    that the provider cannot encode, and for one that refers to state at the provider.
    """
    if _CHANGING & request.extra.keys():
        return None
    try:
        sent = _sent(provider, dataclasses.replace(request, stream=False))
    except ProviderError:
        return None  # it is raised again where it belongs, by the attempt
    if sent is None:
        return None
    whole = json.dumps([_VERSION, tenant, *sent], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(whole.encode()).hexdigest()


def _sent(provider: Provider, request: ChatRequest) -> list[Any] | None:
    match provider:
        case HttpProvider():
            sent = provider.request(request)
            url = urlsplit(sent.url)
            address = url._replace(netloc=url.netloc.rpartition("@")[2]).geturl()
            parts = [_headers(sent.headers), json.loads(sent.body), _through(provider.client)]
            return ["http", provider.name, sent.method, address, *parts]
        case ProcessProvider():
            run = provider.request(request)
            return ["process", provider.name, run.argv, run.stdin.hex(), dict(run.env), run.cwd]
        case _:
            return None


def _through(client: Any) -> list[Any] | None:
    """Return what an SDK client adds to a request: its address, query and headers."""
    if client is None:
        return None
    query = {str(name): str(value) for name, value in dict(getattr(client, "default_query", {})).items()}
    headers = _headers(dict(getattr(client, "default_headers", {})).items())
    base = urlsplit(str(client.base_url))
    return [type(client).__name__.removeprefix("Async"), base.netloc.rpartition("@")[2] + base.path, query, headers]


def _headers(headers: Iterable[tuple[str, object]]) -> list[list[str]]:
    return sorted(
        [name.lower(), value] for name, value in headers if isinstance(value, str) and not _LEFT_OUT.search(name)
    )
