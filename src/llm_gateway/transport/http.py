"""Requests over httpx2, sync and async. Transport errors become `ProviderError` with a kind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, NoReturn
from urllib.parse import urlsplit

from llm_gateway.exceptions import ErrorKind, ProviderError
from llm_gateway.flow.steps import Head
from llm_gateway.types import Headers, WireReply, WireRequest

__all__ = ["AsyncPool", "Pool", "refuse"]

_WORDS: dict[ErrorKind, str] = {
    "timeout": "no answer from {} in time",
    "stream_interrupted": "the stream from {} broke off",
    "connection": "cannot reach {}",
}


def _options(timeout_s: float) -> dict[str, Any]:
    import httpx2

    return {"timeout": httpx2.Timeout(timeout_s, connect=min(timeout_s, 10.0)), "follow_redirects": False}


def _built(client: Any, request: WireRequest) -> Any:
    return client.build_request(request.method, request.url, headers=list(request.headers), content=request.body)


def _headers(response: Any) -> Headers:
    return tuple(response.headers.multi_items())


def refuse(error: Exception, request: WireRequest, *, is_timeout: bool, has_head: bool) -> NoReturn:
    """Raise what *error* means for *request*; *has_head* says whether its reply had begun."""
    kind: ErrorKind = "timeout" if is_timeout else "stream_interrupted" if has_head else "connection"
    advice = "check the address (LLM_BASE_URL) and the network, or raise LLM_TIMEOUT_S"
    raise ProviderError(
        _WORDS[kind].format(urlsplit(request.url).netloc),
        kind=kind,
        cause=str(error) or type(error).__name__,
        fix=None if has_head else advice,
    ) from error


def _refuse(error: Exception, request: WireRequest, *, has_head: bool) -> NoReturn:
    import httpx2

    refuse(error, request, is_timeout=isinstance(error, httpx2.TimeoutException), has_head=has_head)


class Pool:
    """Connections for the calling thread."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client: Any = None

    def _connected(self) -> Any:
        if self._client is None:
            import httpx2

            self._client = httpx2.Client(**_options(self._timeout_s))
        return self._client

    def send(self, request: WireRequest) -> WireReply:
        """Send *request* and read the whole reply."""
        import httpx2

        client = self._connected()
        try:
            response = client.send(_built(client, request))
        except httpx2.TransportError as error:
            _refuse(error, request, has_head=False)
        return WireReply(response.status_code, _headers(response), response.content)

    def open(self, request: WireRequest) -> Opened:
        """Send *request* and read the head of its reply."""
        import httpx2

        client = self._connected()
        try:
            response = client.send(_built(client, request), stream=True)
        except httpx2.TransportError as error:
            _refuse(error, request, has_head=False)
        return Opened(request, response)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


class Opened:
    """A reply of which the head was read."""

    def __init__(self, request: WireRequest, response: Any) -> None:
        self._request = request
        self._response = response
        self._pieces: Iterator[bytes] = response.iter_bytes()
        self.head = Head(response.status_code, _headers(response))

    def read(self) -> bytes:
        """The next piece of the body; none at its end."""
        import httpx2

        try:
            return next(self._pieces, b"")
        except httpx2.TransportError as error:
            _refuse(error, self._request, has_head=True)

    def close(self) -> None:
        """Let go of the rest."""
        self._response.close()


class AsyncPool:
    """Connections for event loops; each loop has its own, as connections cannot move between loops."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client: Any = None
        self._loop: Any = None

    def _connected(self) -> Any:
        loop = _running_loop()
        if self._client is None or self._loop is not loop:
            import httpx2

            self._client, self._loop = httpx2.AsyncClient(**_options(self._timeout_s)), loop
        return self._client

    async def send(self, request: WireRequest) -> WireReply:
        """Send *request* and read the whole reply."""
        import httpx2

        client = self._connected()
        try:
            response = await client.send(_built(client, request))
        except httpx2.TransportError as error:
            _refuse(error, request, has_head=False)
        return WireReply(response.status_code, _headers(response), response.content)

    async def open(self, request: WireRequest) -> AsyncOpened:
        """Send *request* and read the head of its reply."""
        import httpx2

        client = self._connected()
        try:
            response = await client.send(_built(client, request), stream=True)
        except httpx2.TransportError as error:
            _refuse(error, request, has_head=False)
        return AsyncOpened(request, response)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        if self._client is not None and self._loop is _running_loop():
            await self._client.aclose()
        self._client = self._loop = None


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # trio, or anything else that anyio speaks
        return None


class AsyncOpened:
    """A reply of which the head was read."""

    def __init__(self, request: WireRequest, response: Any) -> None:
        self._request = request
        self._response = response
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()
        self.head = Head(response.status_code, _headers(response))

    async def read(self) -> bytes:
        """The next piece of the body; none at its end."""
        import httpx2

        try:
            return await anext(self._pieces, b"")
        except httpx2.TransportError as error:
            _refuse(error, self._request, has_head=True)

    async def close(self) -> None:
        """Let go of the rest."""
        await self._response.aclose()
