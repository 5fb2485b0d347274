"""
Requests through ``completion`` and ``acompletion`` of litellm, or of one of its routers.

litellm returns objects in the format of chat completions, and raises errors of its own; both become the bytes that a
server of that format would have sent.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_gateway.flow.steps import Head
from llm_gateway.flow.timeout import Timeout, earliest
from llm_gateway.transport.failure import Phase, carried_by, raise_connection_error, raise_timeout
from llm_gateway.types import Headers, JsonObject, WireReply, WireRequest

__all__ = ["AsyncLitellmPool", "Litellm", "LitellmPool"]

_CODES = {
    "ContentPolicyViolationError": "content_filter",
    "ContextWindowExceededError": "context_length_exceeded",
    "UnsupportedParamsError": "unsupported_parameter",
}
"""Error codes of litellm's classes that are more specific than their status."""
_DONE = b"data: [DONE]\n\n"
_RETRY_HEADERS = ("retry-after", "retry-after-ms")


@dataclass(frozen=True)
class Litellm:
    """
    A client of litellm.

    Attributes:
        functions: The module ``litellm``, or a ``Router``.

        options: Arguments of each call in addition to its body.
    """

    functions: Any
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def arguments(self, request: WireRequest, timed: _TimedRequest) -> JsonObject:
        """Return the arguments for *request*; a ``timeout`` in the options replaces that of the request."""
        return {**json.loads(request.body), "timeout": timed.left_s, **self.options}


class _TimedRequest:
    """One request with its timeouts."""

    def __init__(self, request: WireRequest, timeouts: Sequence[Timeout]) -> None:
        self.request = request
        self.timeout, self._end = earliest(timeouts, time.monotonic())

    @property
    def left_s(self) -> float:
        """Return the seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def renew(self, timeouts: Sequence[Timeout]) -> None:
        """Check the deadline before a read, and start new *timeouts* if there are any."""
        if timeouts:
            self.timeout, self._end = earliest(timeouts, time.monotonic())
        if not self.left_s:
            raise_timeout(self.request, self.timeout)


def _encode(answer: Any, request: WireRequest) -> bytes:
    """
    Encode an answer, or a chunk of one, as JSON.

    The model's name gets back the provider that litellm removes: the price depends on it.
    """
    body: JsonObject = json.loads(answer.model_dump_json())
    provider, slash, _ = str(json.loads(request.body)["model"]).partition("/")
    served = body.get("model")
    if slash and served and not served.startswith(f"{provider}/"):
        body["model"] = f"{provider}/{served}"
    return json.dumps(body, ensure_ascii=False).encode()


def _error_reply(error: Any, timed: _TimedRequest, phase: Phase = "head") -> WireReply:
    """
    Return the reply behind *error* of litellm; raise any other error unchanged.

    Raises:
        ProviderError: There was no reply.
    """
    name, status = type(error).__name__, getattr(error, "status_code", None if phase == "head" else 500)
    if "Timeout" in name:
        raise_timeout(timed.request, timed.timeout, error)
    if any(_is_unreachable(one) for one in _causes(error)):
        raise_connection_error(error, timed.request, phase)
    if not isinstance(status, int):
        raise error
    fields = {
        "message": str(getattr(error, "message", error)),
        "type": getattr(error, "type", None) or name,
        "code": _CODES.get(name) or getattr(error, "code", None),
    }
    return WireReply(status, _retry_headers(error), json.dumps({"error": fields}).encode(), carried_by(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield *error* and its causes: litellm reports some lost connections as server errors."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_unreachable(error: BaseException) -> bool:
    """Return whether the connection failed; litellm's own class of that name covers all errors unknown to it."""
    return "Connect" in type(error).__name__ and not type(error).__module__.startswith("litellm.")


def _retry_headers(error: Any) -> Headers:
    """Return the ``Retry-After`` headers; litellm keeps headers under one of two names, by provider."""
    reply = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(reply, "headers", None) or {}
    return tuple((name, str(headers[name])) for name in _RETRY_HEADERS if name in headers)


def _event(body: bytes) -> bytes:
    return b"data: " + body + b"\n\n"


