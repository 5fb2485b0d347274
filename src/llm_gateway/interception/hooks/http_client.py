"""
The hook for http.client, and for the libraries that use it: urllib.request, urllib3, requests and botocore.

A request that a cassette handles is collected instead of sent. It is complete when the caller reads the reply, and is
either answered with raw bytes that http.client reads as it would read a socket, or really sent and recorded.
"""

from __future__ import annotations

import functools
import io
import time
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.dispatch import Handler, handler_for
from llm_gateway.interception.hooks.http1 import ReplyReader, WrittenRequest, first_wait, parts_of_reply

__all__ = ["address_of", "install"]

_HTTPS_PORT = 443
_COLLECTOR = "_llm_gateway_collector"


def install(module: ModuleType) -> None:
    """Wrap ``http.client.HTTPConnection``; its subclasses in other libraries are hooked with it."""
    connection: Any = module.HTTPConnection
    if not hasattr(connection.putrequest, "__wrapped__"):
        connection.putrequest = _putrequest(connection.putrequest)
        connection.getresponse = _getresponse(connection.getresponse)


def address_of(connection: Any, url: str = "") -> str:
    """Return the whole address of *url* on *connection*, which may go through a proxy."""
    if "://" in url:
        return url
    host = connection._tunnel_host or connection.host  # noqa: SLF001  http.client has no public name for it
    port = (connection._tunnel_port if connection._tunnel_host else connection.port) or connection.default_port  # noqa: SLF001
    scheme = "https" if connection.default_port == _HTTPS_PORT or connection._tunnel_host else "http"  # noqa: SLF001
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}{'' if port == connection.default_port else f':{port}'}{url}"


