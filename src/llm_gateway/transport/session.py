"""Who does the steps of a flow: requests over HTTP or an SDK's client, commands, waiting."""

from __future__ import annotations

import time
from typing import Any

from llm_gateway.flow.steps import Await, Call, Finish, Now, Open, Read, Run, Send, Sleep, Start, Step
from llm_gateway.transport import process
from llm_gateway.transport.http import AsyncPool, Pool
from llm_gateway.transport.sdk import AsyncSdkPool, SdkPool

__all__ = ["AsyncTransport", "Transport"]


class Transport:
    """Does steps in the calling thread."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self._pool = Pool(timeout_s, connect_timeout_s)

    def session(self) -> _Session:
        """Who does the steps of one flow."""
        return _Session(self._pool)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


class _Session:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._opened: Any = None

    def _through(self, client: Any) -> Pool | SdkPool:
        return self._pool if client is None else SdkPool(client, self._pool.usual)

    def do(self, step: Step) -> Any:
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
        return self._called(step)

    def _called(self, step: Step) -> Any:
        match step:
            case Send(request, client, limits):
                return self._through(client).send(request, limits)
            case Open(request, client, limits):
                self._opened = self._through(client).open(request, limits)
                return self._opened.head
            case Run(command, limits):
                return process.run(command, limits=limits)
            case Start(command):
                self._opened = process.Running(command)
                return None
            case Read(limits):
                return self._opened.read(limits)
            case Finish(limits):
                return self._opened.finish(limits)
        raise TypeError(step)

    def end(self) -> None:
        if self._opened is not None:
            self._opened.close()


class AsyncTransport:
    """Does steps in an event loop."""

    def __init__(self, timeout_s: float, connect_timeout_s: float) -> None:
        self._pool = AsyncPool(timeout_s, connect_timeout_s)

    def session(self) -> _AsyncSession:
        """Who does the steps of one flow."""
        return _AsyncSession(self._pool)

    async def close(self) -> None:
        """Close the connections of the running loop."""
        await self._pool.close()


class _AsyncSession:
    def __init__(self, pool: AsyncPool) -> None:
        self._pool = pool
        self._opened: Any = None

    def _through(self, client: Any) -> AsyncPool | AsyncSdkPool:
        return self._pool if client is None else AsyncSdkPool(client, self._pool.usual)

    async def do(self, step: Step) -> Any:
        match step:
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
        return await self._called(step)

    async def _called(self, step: Step) -> Any:
        match step:
            case Send(request, client, limits):
                return await self._through(client).send(request, limits)
            case Open(request, client, limits):
                self._opened = await self._through(client).open(request, limits)
                return self._opened.head
            case Run(command, limits):
                return await process.arun(command, limits=limits)
            case Start(command, limits):
                self._opened = await process.AsyncRunning.start(command, limits)
                return None
            case Read(limits):
                return await self._opened.read(limits)
            case Finish(limits):
                return await self._opened.finish(limits)
        raise TypeError(step)

    async def end(self) -> None:
        if self._opened is not None:
            await self._opened.close()
