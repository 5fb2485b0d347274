"""The hook for httpx and httpx2, which share their names: streams reach the caller while they are recorded."""

from __future__ import annotations

import functools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from types import ModuleType
from typing import Any

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange, timed_chunks
from llm_gateway.interception import active
from llm_gateway.interception.dispatch import handler_for
from llm_gateway.record import EXTENSION, RecordHolder
from llm_gateway.types import WireRequest

__all__ = ["install"]

_KINDS = (
    ("ConnectTimeout", "connect_timeout"),
    ("PoolTimeout", "connect_timeout"),
    ("TimeoutException", "read_timeout"),
    ("ConnectError", "connect"),
    ("NetworkError", "read"),
    ("ProtocolError", "protocol"),
)
_PARTIAL = "the recording ends here: the reader stopped when it was recorded; record it again: pytest --llm-record"
_ERRORS = {
    "connect": "ConnectError",
    "connect_timeout": "ConnectTimeout",
    "read_timeout": "ReadTimeout",
    "read": "ReadError",
    "protocol": "RemoteProtocolError",
}


def install(module: ModuleType) -> None:
    """Wrap the transports of *module*, which is httpx or httpx2. Mock, ASGI and WSGI transports stay as they are."""
    hook = _Hook(module)
    hook.wrap(module.HTTPTransport, "handle_request", hook.sync)
    hook.wrap(module.AsyncHTTPTransport, "handle_async_request", hook.asynchronous)
    hook.share_certificates()


class _Hook:
    """The hook for one of the two libraries."""

    def __init__(self, module: ModuleType) -> None:
        self.module: Any = module
        self.replay_stream = _replay_class(self)
        self.sync_stream, self.async_stream = _recording_class(self), _async_recording_class(self)

    def wrap(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        real = getattr(owner, name)
        if not hasattr(real, "__wrapped__"):
            setattr(owner, name, functools.wraps(real)(make(real)))

    def sync(self, real: Any) -> Any:
        def handle_request(transport: Any, request: Any) -> Any:
            handler = handler_for(request.method, str(request.url))
            if handler is None:
                return real(transport, request)
            decided = handler.handle(_wire(request, request.read()))
            if decided is None:
                return real(transport, request)
            if isinstance(decided, HttpExchange):
                if decided.waits:
                    self.wait(decided.waits[0], request)
                return self.answer(decided, request)
            with _Failing(self, decided):
                response = real(transport, request)
            return self.record(decided, response, self.sync_stream)

        return handle_request

    def asynchronous(self, real: Any) -> Any:
        async def handle_async_request(transport: Any, request: Any) -> Any:
            handler = handler_for(request.method, str(request.url))
            if handler is None:
                return await real(transport, request)
            decided = handler.handle(_wire(request, await request.aread()))
            if decided is None:
                return await real(transport, request)
            if isinstance(decided, HttpExchange):
                if decided.waits:
                    await self.wait_later(decided.waits[0], request)
                return self.answer(decided, request)
            with _Failing(self, decided):
                response = await real(transport, request)
            return self.record(decided, response, self.async_stream)

        return handle_async_request

    def answer(self, exchange: HttpExchange, request: Any) -> Any:
        """Return the recorded reply as this library's response; its stream yields the recorded chunks."""
        if exchange.reply is None:
            raise self.error(exchange, request)
        return self.module.Response(
            exchange.reply.status,
            headers=list(exchange.reply.headers),
            stream=self.replay_stream(exchange, request),
            extensions={
                "http_version": b"HTTP/1.1",
                "reason_phrase": exchange.reason.encode("ascii", "replace"),
                EXTENSION: RecordHolder(exchange.record),
            },
        )

    def wait(self, seconds: float, request: Any) -> None:
        """Wait for what is due in *seconds*, but no longer than *request* would."""
        if seconds:
            time.sleep(min(seconds, _patience(request)))
            self._give_up(seconds, request)

    async def wait_later(self, seconds: float, request: Any) -> None:
        """Wait as `wait` does, on whichever event loop this runs."""
        if seconds:
            import anyio

            await anyio.sleep(min(seconds, _patience(request)))
            self._give_up(seconds, request)

    def _give_up(self, seconds: float, request: Any) -> None:
        if seconds > _patience(request):
            raise self.module.ReadTimeout("The read operation timed out", request=request)

    def record(self, recording: Recording, response: Any, stream: Any) -> Any:
        """Report the head of *response* to *recording*, and its body when it is read."""
        reason = response.extensions.get("reason_phrase", b"").decode("ascii", "replace")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw]
        recording.head(response.status_code, reason, headers)
        response.stream = stream(response.stream, recording)
        response.extensions[EXTENSION] = recording.holder
        return response

    def error(self, exchange: HttpExchange, request: Any) -> Exception:
        """Return the transport error that was recorded, as this library raises it."""
        kind = getattr(self.module, _ERRORS.get(exchange.failure or "", "ReadError"))
        made: Exception = kind(exchange.failure_text or exchange.failure or "", request=request)
        setattr(made, EXTENSION, RecordHolder(exchange.record))
        return made

    def kind(self, error: BaseException) -> str:
        """Return the recorded name of this library's *error*."""
        return next((kind for name, kind in _KINDS if isinstance(error, getattr(self.module, name))), "read")

    def share_certificates(self) -> None:
        """
        Read the system's certificates once, not for each client, while nothing will connect.

        A default client reads them each time it is made, which takes longer than everything else a replay does.
        """
        default = getattr(self.module._transports, "default", None)  # noqa: SLF001
        real = getattr(default, "create_ssl_context", None)
        if real is None or hasattr(real, "__wrapped__"):
            return
        shared: dict[bool, Any] = {}

        @functools.wraps(real)
        def create_ssl_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> Any:
            cassette = active.current()
            if verify is not True or cert is not None or cassette is None or cassette.mode.connects:
                return real(verify=verify, cert=cert, trust_env=trust_env)
            if trust_env not in shared:
                shared[trust_env] = real(trust_env=trust_env)
            return shared[trust_env]

        setattr(default, "create_ssl_context", create_ssl_context)  # noqa: B010


