"""Do the steps of a flow, in a thread or in an event loop. Waiting, cancelling and closing live here alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Protocol

from llm_gateway.flow.steps import Emit, Flow, Step
from llm_gateway.types import StreamDelta

__all__ = ["AsyncExecutor", "Executor", "adrive", "astream", "drive", "stream"]


class Executor(Protocol):
    """Does one step and returns what came of it."""

    def execute(self, step: Step) -> Any:
        """Do *step*."""
        ...

    def close(self) -> None:
        """Give back what the flow left open."""
        ...


class AsyncExecutor(Protocol):
    """Does one step in an event loop."""

    async def execute(self, step: Step) -> Any:
        """Do *step*."""
        ...

    async def close(self) -> None:
        """Give back what the flow left open."""
        ...


class _Stepper:
    """Move a flow on by what its last step brought: a value or an error."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.result: Any = None

    def next(self, value: Any = None, error: Exception | None = None) -> Step | None:
        """The next step, or None when the flow is over and `result` is set."""
        try:
            return self._flow.throw(error) if error is not None else self._flow.send(value)
        except StopIteration as done:
            self.result = done.value
            return None


def stream(flow: Flow, executor: Executor) -> Generator[StreamDelta, None, Any]:
    """Run *flow*, yielding what it emits; the generator's return value is the flow's result."""
    stepper = _Stepper(flow)
    try:
        step = stepper.next()
        while step is not None:
            if isinstance(step, Emit):
                yield step.delta
                step = stepper.next()
                continue
            try:
                value = executor.execute(step)
            except Exception as error:  # noqa: BLE001  the flow decides what an error means
                step = stepper.next(error=error)
            else:
                step = stepper.next(value)
        return stepper.result
    finally:
        flow.close()
        executor.close()


def drive(flow: Flow, executor: Executor) -> Any:
    """Run *flow* to its end and return its result."""
    running = stream(flow, executor)
    while True:
        try:
            next(running)
        except StopIteration as done:
            return done.value


async def astream(flow: Flow, executor: AsyncExecutor, results: list[Any]) -> AsyncIterator[StreamDelta]:
    """Run *flow* in an event loop, yielding what it emits; its result is appended to *results*."""
    stepper = _Stepper(flow)
    try:
        step = stepper.next()
        while step is not None:
            if isinstance(step, Emit):
                yield step.delta
                step = stepper.next()
                continue
            try:
                value = await executor.execute(step)
            except Exception as error:  # noqa: BLE001  the flow decides what an error means
                step = stepper.next(error=error)
            else:
                step = stepper.next(value)
        results.append(stepper.result)
    finally:
        flow.close()
        await executor.close()


async def adrive(flow: Flow, executor: AsyncExecutor) -> Any:
    """Run *flow* to its end in an event loop and return its result."""
    results: list[Any] = []
    async for _ in astream(flow, executor, results):
        pass
    return results[0]
