"""Requests over httpx2, sync and async. Transport errors become `ProviderError` with a kind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, NoReturn

from llm_gateway.flow.limit import Limit, soonest
from llm_gateway.flow.steps import Head
from llm_gateway.record import EXTENSION, holder_of
from llm_gateway.transport.deadline import Deadline, limit_reads
from llm_gateway.transport.failure import Phase, give_up, refuse, refuse_coding, refuse_proxy, refuse_size
from llm_gateway.types import Headers, WireReply, WireRequest

__all__ = ["AsyncPool", "Pool"]

_MOST_BYTES = 128 << 20  # a few kilobytes that are packed well may be gigabytes


class _Waiting:
    """One request and how long it may take. Sockets wait no longer; what never waits is stopped here."""

    def __init__(self, request: WireRequest, limits: Sequence[Limit], connect_s: float) -> None:
        self.request = request
        self._connect = Limit("connect", "connect_timeout_s", connect_s)
        self._limit, end = soonest(limits, time.monotonic())
        self._deadline = Deadline(None, end)
        self._phase: Phase = "head"
        self._size = 0

    def built(self, client: Any) -> Any:
        """The request as *client* sends it."""
        request, left = self.request, max(self._deadline.end - time.monotonic(), 0.0)
        if not left:
            give_up(request, self._limit)
        limits = {"connect": min(left, self._connect.seconds), "read": self._deadline, "write": left, "pool": left}
        return client.build_request(
            request.method,
            request.url,
            headers=list(request.headers),
            content=request.body,
            extensions={"timeout": limits, EXTENSION: request.provider},
        )

    def reads(self, phase: Phase, limits: Sequence[Limit] = ()) -> None:
        """A piece is to be read, within new *limits* if there are any."""
        self._phase, now = phase, time.monotonic()
        if limits:
            self._limit, self._deadline.end = soonest(limits, now)
        if now >= self._deadline.end:
            give_up(self.request, self._limit)

    def took(self, piece: bytes) -> bytes:
        """*piece* was read."""
        self._size += len(piece)
        if self._size > _MOST_BYTES:
            refuse_size(self.request, _MOST_BYTES)
        return piece

    def refuse(self, error: Exception) -> NoReturn:
        """Raise what *error* means."""
        import httpx2

        if isinstance(error, httpx2.DecodingError):
            refuse_coding(error, self.request)
        if isinstance(error, httpx2.ProxyError):
            refuse_proxy(error, self.request)
        if not isinstance(error, httpx2.TimeoutException):
            refuse(error, self.request, self._phase)
        is_connect = isinstance(error, httpx2.ConnectTimeout) and time.monotonic() < self._deadline.end
        give_up(self.request, self._connect if is_connect else self._limit, error)


class Pool:
    """Connections for the calling thread."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self.usual = (Limit("attempt", "timeout_s", timeout_s),)
        self._connect_s = connect_timeout_s
        self._client: Any = None

    def _connected(self) -> Any:
        if self._client is None:
            import httpx2

            self._client = httpx2.Client(follow_redirects=False)
            limit_reads(self._client)
        return self._client

    def send(self, request: WireRequest, limits: Sequence[Limit] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = self.open(request, limits)
        try:
            body = b"".join(iter(opened.read, b""))
        finally:
            opened.close()
        return WireReply(opened.head.status, opened.head.headers, body, opened.head.holder)

    def open(self, request: WireRequest, limits: Sequence[Limit] = ()) -> Opened:
        """Send *request* and read the head of its reply."""
        import httpx2

        client, waiting = self._connected(), _Waiting(request, limits or self.usual, self._connect_s)
        sent = waiting.built(client)
        try:
            response = client.send(sent, stream=True)
        except httpx2.RequestError as error:
            waiting.refuse(error)
        return Opened(waiting, response)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


class Opened:
    """A reply of which the head was read."""

    def __init__(self, waiting: _Waiting, response: Any) -> None:
        self._waiting = waiting
        self._response = response
        self._pieces: Iterator[bytes] = response.iter_bytes()
        self.head = Head(response.status_code, _headers(response), holder_of(response))

    def read(self, limits: Sequence[Limit] = ()) -> bytes:
        """The next piece of the body; none at its end. Without *limits* those of the request go on."""
        import httpx2

        self._waiting.reads("stream" if limits else "body", limits)
        try:
            return self._waiting.took(next(self._pieces, b""))
        except httpx2.RequestError as error:
            self._waiting.refuse(error)

    def close(self) -> None:
        """Let go of the rest."""
        self._response.close()


class AsyncPool:
    """Connections for event loops; each loop has its own, as connections cannot move between loops."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self.usual = (Limit("attempt", "timeout_s", timeout_s),)
        self._connect_s = connect_timeout_s
        self._clients: dict[Any, Any] = {}

    def _connected(self) -> Any:
        loop = _running_loop()
        client = self._clients.get(loop)
        if client is None:
            import httpx2

            for other in [one for one in list(self._clients) if one is not None and one.is_closed()]:
                self._clients.pop(other, None)  # nothing can be closed in there any more
            client = self._clients[loop] = httpx2.AsyncClient(follow_redirects=False)
            limit_reads(client)
        return client

    async def send(self, request: WireRequest, limits: Sequence[Limit] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = await self.open(request, limits)
        pieces: list[bytes] = []
        try:
            while piece := await opened.read():
                pieces.append(piece)
        finally:
            await opened.close()
        return WireReply(opened.head.status, opened.head.headers, b"".join(pieces), opened.head.holder)

    async def open(self, request: WireRequest, limits: Sequence[Limit] = ()) -> AsyncOpened:
        """Send *request* and read the head of its reply."""
        import httpx2

        client, waiting = self._connected(), _Waiting(request, limits or self.usual, self._connect_s)
        sent = waiting.built(client)
        try:
            response = await client.send(sent, stream=True)
        except httpx2.RequestError as error:
            waiting.refuse(error)
        return AsyncOpened(waiting, response)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        client = self._clients.pop(_running_loop(), None)
        if client is not None:
            await client.aclose()


class AsyncOpened:
    """A reply of which the head was read."""

    def __init__(self, waiting: _Waiting, response: Any) -> None:
        self._waiting = waiting
        self._response = response
        self._pieces: AsyncIterator[bytes] = response.aiter_bytes()
        self.head = Head(response.status_code, _headers(response), holder_of(response))

    async def read(self, limits: Sequence[Limit] = ()) -> bytes:
        """The next piece of the body, as with `Opened.read`."""
        import httpx2

        self._waiting.reads("stream" if limits else "body", limits)
        try:
            return self._waiting.took(await anext(self._pieces, b""))
        except httpx2.RequestError as error:
            self._waiting.refuse(error)

    async def close(self) -> None:
        """Let go of the rest."""
        await self._response.aclose()


def _headers(response: Any) -> Headers:
    return tuple(response.headers.multi_items())


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # trio, or anything else that anyio speaks
        return None