class LitellmPool:
    """Requests through ``completion``."""

    def __init__(self, client: Litellm, default_timeouts: Sequence[Timeout]) -> None:
        self._client = client
        self._default_timeouts = default_timeouts

    def send(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        timed = _TimedRequest(request, timeouts or self._default_timeouts)
        try:
            answer = self._client.functions.completion(**self._client.arguments(request, timed))
        except Exception as error:  # noqa: BLE001  litellm's errors share no base class
            return _error_reply(error, timed)
        return WireReply(200, (), _encode(answer, request))

    def open(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> LitellmReply:
        """Send *request* and read the head of its reply."""
        timed = _TimedRequest(request, timeouts or self._default_timeouts)
        try:
            answer = self._client.functions.completion(**self._client.arguments(request, timed))
        except Exception as error:  # noqa: BLE001  as above
            reply = _error_reply(error, timed)
            return LitellmReply(Head(reply.status, reply.headers, reply.holder), iter((reply.body,)), timed)
        return LitellmReply(Head(200, ()), _chunks(answer, timed), timed)


def _chunks(answer: Any, timed: _TimedRequest) -> Iterator[bytes]:
    try:
        for chunk in answer:
            yield _event(_encode(chunk, timed.request))
    except Exception as error:  # noqa: BLE001  as above
        yield _event(_error_reply(error, timed, "stream").body)
    else:
        yield _DONE
    finally:
        getattr(answer, "close", lambda: None)()


class LitellmReply:
    """A reply whose head is read, and whose body is read chunk by chunk."""

    def __init__(self, head: Head, chunks: Iterator[bytes], timed: _TimedRequest) -> None:
        self.head = head
        self._chunks = chunks
        self._timed = timed

    def read(self, timeouts: Sequence[Timeout] = ()) -> bytes:
        """Return the next chunk of the body, ``b""`` at its end; litellm itself keeps the timeout of a read."""
        self._timed.renew(timeouts)
        return next(self._chunks, b"")

    def close(self) -> None:
        """Close the stream, without reading the rest."""
        getattr(self._chunks, "close", lambda: None)()


class AsyncLitellmPool:
    """Requests through ``acompletion``."""

    def __init__(self, client: Litellm, default_timeouts: Sequence[Timeout]) -> None:
        self._client = client
        self._default_timeouts = default_timeouts

    async def send(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        timed = _TimedRequest(request, timeouts or self._default_timeouts)
        try:
            answer = await self._client.functions.acompletion(**self._client.arguments(request, timed))
        except Exception as error:  # noqa: BLE001  as above
            return _error_reply(error, timed)
        return WireReply(200, (), _encode(answer, request))

    async def open(self, request: WireRequest, timeouts: Sequence[Timeout] = ()) -> AsyncLitellmReply:
        """Send *request* and read the head of its reply."""
        timed = _TimedRequest(request, timeouts or self._default_timeouts)
        try:
            answer = await self._client.functions.acompletion(**self._client.arguments(request, timed))
        except Exception as error:  # noqa: BLE001  as above
            reply = _error_reply(error, timed)
            return AsyncLitellmReply(Head(reply.status, reply.headers, reply.holder), _one(reply.body), timed)
        return AsyncLitellmReply(Head(200, ()), _async_chunks(answer, timed), timed)


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _async_chunks(answer: Any, timed: _TimedRequest) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer:
            yield _event(_encode(chunk, timed.request))
    except Exception as error:  # noqa: BLE001  as above
        yield _event(_error_reply(error, timed, "stream").body)
    else:
        yield _DONE
    finally:
        if (close := getattr(answer, "aclose", None) or getattr(answer, "close", None)) is not None:
            await close()


class AsyncLitellmReply:
    """A reply whose head is read, and whose body is read chunk by chunk."""

    def __init__(self, head: Head, chunks: Any, timed: _TimedRequest) -> None:
        self.head = head
        self._chunks = chunks
        self._timed = timed

    async def read(self, timeouts: Sequence[Timeout] = ()) -> bytes:
        """Return the next chunk of the body, ``b""`` at its end."""
        import anyio

        self._timed.renew(timeouts)
        try:
            with anyio.fail_after(self._timed.left_s):
                return bytes(await anext(self._chunks, b""))
        except TimeoutError as error:
            raise_timeout(self._timed.request, self._timed.timeout, error)

    async def close(self) -> None:
        """Close the stream, without reading the rest."""
        await self._chunks.aclose()
