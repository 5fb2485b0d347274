"""
Requests through a client of an official SDK, with its own address, authentication, headers and proxies.

The SDK's low-level ``post`` sends the encoded body and returns the reply unread; its retries are off, as the flow
retries. Works with anthropic 0.40 and later and openai 1.0 and later, all their variants.

Its own timeouts apply in addition to those of the call: an async client is cancelled at a deadline, and the reads of a
sync client end at it. With a custom sync transport, deadlines are checked only after each chunk.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Sequence
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from llm_gateway.exceptions import ConfigError
from llm_gateway.flow.steps import Head
from llm_gateway.flow.timeout import Timeout, earliest
from llm_gateway.record import holder_of
from llm_gateway.transport.deadline import Deadline, limit_reads
from llm_gateway.transport.failure import Phase, raise_connection_error, raise_decoding_error, raise_timeout
from llm_gateway.types import WireReply, WireRequest

__all__ = ["AsyncSdkPool", "SdkPool"]

_RAW_REPLY = {"X-Stainless-Raw-Response": "stream"}
"""Header with which the SDKs return the reply before its body is read."""


def _call(client: Any, request: WireRequest, timeout: Any = None) -> Any:
    """Send *request* with *client*, within *timeout*, of its HTTP library; with None, within the client's own."""
    base = urlsplit(str(client.base_url)).path.rstrip("/")
    path = urlsplit(request.url).path
    ours = _path_of(path, base)
    kept = {name: value for name, value in request.headers if name.lower() == "accept"}
    once = client.with_options(max_retries=0)
    options: dict[str, Any] = {"headers": {**kept, **_RAW_REPLY}, **({} if timeout is None else {"timeout": timeout})}
    if request.method == "GET":
        params = dict(parse_qsl(urlsplit(request.url).query))
        return once.get(ours, cast_to=object, options={**options, "params": params})
    return once.post(
        ours,
        cast_to=object,
        body=json.loads(request.body),
        options=options,
        stream="event-stream" in kept.get("accept", ""),
    )


def _path_of(path: str, base: str) -> str:
    """Return *path* relative to the path of the client's base URL."""
    for prefix in (base, "/v1"):
        if prefix and path.startswith(f"{prefix}/") and base.endswith(prefix):
            return path.removeprefix(prefix)
    return path


def _reply_of(error: Any) -> Any:
    """Return the reply behind an SDK's error; None for an error without one."""
    return getattr(error, "response", None)


class _TimedRequest:
    """One request through *client*, with its timeouts."""

    def __init__(self, client: Any, request: WireRequest, timeouts: Sequence[Timeout]) -> None:
        self.request = dataclasses.replace(request, url=str(client.base_url))
        self._phase: Phase = "head"
        self._timeout, end = earliest(timeouts, time.monotonic())
        own = getattr(client, "timeout", None)
        self._deadline = Deadline(getattr(own, "read", own), end)

    @property
    def left_s(self) -> float:
        """Return the seconds that are left."""
        return self._deadline.end - time.monotonic()

    def timeout(self, client: Any) -> Any:
        """Return the timeout of *client*, whose reads end at this call's deadline too; None where it has none."""
        of_library = getattr(getattr(client, "_client", None), "timeout", None)
        if of_library is None:
            return None
        own = client.timeout
        names = ("connect", "write", "pool")
        return type(of_library)(**{name: getattr(own, name, own) for name in names}, read=self._deadline)

    def begin_read(self, phase: Phase, timeouts: Sequence[Timeout] = ()) -> None:
        """Check the deadline before a read, and start new *timeouts* if there are any."""
        self._phase = phase
        if timeouts:
            self._timeout, self._deadline.end = earliest(timeouts, time.monotonic())
        if self.left_s <= 0:
            raise_timeout(self.request, self._timeout)

    def raise_error(self, error: Exception) -> NoReturn:
        """Raise the `ProviderError` for *error* of any HTTP library; raise any other error unchanged."""
        names = " ".join(one.__name__ for one in type(error).__mro__)
        if "Timeout" in names:
            raise_timeout(self.request, self._timeout, error)
        if "DecodingError" in names:
            raise_decoding_error(error, self.request)
        if "Connection" not in names and "Transport" not in names:
            raise error
        raise_connection_error(error, self.request, self._phase)


