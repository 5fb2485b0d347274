"""Requests over httpx2, sync and async. Transport errors become `ProviderError` with a kind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NoReturn

from llm_gateway.flow.steps import Head
from llm_gateway.flow.timeout import Timeout, earliest
from llm_gateway.record import EXTENSION, holder_of
from llm_gateway.transport.deadline import Deadline, limit_reads
from llm_gateway.transport.failure import (
    Phase,
    raise_connection_error,
    raise_decoding_error,
    raise_proxy_error,
    raise_timeout,
    raise_too_large,
)
from llm_gateway.types import Headers, WireReply, WireRequest

__all__ = ["AsyncPool", "Pool"]

_MAX_REPLY_BYTES = 128 << 20  # a few compressed kilobytes can expand to gigabytes


class _TimedRequest:
    """One request with its timeouts: of its sockets, and of replies that trickle in without ever blocking one."""

    def __init__(self, request: WireRequest, timeouts: Sequence[Timeout], connect_s: float) -> None:
        self.request = request
        self._connect = Timeout("connect", "connect_timeout_s", connect_s)
        self._timeout, end = earliest(timeouts, time.monotonic())
        self._deadline = Deadline(None, end)
        self._phase: Phase = "head"
        self._size = 0

    def build_request(self, client: Any) -> Any:
        """Build the request for *client*, with the timeouts of its sockets."""
        request, left = self.request, max(self._deadline.end - time.monotonic(), 0.0)
        if not left:
            raise_timeout(request, self._timeout)
        timeouts = {"connect": min(left, self._connect.seconds), "read": self._deadline, "write": left, "pool": left}
        return client.build_request(
            request.method,
            request.url,
            headers=list(request.headers),
            content=request.body,
            extensions={"timeout": timeouts, EXTENSION: request.provider},
        )

    def begin_read(self, phase: Phase, timeouts: Sequence[Timeout] = ()) -> None:
        """Check the deadline before a read, and start new *timeouts* if there are any."""
        self._phase, now = phase, time.monotonic()
        if timeouts:
            self._timeout, self._deadline.end = earliest(timeouts, now)
        if now >= self._deadline.end:
            raise_timeout(self.request, self._timeout)

    def count(self, chunk: bytes) -> bytes:
        """Count the bytes of *chunk* and return it; raise ProviderError for a reply that is too long."""
        self._size += len(chunk)
        if self._size > _MAX_REPLY_BYTES:
            raise_too_large(self.request, _MAX_REPLY_BYTES)
        return chunk

    def raise_error(self, error: Exception) -> NoReturn:
        """Raise the `ProviderError` for *error* of httpx2."""
        import httpx2

        if isinstance(error, httpx2.DecodingError):
            raise_decoding_error(error, self.request)
        if isinstance(error, httpx2.ProxyError):
            raise_proxy_error(error, self.request)
        if not isinstance(error, httpx2.TimeoutException):
            raise_connection_error(error, self.request, self._phase)
        is_connect = isinstance(error, httpx2.ConnectTimeout) and time.monotonic() < self._deadline.end
        raise_timeout(self.request, self._connect if is_connect else self._timeout, error)


class Pool:
    """Connections for sync clients."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self.default_timeouts = (Timeout("attempt", "timeout_s", timeout_s),)
        self._connect_s = connect_timeout_s
        self._client: Any = None

    def _connected(self) -> Any:
        if self._client is None:
            import httpx2

            self._client = httpx2.Client(follow_redirects=False)
            limit_reads(self._client)
        return self._client

    def send(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = self.open(request, timeouts)
        try:
            body = b"".join(iter(opened.read, b""))
        finally:
            opened.close()
        return WireReply(opened.head.status, opened.head.headers, body, opened.head.holder)

    def open(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> OpenReply:
        """Send *request* and read the head of its reply."""
        import httpx2

        client, timed = self._connected(), _TimedRequest(request, timeouts or self.default_timeouts, self._connect_s)
        sent = timed.build_request(client)
        try:
            response = client.send(sent, stream=True)
        except httpx2.RequestError as error:
            timed.raise_error(error)
        return OpenReply(timed, response)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


class OpenReply:
    """A reply whose head is read, and whose body is read chunk by chunk."""

    def __init__(self, timed: _TimedRequest, response: Any) -> None:
        self._timed = timed
        self._response = response
        self._chunks: Iterator[bytes] = response.iter_bytes()
        self.head = Head(response.status_code, _headers(response), holder_of(response))

    def read(self, timeouts: Sequence[Timeout] = ()) -> bytes:
        """Return the next chunk of the body, ``b""`` at its end; without *timeouts* those of the request apply."""
        import httpx2

        self._timed.begin_read("stream" if timeouts else "body", timeouts)
        try:
            return self._timed.count(next(self._chunks, b""))
        except httpx2.RequestError as error:
            self._timed.raise_error(error)

    def close(self) -> None:
        """Close the connection, without reading the rest."""
        self._response.close()


class AsyncPool:
    """Connections for async clients, separate for each event loop: connections cannot move between loops."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self.default_timeouts = (Timeout("attempt", "timeout_s", timeout_s),)
        self._connect_s = connect_timeout_s
        self._clients: dict[Any, Any] = {}

    def _connected(self) -> Any:
        loop = _running_loop()
        client = self._clients.get(loop)
        if client is None:
            import httpx2

            for other in [one for one in list(self._clients) if one is not None and one.is_closed()]:
                self._clients.pop(other, None)  # its connections can no longer be closed
            client = self._clients[loop] = httpx2.AsyncClient(follow_redirects=False)
            limit_reads(client)
        return client

    async def send(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = await self.open(request, timeouts)
        chunks: list[bytes] = []
        try:
            while chunk := await opened.read():
                chunks.append(chunk)
        finally:
            await opened.close()
        return WireReply(opened.head.status, opened.head.headers, b"".join(chunks), opened.head.holder)

    async def open(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> AsyncOpenReply:
        """Send *request* and read the head of its reply."""
        import httpx2

        client, timed = self._connected(), _TimedRequest(request, timeouts or self.default_timeouts, self._connect_s)
        sent = timed.build_request(client)
        try:
            response = await client.send(sent, stream=True)
        except httpx2.RequestError as error:
            timed.raise_error(error)
        return AsyncOpenReply(timed, response)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        client = self._clients.pop(_running_loop(), None)
        if client is not None:
            await client.aclose()


class AsyncOpenReply:
    """A reply whose head is read, and whose body is read chunk by chunk."""

    def __init__(self, timed: _TimedRequest, response: Any) -> None:
        self._timed = timed
        self._response = response
        self._chunks: AsyncIterator[bytes] = response.aiter_bytes()
        self.head = Head(response.status_code, _headers(response), holder_of(response))

    async def read(self, timeouts: Sequence[Timeout] = ()) -> bytes:
        """Return the next chunk of the body, as `OpenReply.read` does."""
        import httpx2

        self._timed.begin_read("stream" if timeouts else "body", timeouts)
        try:
            return self._timed.count(await anext(self._chunks, b""))
        except httpx2.RequestError as error:
            self._timed.raise_error(error)

    async def close(self) -> None:
        """Close the connection, without reading the rest."""
        await self._response.aclose()


def _headers(response: Any) -> Headers:
    return tuple(response.headers.multi_items())


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # trio, or another loop of anyio
        return None
