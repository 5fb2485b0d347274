"""
Requests through ``completion`` and ``acompletion`` of litellm, or of a Router of it.

litellm answers with objects in the words of chat completions, and raises its errors; both are handed on here as the
bytes that a server of that format would have sent.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llm_gateway.flow.limit import Limit, soonest
from llm_gateway.flow.steps import Head
from llm_gateway.transport.failure import Phase, carried_by, give_up, refuse
from llm_gateway.types import Headers, JsonObject, WireReply, WireRequest

__all__ = ["AsyncLitellmPool", "Litellm", "LitellmPool"]

_CODES = {
    "ContentPolicyViolationError": "content_filter",
    "ContextWindowExceededError": "context_length_exceeded",
    "UnsupportedParamsError": "unsupported_parameter",
}
"""litellm's classes that say more than their status."""
_DONE = b"data: [DONE]\n\n"
_WAITS = ("retry-after", "retry-after-ms")


@dataclass(frozen=True)
class Litellm:
    """
    Who is asked.

    Attributes:
        functions: The module ``litellm``, or a ``Router``.

        options: What each call is given beside its body.
    """

    functions: Any
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def asked(self, request: WireRequest, waiting: _Waiting) -> JsonObject:
        """The arguments for *request*; an own ``timeout`` among the options wins."""
        return {**json.loads(request.body), "timeout": waiting.left_s, **self.options}


class _Waiting:
    """How long one request may take."""

    def __init__(self, request: WireRequest, limits: Sequence[Limit]) -> None:
        self.request = request
        self.limit, self._end = soonest(limits, time.monotonic())

    @property
    def left_s(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._end - time.monotonic())

    def renew(self, limits: Sequence[Limit]) -> None:
        """A piece is to be read, within new *limits* if there are any."""
        if limits:
            self.limit, self._end = soonest(limits, time.monotonic())
        if not self.left_s:
            give_up(self.request, self.limit)


def _written(answer: Any, request: WireRequest) -> bytes:
    """
    An answer, or a piece of one, as its JSON.

    The model's name gets back the provider that litellm takes off: without it, nothing tells what the call costs.
    """
    body: JsonObject = json.loads(answer.model_dump_json())
    provider, slash, _ = str(json.loads(request.body)["model"]).partition("/")
    served = body.get("model")
    if slash and served and not served.startswith(f"{provider}/"):
        body["model"] = f"{provider}/{served}"
    return json.dumps(body, ensure_ascii=False).encode()


def _refused(error: Any, waiting: _Waiting, phase: Phase = "head") -> WireReply:
    """
    The reply behind an error of litellm's; another error is raised as it is.

    Raises:
        ProviderError: There was no reply.
    """
    name, status = type(error).__name__, getattr(error, "status_code", None if phase == "head" else 500)
    if "Timeout" in name:
        give_up(waiting.request, waiting.limit, error)
    if any(_is_away(one) for one in _causes(error)):
        refuse(error, waiting.request, phase)
    if not isinstance(status, int):
        raise error
    said = {
        "message": str(getattr(error, "message", error)),
        "type": getattr(error, "type", None) or name,
        "code": _CODES.get(name) or getattr(error, "code", None),
    }
    return WireReply(status, _waits(error), json.dumps({"error": said}).encode(), carried_by(error))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """*error* and what it was raised for: litellm makes a failed server of some connections that were lost."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _is_away(error: BaseException) -> bool:
    """Whether nobody was reached; litellm's own class of that name stands for any error that it does not know."""
    return "Connect" in type(error).__name__ and not type(error).__module__.startswith("litellm.")


def _waits(error: Any) -> Headers:
    """How long to wait: litellm keeps the headers of a refusal under one of two names, by its provider."""
    reply = getattr(error, "response", None)
    headers = getattr(error, "litellm_response_headers", None) or getattr(reply, "headers", None) or {}
    return tuple((name, str(headers[name])) for name in _WAITS if name in headers)


def _event(body: bytes) -> bytes:
    return b"data: " + body + b"\n\n"


