"""Drivers that execute the steps of a flow, sync or async; only they wait, cancel and close."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from typing import Any, Protocol

from llm_gateway.flow.steps import Emit, Flow, Step
from llm_gateway.types import StreamDelta

__all__ = ["AsyncExecutor", "Executor", "adrive", "astream", "drive", "stream"]


class Executor(Protocol):
    """An object that executes the steps of one flow."""

    def execute(self, step: Step) -> Any:
        """Execute *step* and return its result."""
        ...

    def close(self) -> None:
        """Close the reply or the command that the flow left open."""
        ...


class AsyncExecutor(Protocol):
    """An object that executes the steps of one flow in an event loop."""

    async def execute(self, step: Step) -> Any:
        """Execute *step* and return its result."""
        ...

    async def close(self) -> None:
        """Close the reply or the command that the flow left open."""
        ...


class _Stepper:
    """A flow, resumed with the value or the error of its last step."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self.result: Any = None

    def next(self, value: Any = None, error: Exception | None = None) -> Step | None:
        """Return the next step; None when the flow has ended and `result` is set."""
        try:
            return self._flow.throw(error) if error is not None else self._flow.send(value)
        except StopIteration as done:
            self.result = done.value
            return None


def stream(flow: Flow, executor: Executor) -> Generator[StreamDelta, None, Any]:
    """Run *flow*, yielding the deltas that it emits; the generator returns the result of the flow."""
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
    """Run *flow* in an event loop, yielding the deltas that it emits; append its result to *results*."""
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