def _pairs(response: Any) -> tuple[tuple[str, str], ...]:
    return tuple(response.headers.multi_items())


def _raise_wrong_client(client: Any, ours: str, other: str) -> NoReturn:
    raise ConfigError(
        f"{ours} cannot send through {type(client).__name__}",
        cause="SyncLLMClient takes the SDK's sync client, LLMClient its async client",
        fix=f"use {other}, or pass the SDK's other client",
    )


class SdkPool:
    """Requests through a sync client, with *default_timeouts*; its owner closes the client."""

    def __init__(self, client: Any, default_timeouts: Sequence[Timeout]) -> None:
        if hasattr(client, "__aenter__"):
            _raise_wrong_client(client, "SyncLLMClient", "LLMClient")
        self._client = client
        self._default_timeouts = default_timeouts
        limit_reads(getattr(client, "_client", None))

    def send(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        opened = self.open(request, timeouts)
        try:
            body = b"".join(iter(opened.read, b""))
        finally:
            opened.close()
        return WireReply(opened.head.status, opened.head.headers, body, opened.head.holder)

    def open(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> SdkReply:
        """Send *request* and read the head of its reply."""
        timed = _TimedRequest(self._client, request, timeouts or self._default_timeouts)
        try:
            response = _call(self._client, request, timed.timeout(self._client)).http_response
        except Exception as error:  # noqa: BLE001  the SDKs' errors share no base class
            response = _reply_of(error)
            if response is None:
                timed.raise_error(error)
        return SdkReply(timed, response)


class SdkReply:
    """A reply whose head is read, and whose body is read chunk by chunk."""

    def __init__(self, timed: _TimedRequest, response: Any) -> None:
        self._timed = timed
        self._response = response
        self._chunks = response.iter_bytes()
        self.head = Head(response.status_code, _pairs(response), holder_of(response))

    def read(self, timeouts: Sequence[Timeout] = ()) -> bytes:
        """Return the next chunk of the body, ``b""`` at its end; without *timeouts* those of the request apply."""
        self._timed.begin_read("stream" if timeouts else "body", timeouts)
        try:
            return bytes(next(self._chunks, b""))
        except Exception as error:  # noqa: BLE001  as above
            self._timed.raise_error(error)

    def close(self) -> None:
        """Close the connection, without reading the rest."""
        self._response.close()


class AsyncSdkPool:
    """Requests through an async client, with *default_timeouts*; its owner closes the client."""

    def __init__(self, client: Any, default_timeouts: Sequence[Timeout]) -> None:
        if not hasattr(client, "__aenter__"):
            _raise_wrong_client(client, "LLMClient", "SyncLLMClient")
        self._client = client
        self._default_timeouts = default_timeouts

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

    async def open(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> AsyncSdkReply:
        """Send *request* and read the head of its reply."""
        import anyio

        timed = _TimedRequest(self._client, request, timeouts or self._default_timeouts)
        try:
            with anyio.fail_after(timed.left_s):
                response = (await _call(self._client, request)).http_response
        except Exception as error:  # noqa: BLE001  as above
            response = _reply_of(error)
            if response is None:
                timed.raise_error(error)
        return AsyncSdkReply(timed, response)


class AsyncSdkReply:
    """A reply whose head is read, and whose body is read chunk by chunk."""

    def __init__(self, timed: _TimedRequest, response: Any) -> None:
        self._timed = timed
        self._response = response
        self._chunks = response.aiter_bytes()
        self.head = Head(response.status_code, _pairs(response), holder_of(response))

    async def read(self, timeouts: Sequence[Timeout] = ()) -> bytes:
        """Return the next chunk of the body, as `SdkReply.read` does."""
        import anyio

        self._timed.begin_read("stream" if timeouts else "body", timeouts)
        try:
            with anyio.fail_after(self._timed.left_s):
                return bytes(await anext(self._chunks, b""))
        except Exception as error:  # noqa: BLE001  as above
            self._timed.raise_error(error)

    async def close(self) -> None:
        """Close the connection, without reading the rest."""
        await self._response.aclose()
