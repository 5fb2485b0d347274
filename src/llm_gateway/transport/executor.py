"""Executors of the steps of a flow: requests over HTTP, through an SDK's client or litellm, commands, waiting."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.steps import Await, Call, Finish, Now, Open, Read, Rest, Run, Send, Sleep, Start, Step
from llm_gateway.transport import process
from llm_gateway.transport.http import AsyncPool, Pool
from llm_gateway.transport.litellm import AsyncLitellmPool, Litellm, LitellmPool
from llm_gateway.transport.sdk import AsyncSdkPool, SdkPool

__all__ = ["AsyncTransport", "Transport"]

_REST_S = 0.1


class Transport:
    """The connections of a sync client, from which it makes executors."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self._pool = Pool(timeout_s, connect_timeout_s)

    def executor(self) -> _Executor:
        """Return an executor for one flow."""
        return _Executor(self._pool)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Executor:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._opened: Any = None

    def _pool_for(self, client: Any) -> Pool | SdkPool | LitellmPool:
        if isinstance(client, Litellm):
            return LitellmPool(client, self._pool.default_timeouts)
        return self._pool if client is None else SdkPool(client, self._pool.default_timeouts)

    def execute(self, step: Step) -> Any:
        match step:
            case Await(function):
                import anyio

                return anyio.run(function)
            case Call(function):
                return function()
            case Sleep(seconds):
                return time.sleep(seconds)
            case Now():
                return time.monotonic()
            case Rest():  # a blocking read cannot be cancelled, so the connection is closed
                return self._opened.close()
        return self._call(step)

    def _call(self, step: Step) -> Any:
        match step:
            case Send(request, client, timeouts):
                return self._pool_for(client).send(request, timeouts)
            case Open(request, client, timeouts):
                self._opened = self._pool_for(client).open(request, timeouts)
                return self._opened.head
            case Run(command, timeouts):
                return process.run(command, timeouts=timeouts)
            case Start(command):
                self._opened = process.RunningProcess(command)
                return None
            case Read(timeouts):
                return self._opened.read(timeouts)
            case Finish(timeouts):
                return self._opened.finish(timeouts)
        raise TypeError(step)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()


async def _rest(opened: Any) -> None:
    """Read the rest of a reply for a short time: a server that keeps it open delays no caller."""
    import anyio

    with anyio.move_on_after(_REST_S), suppress(ProviderError):
        while await opened.read():
            pass
    await opened.close()


class AsyncTransport:
    """The connections of an async client, from which it makes executors."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self._pool = AsyncPool(timeout_s, connect_timeout_s)

    def executor(self) -> _AsyncExecutor:
        """Return an executor for one flow."""
        return _AsyncExecutor(self._pool)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        await self._pool.close()


class _AsyncExecutor:
    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self._opened: Any = None

    def _pool_for(self, client: Any) -> AsyncPool | AsyncSdkPool | AsyncLitellmPool:
        if isinstance(client, Litellm):
            return AsyncLitellmPool(client, self._pool.default_timeouts)
        return self._pool if client is None else AsyncSdkPool(client, self._pool.default_timeouts)

    async def execute(self, step: Step) -> Any:
        match step:
            case Read(timeouts):  # most of the steps of a stream
                return await self._opened.read(timeouts)
            case Await(function):
                return await function()
            case Call(function):
                import anyio

                return await anyio.to_thread.run_sync(function)
            case Sleep(seconds):
                import anyio

                return await anyio.sleep(seconds)
            case Now():
                return time.monotonic()
        return await self._call(step)

    async def _call(self, step: Step) -> Any:
        match step:
            case Send(request, client, timeouts):
                return await self._pool_for(client).send(request, timeouts)
            case Open(request, client, timeouts):
                self._opened = await self._pool_for(client).open(request, timeouts)
                return self._opened.head
            case Run(command, timeouts):
                return await process.arun(command, timeouts=timeouts)
            case Start(command, timeouts):
                self._opened = await process.AsyncRunningProcess.start(command, timeouts)
                return None
            case Rest():
                return await _rest(self._opened)
            case Finish(timeouts):
                return await self._opened.finish(timeouts)
        raise TypeError(step)

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
