"""
Requests through a client of an official SDK: its own address, authentication, headers and proxies hold.

The SDK's low-level ``post`` carries the body that was written here, and hands back the reply unread; its retries are
off, since the flow has its own. Works with anthropic 0.40 and later and openai 1.0 and later, all their variants.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from llm_gateway.exceptions import ConfigError
from llm_gateway.flow.steps import Head
from llm_gateway.transport.http import refuse
from llm_gateway.types import WireReply, WireRequest

__all__ = ["AsyncSdkPool", "SdkPool"]

_UNREAD = {"X-Stainless-Raw-Response": "stream"}
"""What makes the SDKs hand back the reply before its body is read."""


def _call(client: Any, request: WireRequest) -> Any:
    base = urlsplit(str(client.base_url)).path.rstrip("/")
    path = urlsplit(request.url).path
    ours = _path_of(path, base)
    kept = {name: value for name, value in request.headers if name.lower() == "accept"}
    once = client.with_options(max_retries=0)
    if request.method == "GET":
        params = dict(parse_qsl(urlsplit(request.url).query))
        return once.get(ours, cast_to=object, options={"headers": {**kept, **_UNREAD}, "params": params})
    return once.post(
        ours,
        cast_to=object,
        body=json.loads(request.body),
        options={"headers": {**kept, **_UNREAD}},
        stream="event-stream" in kept.get("accept", ""),
    )


def _path_of(path: str, base: str) -> str:
    """The path below the client's own base: the last parts that the dialect's address adds."""
    for prefix in (base, "/v1"):
        if prefix and path.startswith(f"{prefix}/") and base.endswith(prefix):
            return path.removeprefix(prefix)
    return path


def _reply_of(error: Any) -> Any:
    """The reply behind an SDK's error about a status; None for an error of another sort."""
    return getattr(error, "response", None)


def _refuse(error: Exception, client: Any, request: WireRequest, *, has_head: bool) -> NoReturn:
    is_timeout = "Timeout" in type(error).__name__
    if not is_timeout and "Connection" not in type(error).__name__ and "Transport" not in _bases(error):
        raise error
    there = dataclasses.replace(request, url=str(client.base_url))
    refuse(error, there, is_timeout=is_timeout, has_head=has_head)


def _bases(error: Exception) -> str:
    return " ".join(one.__name__ for one in type(error).__mro__)


def _pairs(response: Any) -> tuple[tuple[str, str], ...]:
    return tuple(response.headers.multi_items())


def _refuse_colour(client: Any, ours: str, other: str) -> NoReturn:
    raise ConfigError(
        f"{ours} was given a client of the other colour: {type(client).__name__}",
        cause="an SDK's sync client sends for SyncLLMClient, its async client for LLMClient",
        fix=f"use {other}, or hand in the SDK's other client",
    )


class SdkPool:
    """Sends through a sync client; it stays open, as it is its maker's to close."""

    def __init__(self, client: Any) -> None:
        if hasattr(client, "__aenter__"):
            _refuse_colour(client, "SyncLLMClient", "LLMClient")
        self._client = client

    def send(self, request: WireRequest) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = self.open(request)
        body = b""
        try:
            while piece := opened.read():
                body += piece
        finally:
            opened.close()
        return WireReply(opened.head.status, opened.head.headers, body)

    def open(self, request: WireRequest) -> Opened:
        """Send *request* and read the head of its reply."""
        try:
            response = _call(self._client, request).http_response
        except Exception as error:  # noqa: BLE001  the SDKs' errors share no base
            response = _reply_of(error)
            if response is None:
                _refuse(error, self._client, request, has_head=False)
        return Opened(self._client, request, response)


class Opened:
    """A reply of which the head was read."""

    def __init__(self, client: Any, request: WireRequest, response: Any) -> None:
        self._client = client
        self._request = request
        self._response = response
        self._pieces = response.iter_bytes()
        self.head = Head(response.status_code, _pairs(response))

    def read(self) -> bytes:
        """The next piece of the body; none at its end."""
        try:
            return bytes(next(self._pieces, b""))
        except Exception as error:  # noqa: BLE001  as above
            _refuse(error, self._client, self._request, has_head=True)

    def close(self) -> None:
        """Let go of the rest."""
        self._response.close()


class AsyncSdkPool:
    """Sends through an async client; it stays open, as it is its maker's to close."""

    def __init__(self, client: Any) -> None:
        if not hasattr(client, "__aenter__"):
            _refuse_colour(client, "LLMClient", "SyncLLMClient")
        self._client = client

    async def send(self, request: WireRequest) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = await self.open(request)
        body = b""
        try:
            while piece := await opened.read():
                body += piece
        finally:
            await opened.close()
        return WireReply(opened.head.status, opened.head.headers, body)

    async def open(self, request: WireRequest) -> AsyncOpened:
        """Send *request* and read the head of its reply."""
        try:
            response = (await _call(self._client, request)).http_response
        except Exception as error:  # noqa: BLE001  as above
            response = _reply_of(error)
            if response is None:
                _refuse(error, self._client, request, has_head=False)
        return AsyncOpened(self._client, request, response)


class AsyncOpened:
    """A reply of which the head was read."""

    def __init__(self, client: Any, request: WireRequest, response: Any) -> None:
        self._client = client
        self._request = request
        self._response = response
        self._pieces = response.aiter_bytes()
        self.head = Head(response.status_code, _pairs(response))

    async def read(self) -> bytes:
        """The next piece of the body; none at its end."""
        try:
            return bytes(await anext(self._pieces, b""))
        except Exception as error:  # noqa: BLE001  as above
            _refuse(error, self._client, self._request, has_head=True)

    async def close(self) -> None:
        """Let go of the rest."""
        await self._response.aclose()