class _Failing:
    """A block whose error is reported to the recording; a caller that gives up inside a stream closes that instead."""

    def __init__(self, hook: _Hook, recording: Recording, *, is_stream: bool = False) -> None:
        self._hook, self._recording, self._is_stream = hook, recording, is_stream

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if error is None:
            return
        if isinstance(error, Exception):
            self._recording.fail(self._hook.kind(error), str(error))
            setattr(error, EXTENSION, self._recording.holder)
        elif not self._is_stream:
            self._recording.finish("partial")


def _patience(request: Any) -> float:
    """Return how long *request* would wait for the next bytes, in seconds."""
    seconds = (request.extensions.get("timeout") or {}).get("read")
    return float("inf") if seconds is None else seconds


def _wire(request: Any, body: bytes) -> WireRequest:
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    provider = request.extensions.get(EXTENSION)
    return WireRequest(request.method, str(request.url), headers, body, provider if isinstance(provider, str) else None)


class _Replay:
    """The stream of a reply that is replayed, in its recorded chunks and, where it has waits, in its time."""

    _hook: _Hook  # of the library whose stream this is

    def __init__(self, exchange: HttpExchange, request: Any) -> None:
        self._exchange, self._request = exchange, request

    def __iter__(self) -> Iterator[bytes]:
        for chunk, wait in timed_chunks(self._exchange):
            if wait:
                self._hook.wait(wait, self._request)
            yield chunk
        self._end()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk, wait in timed_chunks(self._exchange):
            await self._hook.wait_later(wait, self._request)
            yield chunk
        self._end()

    def _end(self) -> None:
        if self._exchange.failure:
            raise self._hook.error(self._exchange, self._request)
        if self._exchange.end == "partial":
            raise self._hook.module.ReadError(_PARTIAL, request=self._request)


def _replay_class(hook: _Hook) -> Any:
    return type("Replay", (_Replay, hook.module.SyncByteStream, hook.module.AsyncByteStream), {"_hook": hook})


def _recording_class(hook: _Hook) -> Any:
    class RecordedStream(hook.module.SyncByteStream):  # type: ignore[misc,name-defined]
        def __init__(self, real: Any, recording: Recording) -> None:
            self._real, self._recording = real, recording

        def __iter__(self) -> Iterator[bytes]:
            with _Failing(hook, self._recording, is_stream=True):
                for chunk in self._real:
                    self._recording.chunk(chunk)
                    yield chunk
            self._recording.finish()

        def close(self) -> None:
            self._recording.finish("partial")
            self._real.close()

    return RecordedStream


def _async_recording_class(hook: _Hook) -> Any:
    class AsyncRecordedStream(hook.module.AsyncByteStream):  # type: ignore[misc,name-defined]
        def __init__(self, real: Any, recording: Recording) -> None:
            self._real, self._recording = real, recording

        async def __aiter__(self) -> AsyncIterator[bytes]:
            with _Failing(hook, self._recording, is_stream=True):
                async for chunk in self._real:
                    self._recording.chunk(chunk)
                    yield chunk
            self._recording.finish()

        async def aclose(self) -> None:
            self._recording.finish("partial")
            await self._real.aclose()

    return AsyncRecordedStream
