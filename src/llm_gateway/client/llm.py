"""`LLMClient` and `SyncLLMClient`: the same verbs in both colours."""

from __future__ import annotations

import functools
from collections.abc import Generator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from llm_gateway.client import counting, flows
from llm_gateway.client.core import Core
from llm_gateway.client.message import Messages
from llm_gateway.client.options import ChatOptions, CompleteOptions
from llm_gateway.flow.drive import adrive, astream, drive, stream
from llm_gateway.flow.steps import Await, Flow
from llm_gateway.providers.base import HttpProvider, ProcessProvider
from llm_gateway.transport.session import AsyncTransport, Transport
from llm_gateway.types import LLMResponse, StreamDelta
from llm_gateway.wire.tokens import Estimate

__all__ = ["AsyncStream", "LLMClient", "Stream", "SyncLLMClient"]

M = TypeVar("M")


class SyncLLMClient(Core):
    """
    A client for sync code. Settings come from arguments, ``LLM_*`` variables and ``.env``; see `GatewayConfig`.

    Raises:
        MissingKeyError: The provider needs a key and none is set.
        UnknownProviderError: The provider's name is not known.
    """

    @functools.cached_property
    def _transport(self) -> Transport:
        return Transport(self.config.timeout_s)

    def chat(self, messages: Messages, **options: Unpack[ChatOptions]) -> LLMResponse[str]:
        """
        Ask for text, or for calls of *tools*.

        Raises:
            ProviderError: The provider refused or failed, after the retries that its kind allows.
        """
        request = self.request(messages, **options)
        response: LLMResponse[str] = drive(flows.chat(self.call(**options), request), self._transport.session())
        return response

    def complete(
        self, messages: Messages, *, response_model: type[M], **options: Unpack[CompleteOptions]
    ) -> LLMResponse[M]:
        """
        Ask for an object of *response_model*, by the provider's own structured output, and validate it.

        Raises:
            StructuredOutputError: The answer was cut off, refused, or does not fit; its usage is on the error.
            ProviderError: The provider refused or failed, or cannot be held to the schema.
        """
        request = self.request(messages, response_model=response_model, **options)
        flow = flows.complete(self.call(response_model, **options), request, flows.adapter_for(response_model))
        response: LLMResponse[M] = drive(flow, self._transport.session())
        return response

    def count_tokens(self, messages: Messages, **options: Unpack[ChatOptions]) -> Estimate:
        """
        Count the input of a `chat`, system prompt and tools included: by the provider, or by an estimate that says so.

        Raises:
            ProviderError: The provider refused or failed.
        """
        request = self.request(messages, **options)
        estimate: Estimate = drive(counting.count(self.counting(), request), self._transport.session())
        return estimate

    def stream(self, messages: Messages, **options: Unpack[ChatOptions]) -> Stream:
        """Ask for text as it is written; takes what `chat` takes."""
        request = self.request(messages, **options)
        return Stream(stream(flows.stream(self.call(**options), request), self._transport.session()))

    def close(self) -> None:
        """Close the connections, and a provider that was handed in with a ``close``."""
        if not isinstance(self.provider, HttpProvider | ProcessProvider):
            self._transport.session().do(Await(self.provider.close))
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Stream:
    """Deltas as they arrive; `response` is there once they are through."""

    def __init__(self, deltas: Generator[StreamDelta, None, Any]) -> None:
        self._deltas = deltas
        self.response: LLMResponse[str] | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> StreamDelta:
        try:
            return next(self._deltas)
        except StopIteration as done:
            self.response = self.response or done.value
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deltas.close()


class LLMClient(Core):
    """A client for async code; settings and errors as in `SyncLLMClient`."""

    @functools.cached_property
    def _transport(self) -> AsyncTransport:
        return AsyncTransport(self.config.timeout_s)

    async def chat(self, messages: Messages, **options: Unpack[ChatOptions]) -> LLMResponse[str]:
        """Ask for text, or for calls of *tools*; errors as in `SyncLLMClient.chat`."""
        request = self.request(messages, **options)
        response: LLMResponse[str] = await adrive(flows.chat(self.call(**options), request), self._transport.session())
        return response

    async def complete(
        self, messages: Messages, *, response_model: type[M], **options: Unpack[CompleteOptions]
    ) -> LLMResponse[M]:
        """Ask for an object of *response_model*; errors as in `SyncLLMClient.complete`."""
        request = self.request(messages, response_model=response_model, **options)
        flow = flows.complete(self.call(response_model, **options), request, flows.adapter_for(response_model))
        response: LLMResponse[M] = await adrive(flow, self._transport.session())
        return response

    async def count_tokens(self, messages: Messages, **options: Unpack[ChatOptions]) -> Estimate:
        """Count the input of a `chat`; as `SyncLLMClient.count_tokens`."""
        request = self.request(messages, **options)
        estimate: Estimate = await adrive(counting.count(self.counting(), request), self._transport.session())
        return estimate

    def stream(self, messages: Messages, **options: Unpack[ChatOptions]) -> AsyncStream:
        """Ask for text as it is written; takes what `chat` takes."""
        request = self.request(messages, **options)
        return AsyncStream(flows.stream(self.call(**options), request), self._transport)

    async def close(self) -> None:
        """Close the connections of the running event loop, and a provider that was handed in with a ``close``."""
        await self._transport.close()
        if not isinstance(self.provider, HttpProvider | ProcessProvider):
            await self.provider.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncStream:
    """Deltas as they arrive; `response` is there once they are through."""

    def __init__(self, flow: Flow, transport: AsyncTransport) -> None:
        self._results: list[LLMResponse[str]] = []
        self._flow, self._transport = flow, transport
        self._deltas: Any = None

    @property
    def response(self) -> LLMResponse[str] | None:
        """The whole answer with its usage, or None before the end."""
        return self._results[0] if self._results else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamDelta:
        if self._deltas is None:
            self._deltas = astream(self._flow, self._transport.session(), self._results)
        delta: StreamDelta = await anext(self._deltas)
        return delta

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._deltas is not None:
            await self._deltas.aclose()