class LitellmPool:
    """Asks ``completion``."""

    def __init__(self, client: Litellm, usual: Sequence[Limit]) -> None:
        self._client = client
        self._usual = usual

    def send(self, request: WireRequest, limits: Sequence[Limit] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        waiting = _Waiting(request, limits or self._usual)
        try:
            answer = self._client.functions.completion(**self._client.asked(request, waiting))
        except Exception as error:  # noqa: BLE001  what litellm raises shares no base
            return _refused(error, waiting)
        return WireReply(200, (), _written(answer, request))

    def open(self, request: WireRequest, limits: Sequence[Limit] = ()) -> Opened:
        """Send *request* and read the head of its reply."""
        waiting = _Waiting(request, limits or self._usual)
        try:
            answer = self._client.functions.completion(**self._client.asked(request, waiting))
        except Exception as error:  # noqa: BLE001  as above
            refused = _refused(error, waiting)
            return Opened(Head(refused.status, refused.headers, refused.holder), iter((refused.body,)), waiting)
        return Opened(Head(200, ()), _pieces(answer, waiting), waiting)


def _pieces(answer: Any, waiting: _Waiting) -> Iterator[bytes]:
    try:
        for chunk in answer:
            yield _event(_written(chunk, waiting.request))
    except Exception as error:  # noqa: BLE001  as above
        yield _event(_refused(error, waiting, "stream").body)
    else:
        yield _DONE
    finally:
        getattr(answer, "close", lambda: None)()


class Opened:
    """A reply of which the head was read."""

    def __init__(self, head: Head, pieces: Iterator[bytes], waiting: _Waiting) -> None:
        self.head = head
        self._pieces = pieces
        self._waiting = waiting

    def read(self, limits: Sequence[Limit] = ()) -> bytes:
        """The next piece of the body; none at its end. How long one may take is litellm's to keep."""
        self._waiting.renew(limits)
        return next(self._pieces, b"")

    def close(self) -> None:
        """Let go of the rest."""
        getattr(self._pieces, "close", lambda: None)()


class AsyncLitellmPool:
    """Asks ``acompletion``."""

    def __init__(self, client: Litellm, usual: Sequence[Limit]) -> None:
        self._client = client
        self._usual = usual

    async def send(self, request: WireRequest, limits: Sequence[Limit] = ()) -> WireReply:
        """Send *request* and read the whole reply."""
        waiting = _Waiting(request, limits or self._usual)
        try:
            answer = await self._client.functions.acompletion(**self._client.asked(request, waiting))
        except Exception as error:  # noqa: BLE001  as above
            return _refused(error, waiting)
        return WireReply(200, (), _written(answer, request))

    async def open(self, request: WireRequest, limits: Sequence[Limit] = ()) -> AsyncOpened:
        """Send *request* and read the head of its reply."""
        waiting = _Waiting(request, limits or self._usual)
        try:
            answer = await self._client.functions.acompletion(**self._client.asked(request, waiting))
        except Exception as error:  # noqa: BLE001  as above
            refused = _refused(error, waiting)
            return AsyncOpened(Head(refused.status, refused.headers, refused.holder), _one(refused.body), waiting)
        return AsyncOpened(Head(200, ()), _async_pieces(answer, waiting), waiting)


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


async def _async_pieces(answer: Any, waiting: _Waiting) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer:
            yield _event(_written(chunk, waiting.request))
    except Exception as error:  # noqa: BLE001  as above
        yield _event(_refused(error, waiting, "stream").body)
    else:
        yield _DONE
    finally:
        if (close := getattr(answer, "aclose", None) or getattr(answer, "close", None)) is not None:
            await close()


class AsyncOpened:
    """A reply of which the head was read."""

    def __init__(self, head: Head, pieces: Any, waiting: _Waiting) -> None:
        self.head = head
        self._pieces = pieces
        self._waiting = waiting

    async def read(self, limits: Sequence[Limit] = ()) -> bytes:
        """The next piece of the body; none at its end."""
        import anyio

        self._waiting.renew(limits)
        try:
            with anyio.fail_after(self._waiting.left_s):
                return bytes(await anext(self._pieces, b""))
        except TimeoutError as error:
            give_up(self._waiting.request, self._waiting.limit, error)

    async def close(self) -> None:
        """Let go of the rest."""
        await self._pieces.aclose()
