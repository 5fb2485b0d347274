"""Read the response cache before a call, and fill it when the call has succeeded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from llm_gateway.client.cache.entry import Entry
from llm_gateway.client.call import Call
from llm_gateway.client.retry import with_retries
from llm_gateway.cost.totals import Totals
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.steps import Emit, Flow
from llm_gateway.providers.base import HttpProvider, ProcessProvider, Provider
from llm_gateway.types import ChatReply, ChatRequest, LLMResponse, StreamDelta

__all__ = ["key_of", "settled", "with_cache"]

M = TypeVar("M")


def with_cache(call: Call, request: ChatRequest, send: Callable[[Call, ChatRequest], Flow]) -> Flow:
    """
    Return the kept `ChatReply` for *request*, or request one; errors as in `with_retries`.

    New replies are kept by `settled`, once the whole call has succeeded.
    """
    cache = call.cache
    key = None if cache is None else key_of(call.provider, request, cache.tenant)
    if cache is None or key is None:
        return (yield from with_retries(call, request, send))
    found: Entry | None = yield from cache.find(key)
    if found is not None:
        call.hits.append(found)
        if request.stream:
            yield from _emitted(found.reply)
        return found.reply
    reply: ChatReply = yield from with_retries(call, request, send)
    call.fresh.append((key, Entry(reply, call.attempts[-1])))
    return reply


def _emitted(reply: ChatReply) -> Flow:
    if reply.text:
        yield Emit(StreamDelta(text=reply.text))
    for one in reply.tool_calls:
        yield Emit(StreamDelta(tool_call=one))


def settled(call: Call, response: LLMResponse[M]) -> Flow:
    """Keep the new replies, and return *response* with what came from the cache marked on it."""
    if call.cache is None:
        return response
    for key, entry in call.fresh:
        yield from call.cache.keep(key, entry)
    return _with_hits(call, response) if call.hits else response


def _with_hits(call: Call, response: LLMResponse[M]) -> LLMResponse[M]:
    kept = [one.record for one in call.hits]
    return dataclasses.replace(
        response,
        cached=response.reply is call.hits[-1].reply,
        usage=Totals.of([*kept, *call.attempts]).usage,
        saved_cost_usd=Totals.of(kept).cost_usd,
    )


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
