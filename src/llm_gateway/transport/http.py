"""Steps over httpx2, sync and async. Transport errors become `ProviderError` with a kind."""

from __future__ import annotations

import asyncio
import time
from typing import Any, NoReturn
from urllib.parse import urlsplit

from llm_gateway.exceptions import ErrorKind, ProviderError
from llm_gateway.flow.steps import Head, Now, Open, Read, Run, Send, Sleep, Step
from llm_gateway.transport import process
from llm_gateway.types import Headers, WireReply, WireRequest

__all__ = ["AsyncTransport", "Transport"]


def _options(timeout_s: float) -> dict[str, Any]:
    import httpx2

    return {"timeout": httpx2.Timeout(timeout_s, connect=min(timeout_s, 10.0)), "follow_redirects": False}


def _built(client: Any, request: WireRequest) -> Any:
    return client.build_request(request.method, request.url, headers=list(request.headers), content=request.body)


def _headers(response: Any) -> Headers:
    return tuple(response.headers.multi_items())


def _refuse(error: Exception, request: WireRequest | None) -> NoReturn:
    import httpx2

    kind: ErrorKind = "connection"
    if isinstance(error, httpx2.TimeoutException):
        kind = "timeout"
    elif request is None:
        kind = "stream_interrupted"
    where = urlsplit(request.url).netloc if request else "the provider"
    what = {
        "timeout": f"no answer from {where} in time",
        "stream_interrupted": "the stream broke off",
        "connection": f"cannot reach {where}",
    }[kind]
    raise ProviderError(
        what,
        kind=kind,
        cause=str(error) or type(error).__name__,
        fix="check the address (LLM_BASE_URL) and the network, or raise LLM_TIMEOUT_S"
        if kind != "stream_interrupted"
        else None,
    ) from error


class Transport:
    """Does steps in the calling thread, over one pool of connections."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._pool: Any = None

    def session(self) -> _Session:
        """Who does the steps of one flow."""
        if self._pool is None:
            import httpx2

            self._pool = httpx2.Client(**_options(self._timeout_s))
        return _Session(self._pool)

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None


class _Session:
    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._response: Any = None
        self._pieces: Any = None

    def do(self, step: Step) -> Any:
        import httpx2

        request = step.request if isinstance(step, Send | Open) else None
        try:
            return self._do(step)
        except httpx2.TransportError as error:
            _refuse(error, request)

    def _do(self, step: Step) -> Any:
        match step:
            case Send(request):
                response = self._pool.send(_built(self._pool, request))
                return WireReply(response.status_code, _headers(response), response.content)
            case Open(request):
                self._response = self._pool.send(_built(self._pool, request), stream=True)
                self._pieces = self._response.iter_bytes()
                return Head(self._response.status_code, _headers(self._response))
            case Read():
                return next(self._pieces, b"")
            case Run(command, timeout_s):
                return process.run(command, timeout_s=timeout_s)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Now():
                return time.monotonic()
        raise TypeError(step)

    def end(self) -> None:
        if self._response is not None:
            self._response.close()


class AsyncTransport:
    """Does steps in an event loop; each loop has its own pool, as connections cannot move between loops."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._pool: Any = None
        self._loop: Any = None

    def session(self) -> _AsyncSession:
        """Who does the steps of one flow, in the running loop."""
        loop = _running_loop()
        if self._pool is None or self._loop is not loop:
            import httpx2

            self._pool, self._loop = httpx2.AsyncClient(**_options(self._timeout_s)), loop
        return _AsyncSession(self._pool)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        if self._pool is not None and self._loop is _running_loop():
            await self._pool.aclose()
        self._pool = self._loop = None


def _running_loop() -> Any:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # trio, or anything else that anyio speaks
        return None


class _AsyncSession:
    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self._response: Any = None
        self._pieces: Any = None

    async def do(self, step: Step) -> Any:
        import httpx2

        request = step.request if isinstance(step, Send | Open) else None
        try:
            return await self._do(step)
        except httpx2.TransportError as error:
            _refuse(error, request)

    async def _do(self, step: Step) -> Any:
        match step:
            case Send(request):
                response = await self._pool.send(_built(self._pool, request))
                return WireReply(response.status_code, _headers(response), response.content)
            case Open(request):
                self._response = await self._pool.send(_built(self._pool, request), stream=True)
                self._pieces = self._response.aiter_bytes()
                return Head(self._response.status_code, _headers(self._response))
            case Read():
                return await anext(self._pieces, b"")
            case Run(command, timeout_s):
                return await process.arun(command, timeout_s=timeout_s)
            case Sleep(seconds):
                import anyio

                return await anyio.sleep(seconds)
            case Now():
                return time.monotonic()
        raise TypeError(step)

    async def end(self) -> None:
        if self._response is not None:
            await self._response.aclose()
