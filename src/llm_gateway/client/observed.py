"""The flow and the executor of a call that has observers; without observers both stay as they are."""

from __future__ import annotations

from typing import Any

from llm_gateway.client.call import Call
from llm_gateway.client.observation import Observation, Verb
from llm_gateway.flow.drive import AsyncExecutor, Executor
from llm_gateway.flow.steps import Flow, Step
from llm_gateway.types import ChatRequest, LLMResponse

__all__ = ["interrupt", "observed_async", "observed_sync"]


def observed_sync(
    verb: Verb, call: Call, request: ChatRequest, flow: Flow, executor: Executor
) -> tuple[Flow, Executor]:
    """Return *flow* and *executor* with notifications of observers; unchanged where there are none."""
    observed = call.observed
    if observed is None:
        return flow, executor
    return _notify_around(verb, call, request, flow, observed), _ObservedExecutor(executor, observed)


def observed_async(
    verb: Verb, call: Call, request: ChatRequest, flow: Flow, executor: AsyncExecutor
) -> tuple[Flow, AsyncExecutor]:
    """Return the same as `observed_sync`, for an event loop."""
    observed = call.observed
    if observed is None:
        return flow, executor
    return _notify_around(verb, call, request, flow, observed), _AsyncObservedExecutor(executor, observed)


def interrupt(executor: object, error: BaseException | None) -> None:
    """Note that the reader of the stream of *executor* was stopped by *error*."""
    if isinstance(executor, _ObservedExecutor | _AsyncObservedExecutor) and error is not None:
        executor.observed.interrupt(error)


def _notify_around(verb: Verb, call: Call, request: ChatRequest, flow: Flow, observed: Observation) -> Flow:
    started = observed.begin(verb, call.provider, request, call.session_id)
    try:
        response: LLMResponse[Any] = yield from flow
    except BaseException as error:
        observed.end(started, call.provider_name, call.attempts, None, error, is_cached=bool(call.hits))
        raise
    observed.end(started, call.provider_name, call.attempts, response.reply, None, is_cached=bool(call.hits))
    return response


class _ObservedExecutor:
    """An executor that enters observers around each step, so that spans of HTTP libraries have the right parent."""

    def __init__(self, executor: Executor, observed: Observation) -> None:
        self._executor = executor
        self.observed = observed

    def execute(self, step: Step) -> Any:
        entered = self.observed.observers.enter(self.observed.call_id)
        try:
            return self._executor.execute(step)
        except BaseException as error:
            self.observed.interrupt(error)
            raise
        finally:
            self.observed.observers.leave(entered)

    def close(self) -> None:
        self._executor.close()


class _AsyncObservedExecutor:
    """An `_ObservedExecutor` for an event loop."""

    def __init__(self, executor: AsyncExecutor, observed: Observation) -> None:
        self._executor = executor
        self.observed = observed

    async def execute(self, step: Step) -> Any:
        entered = self.observed.observers.enter(self.observed.call_id)
        try:
            return await self._executor.execute(step)
        except BaseException as error:
            self.observed.interrupt(error)
            raise
        finally:
            self.observed.observers.leave(entered)

    async def close(self) -> None:
        await self._executor.close()