def _putrequest(real: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(real)
    def putrequest(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> None:
        address = address_of(self, url)
        if (handler := handler_for(method, address)) is not None:
            self.sock = Collector(method, address, self.sock, handler)
            setattr(self, _COLLECTOR, self.sock)
        real(self, method, url, *args, **kwargs)

    return putrequest


def _getresponse(real: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(real)
    def getresponse(self: Any) -> Any:
        collector = vars(self).pop(_COLLECTOR, None)
        if collector is None or self.sock is not collector:
            return real(self)
        decided = collector.handler.handle(collector.written.request())
        if isinstance(decided, HttpExchange):
            return _answer(real, self, decided, collector)
        return _send(real, self, decided, collector)

    return getresponse


class Collector:
    """The socket of a connection while a request is written to it."""

    def __init__(self, method: str, url: str, real: Any, handler: Handler) -> None:
        self.method, self.real, self.handler = method, real, handler
        self.written = WrittenRequest(method, url)
        self._timeout: tuple[Any, ...] = ()

    def sendall(self, data: Any) -> None:
        self.written.feed(data)

    def settimeout(self, seconds: float | None) -> None:
        self._timeout = (seconds,)

    def apply_timeout(self, sock: Any) -> None:
        """Set the timeout on *sock* that was set meanwhile."""
        if self._timeout:
            sock.settimeout(*self._timeout)

    def patience(self, connection: Any) -> float | None:
        """Return how long the caller would wait for a reply, in seconds; None for no limit."""
        seconds = self._timeout[0] if self._timeout else getattr(connection, "timeout", None)
        return seconds if isinstance(seconds, (int, float)) else None

    def shutdown(self, how: int) -> None:
        if self.real is not None:
            self.real.shutdown(how)

    def close(self) -> None:
        if self.real is not None:
            self.real.close()


class _Recorded:
    """A socket that has one reply to give."""

    def __init__(self, exchange: HttpExchange, method: str, patience: float | None) -> None:
        parts = parts_of_reply(exchange, method)
        if not exchange.waits:
            parts = iter([(b"".join(part for part, _ in parts), 0.0)])
        self._file = _Arriving(parts, exchange.failure, patience)

    def makefile(self, *_args: Any, **_options: Any) -> io.BufferedReader:
        return io.BufferedReader(self._file)

    def close(self) -> None:
        pass


class _Arriving(io.RawIOBase):
    """A reply that arrives in parts, as a socket would give it; its end may not come in time."""

    def __init__(self, parts: Iterator[tuple[bytes, float]], failure: str | None, patience: float | None) -> None:
        self._parts, self._failure, self._patience = parts, failure, patience
        self._data = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._data:
            self._data, wait = next(self._parts, (b"", 0.0))
            _wait(wait, self._patience)
            if not self._data and self._failure == "read_timeout":
                raise TimeoutError("timed out")
        given, self._data = self._data[: len(buffer)], self._data[len(buffer) :]
        buffer[: len(given)] = given
        return len(given)


def _wait(seconds: float, patience: float | None) -> None:
    """Wait for what is due in *seconds*, but no longer than the caller would."""
    if seconds:
        time.sleep(seconds if patience is None else min(seconds, patience))
    if patience is not None and seconds > patience:
        raise TimeoutError("timed out")


def _answer(real: Callable[..., Any], connection: Any, exchange: HttpExchange, collector: Collector) -> Any:
    connection.sock = None
    patience = collector.patience(connection)
    if exchange.reply is None:
        connection.close()
        _wait(first_wait(exchange), patience)
        raise _error(exchange)
    connection.sock = _Recorded(exchange, collector.method, patience)
    try:
        return real(connection)
    finally:
        connection.sock = collector.real  # whatever it was connected to stays as it was


def _error(exchange: HttpExchange) -> OSError:
    text = exchange.failure_text or ""
    if exchange.failure in ("connect_timeout", "read_timeout"):
        return TimeoutError(text or "timed out")
    return ConnectionRefusedError(text) if exchange.failure == "connect" else ConnectionResetError(text)


def _send(real: Callable[..., Any], connection: Any, recording: Recording | None, collector: Collector) -> Any:
    connection.sock = collector.real
    try:
        if connection.sock is None:
            connection.connect()
        sock: Any = connection.sock
        collector.apply_timeout(sock)
        sock.sendall(bytes(collector.written.raw))
        if recording is None:
            return real(connection)
        return _read_along(real, connection, recording, collector.method)
    except Exception as error:
        if recording is not None:
            recording.fail(_kind(error, is_connected=connection.sock is not None), str(error))
        raise


def _kind(error: Exception, *, is_connected: bool) -> str:
    if isinstance(error, TimeoutError) or "timed out" in str(error).lower():
        return "read_timeout" if is_connected else "connect_timeout"
    return "read" if is_connected else "connect"


def _read_along(real: Callable[..., Any], connection: Any, recording: Recording, method: str) -> Any:
    sock = connection.sock
    observed = _ObservedSocket(sock, recording, method)
    connection.sock = observed
    try:
        return real(connection)
    finally:
        if connection.sock is observed:
            connection.sock = sock


class _ObservedSocket:
    """A socket whose reply is recorded while it is read."""

    def __init__(self, sock: Any, recording: Recording, method: str) -> None:
        self._sock, self._recording, self._method = sock, recording, method

    def makefile(self, *args: Any, **options: Any) -> _ObservedFile:
        return _ObservedFile(self._sock.makefile(*args, **options), self._recording, self._method)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _ObservedFile(io.BufferedIOBase):
    """The file of a reply: bytes go to http.client, and to the reader that records them."""

    def __init__(self, real: Any, recording: Recording, method: str) -> None:
        self._real, self._recording = real, recording
        self._reader = ReplyReader(recording, method)
        self._is_at_end = False

    def readable(self) -> bool:
        return True

    def _observe(self, call: Callable[[], bytes]) -> bytes:
        try:
            data = call()
        except Exception as error:
            self._recording.fail(_kind(error, is_connected=True), str(error))
            raise
        if data or self._reader.has_head:  # no reply at all is an error of http.client, which is recorded as that
            self._reader.feed(data)
        return data

    def read(self, size: int | None = -1, /) -> bytes:
        if size == 0:
            return b""
        data = self._observe(lambda: self._real.read(size))
        self._is_at_end = size is None or size < 0 or len(data) < size  # a socket's file is short at its end only
        return data

    def read1(self, size: int = -1, /) -> bytes:
        return self._observe(lambda: self._real.read1(size)) if size else b""

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._observe(lambda: self._real.readline(size))

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def peek(self, size: int = 0, /) -> bytes:
        peeked: bytes = self._real.peek(size)
        return peeked

    def close(self) -> None:
        if self._reader.has_head and not self.closed:
            if self._is_at_end:
                self._reader.closed(None)
            self._recording.finish("partial")  # without effect on one that is over
        self._real.close()
        super().close()
