"""
The hook for aiohttp, and for the transports of other libraries that use it.

A connection is handed out whose far end is ours: it collects the request, and answers with raw bytes that aiohttp
parses as if they came from a socket, or relays to a real connection and reads the reply along.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.dispatch import Handler, handler_for
from llm_gateway.interception.hooks.http1 import (
    ReplyReader,
    WrittenRequest,
    first_wait,
    parts_of_reply,
)

__all__ = ["install"]

_TURNS = 1_000
"""Turns of the event loop, some milliseconds, to wait for a caller that may read no further."""


def install(module: ModuleType) -> None:
    """Wrap the connectors of *module*, which is ``aiohttp.connector``."""
    base: Any = module.BaseConnector
    if not hasattr(base.connect, "__wrapped__"):
        base.connect = _connect(base.connect, module.Connection)


def _connect(real: Any, connection_class: Any) -> Any:
    @functools.wraps(real)
    async def connect(self: Any, req: Any, *args: Any, **kwargs: Any) -> Any:
        handler = handler_for(req.method, str(req.url))
        if handler is None or "Upgrade" in req.headers:
            return await real(self, req, *args, **kwargs)
        from aiohttp.client_proto import ResponseHandler

        loop = asyncio.get_running_loop()
        reader = ResponseHandler(loop=loop)
        reader.force_close()  # never pooled: there is no connection behind it
        reader.connection_made(_FarEnd(reader, req, handler, lambda: real(self, req, *args, **kwargs)))
        # Not counted among the connector's acquired connections: the real one is, if there is one.
        return connection_class(self, req.connection_key, reader, loop)

    return connect


class _FarEnd(asyncio.Transport):
    """The transport that aiohttp writes its request to."""

    def __init__(self, reader: Any, req: Any, handler: Handler, connect: Any) -> None:
        super().__init__()
        self._handler, self._req, self._responder, self._connect = reader, req, handler, connect
        self._written = WrittenRequest(req.method, str(req.url))
        self._work: asyncio.Task[None] | None = None
        self._recording: Recording | None = None
        self._real: Any = None
        self._is_closing = False

    def write(self, data: Any) -> None:
        if self._written.feed(data) and self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._serve())

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    async def _serve(self) -> None:
        decided = self._responder.handle(self._written.request())
        if isinstance(decided, HttpExchange):
            await self._answer(decided)
            return
        self._recording = decided
        try:
            self._real = await self._connect()
        except Exception as error:  # noqa: BLE001  whatever it is, the caller gets it
            kind = "connect_timeout" if isinstance(error, TimeoutError) else "connect"
            if decided is not None:
                decided.fail(kind, str(error))
            self._handler.set_exception(error)
            return
        self._real.transport.set_protocol(_Relay(self._handler, decided, self._req.method, self._release))
        self._real.transport.write(bytes(self._written.raw))

    def _release(self) -> None:
        """Release the real connection; aiohttp does so only where its own is still open."""
        if self._real is not None:
            self._real.close()

    async def _answer(self, exchange: HttpExchange) -> None:
        if exchange.reply is None:
            await asyncio.sleep(first_wait(exchange))
            self._handler.set_exception(_error(exchange))
            return
        await self._give(exchange)
        if exchange.failure:
            await self._read()
        if self._is_closing:
            return
        if exchange.failure == "read_timeout":
            self._time_out()
        elif exchange.failure:
            self._handler.connection_lost(ConnectionResetError(exchange.failure_text))

    async def _give(self, exchange: HttpExchange) -> None:
        parts = parts_of_reply(exchange, self._req.method)
        if not exchange.waits:
            self._handler.data_received(b"".join(part for part, _ in parts))
            return
        for part, wait in parts:
            await asyncio.sleep(wait)  # also of no time: the reader gets what is there, before more comes
            if self._is_closing:
                return
            self._handler.data_received(part)

    async def _read(self) -> None:
        """Wait until the caller has what came: an error of a body is raised before what is still unread of it."""
        for _ in range(_TURNS):
            payload = getattr(self._handler, "_payload", None)
            if self._is_closing or getattr(payload, "_waiter", None) is not None:
                return
            await asyncio.sleep(0)

    def _time_out(self) -> None:
        """Raise the timeout where aiohttp's own timer does: in the reader of the body too."""
        error = _timeout()
        self._handler.set_exception(error)
        payload = getattr(self._handler, "_payload", None)
        if payload is not None:
            payload.set_exception(error)

    def close(self) -> None:
        if self._is_closing:
            return
        self._is_closing = True
        if self._recording is not None:
            payload = getattr(self._handler, "_payload", None)
            if payload is not None and isinstance(payload.exception(), TimeoutError):
                self._recording.fail("read_timeout", str(payload.exception()))
            self._recording.finish("partial")
        if self._real is not None:
            self._real.transport.abort()
            self._real.close()
        asyncio.get_running_loop().call_soon(self._handler.connection_lost, None)

    abort = close

    def is_closing(self) -> bool:
        return self._is_closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._real.transport.get_extra_info(name, default) if self._real is not None else default

    def pause_reading(self) -> None:
        if self._real is not None:
            self._real.transport.pause_reading()

    def resume_reading(self) -> None:
        if self._real is not None:
            self._real.transport.resume_reading()

    def is_reading(self) -> bool:
        return True


def _error(exchange: HttpExchange) -> Exception:
    import aiohttp

    text = exchange.failure_text or ""
    if exchange.failure == "read_timeout":
        return _timeout()
    if exchange.failure == "connect_timeout":
        return getattr(aiohttp, "ConnectionTimeoutError", aiohttp.ServerTimeoutError)(text)
    if exchange.failure == "connect":
        return aiohttp.ClientConnectionError(text)
    return aiohttp.ServerDisconnectedError(text)


def _timeout() -> Exception:
    import aiohttp

    made: Exception = getattr(aiohttp, "SocketTimeoutError", aiohttp.ServerTimeoutError)(
        "Timeout on reading data from socket"
    )
    return made


class _Relay(asyncio.Protocol):
    """A protocol that passes on what the real connection receives, and records it."""

    def __init__(self, handler: Any, recording: Recording | None, method: str, release: Callable[[], None]) -> None:
        self._handler = handler
        self._release = release
        self._reader = None if recording is None else ReplyReader(recording, method)

    def data_received(self, data: bytes) -> None:
        if self._reader is not None:
            self._reader.feed(data)
        self._handler.data_received(data)

    def eof_received(self) -> None:
        self._handler.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reader is not None:
            self._reader.closed(exc)
        self._handler.connection_lost(exc)
        self._release()
