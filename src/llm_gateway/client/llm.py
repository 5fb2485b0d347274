"""`LLMClient` for async code and `SyncLLMClient` for sync code, with the same methods."""

from __future__ import annotations

import functools
from collections.abc import Generator
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from llm_gateway.client import counting, flows
from llm_gateway.client.base import BaseClient
from llm_gateway.client.message import Messages
from llm_gateway.client.observed import interrupt, observed_async, observed_sync
from llm_gateway.client.options import ChatOptions, CompleteOptions
from llm_gateway.flow.drive import AsyncExecutor, adrive, astream, drive, stream
from llm_gateway.flow.steps import Await, Call, Flow
from llm_gateway.providers.base import HttpProvider, ProcessProvider
from llm_gateway.transport.executor import AsyncTransport, Transport
from llm_gateway.types import LLMResponse, StreamDelta
from llm_gateway.wire.models import ModelInfo
from llm_gateway.wire.tokens import Estimate

__all__ = ["AsyncStream", "LLMClient", "Stream", "SyncLLMClient"]

M = TypeVar("M")


class SyncLLMClient(BaseClient):
    """
    A client for sync code. Settings come from arguments, ``LLM_*`` variables and ``.env``; see `GatewayConfig`.

    Raises:
        MissingKeyError: The provider needs a key and none is set.
        UnknownProviderError: The provider's name is not known.
    """

    @functools.cached_property
    def _transport(self) -> Transport:
        return Transport(self.config.timeout_s, self.config.connect_timeout_s)

    def chat(self, messages: Messages, **options: Unpack[ChatOptions]) -> LLMResponse[str]:
        """
        Request text, or calls of *tools*.

        Raises:
            ProviderError: The provider refused or failed, after the retries that its kind allows.
        """
        request, call = self._build_request(messages, **options), self._start_call(None, options)
        response: LLMResponse[str] = drive(
            *observed_sync("chat", call, request, flows.chat(call, request), self._transport.executor())
        )
        return response

    def complete(
        self, messages: Messages, *, response_model: type[M], **options: Unpack[CompleteOptions]
    ) -> LLMResponse[M]:
        """
        Request an object of *response_model*, by the provider's own structured output, and validate it.

        Raises:
            StructuredOutputError: The answer was cut off, refused, or does not fit; its usage is on the error.
            ProviderError: The provider refused or failed, or does not support the schema.
        """
        request = self._build_request(messages, response_model=response_model, **options)
        call = self._start_call(response_model, options)
        flow = flows.complete(call, request, flows.adapter_for(response_model))
        response: LLMResponse[M] = drive(*observed_sync("complete", call, request, flow, self._transport.executor()))
        return response

    def count_tokens(self, messages: Messages, **options: Unpack[ChatOptions]) -> Estimate:
        """
        Count the input of a `chat`, system prompt and tools included: by the provider, or by an estimate marked as one.

        Raises:
            ProviderError: The provider refused or failed.
        """
        request = self._build_request(messages, **options)
        estimate: Estimate = drive(counting.count(self._start_count(), request), self._transport.executor())
        return estimate

    def stream(self, messages: Messages, **options: Unpack[ChatOptions]) -> Stream:
        """Stream text as it is written; takes what `chat` takes."""
        request, call = self._build_request(messages, **options), self._start_call(None, options)
        flow = flows.stream(call, request)
        return Stream(stream(*observed_sync("stream", call, request, flow, self._transport.executor())))

    def refresh_models(self, provider: str | None = None) -> list[ModelInfo]:
        """
        Request the models of *provider*, or of the client's own, and keep the list for a day.

        Raises:
            ConfigError: It has no list, or something that it needs is not set.
            ProviderError: It refused or failed.
        """
        models: list[ModelInfo] = drive(self._model_lister(provider).refresh(), self._transport.executor())
        return models

    def get_available_models(
        self, provider: str | None = None, *, include_deprecated: bool = False, include_fine_tuned: bool = False
    ) -> list[ModelInfo]:
        """Return the models of *provider* (default: the client's), at most a day old; errors as in `refresh_models`."""
        flow = self._model_lister(provider).available(
            include_deprecated=include_deprecated, include_fine_tuned=include_fine_tuned
        )
        models: list[ModelInfo] = drive(flow, self._transport.executor())
        return models

    def validate_model(self, name: str) -> bool:
        """
        Return True if the provider has the model *name*; ``provider:name`` names another provider.

        Raises:
            UnknownModelError: The provider has no such model; the text and the error's *nearest* offer similar names.
        """
        provider, model = self._split_model(name)
        is_valid: bool = drive(self._model_lister(provider).validate(model), self._transport.executor())
        return is_valid

    def close(self) -> None:
        """Close the connections, and a provider that was handed in with a ``close``."""
        if self._owns_provider and not isinstance(self.provider, HttpProvider | ProcessProvider):
            self._transport.executor().execute(Await(self.provider.close))
        if not self._is_derived:
            if self._cache is not None:
                self._cache.close()
            self._transport.close()
            self._close_ledger()

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


class LLMClient(BaseClient):
    """A client for async code; settings and errors as in `SyncLLMClient`."""

    @functools.cached_property
    def _transport(self) -> AsyncTransport:
        return AsyncTransport(self.config.timeout_s, self.config.connect_timeout_s)

    async def chat(self, messages: Messages, **options: Unpack[ChatOptions]) -> LLMResponse[str]:
        """Request text, or calls of *tools*; errors as in `SyncLLMClient.chat`."""
        request, call = self._build_request(messages, **options), self._start_call(None, options)
        response: LLMResponse[str] = await adrive(
            *observed_async("chat", call, request, flows.chat(call, request), self._transport.executor())
        )
        return response

    async def complete(
        self, messages: Messages, *, response_model: type[M], **options: Unpack[CompleteOptions]
    ) -> LLMResponse[M]:
        """Request an object of *response_model*; errors as in `SyncLLMClient.complete`."""
        request = self._build_request(messages, response_model=response_model, **options)
        call = self._start_call(response_model, options)
        flow = flows.complete(call, request, flows.adapter_for(response_model))
        response: LLMResponse[M] = await adrive(
            *observed_async("complete", call, request, flow, self._transport.executor())
        )
        return response

    async def count_tokens(self, messages: Messages, **options: Unpack[ChatOptions]) -> Estimate:
        """Count the input of a `chat`; as `SyncLLMClient.count_tokens`."""
        request = self._build_request(messages, **options)
        estimate: Estimate = await adrive(counting.count(self._start_count(), request), self._transport.executor())
        return estimate

    def stream(self, messages: Messages, **options: Unpack[ChatOptions]) -> AsyncStream:
        """Stream text as it is written; takes what `chat` takes."""
        request, call = self._build_request(messages, **options), self._start_call(None, options)
        flow = flows.stream(call, request)
        return AsyncStream(*observed_async("stream", call, request, flow, self._transport.executor()))

    async def refresh_models(self, provider: str | None = None) -> list[ModelInfo]:
        """Request the models that there are, and keep the list; as `SyncLLMClient.refresh_models`."""
        models: list[ModelInfo] = await adrive(self._model_lister(provider).refresh(), self._transport.executor())
        return models

    async def get_available_models(
        self, provider: str | None = None, *, include_deprecated: bool = False, include_fine_tuned: bool = False
    ) -> list[ModelInfo]:
        """Return the models that there are; as `SyncLLMClient.get_available_models`."""
        flow = self._model_lister(provider).available(
            include_deprecated=include_deprecated, include_fine_tuned=include_fine_tuned
        )
        models: list[ModelInfo] = await adrive(flow, self._transport.executor())
        return models

    async def validate_model(self, name: str) -> bool:
        """Return True if the provider has the model *name*; errors as in `SyncLLMClient.validate_model`."""
        provider, model = self._split_model(name)
        is_valid: bool = await adrive(self._model_lister(provider).validate(model), self._transport.executor())
        return is_valid

    async def close(self) -> None:
        """Close the connections of the running event loop, and a provider that was handed in with a ``close``."""
        if not self._is_derived:
            if self._cache is not None:
                await self._transport.executor().execute(Call(self._cache.close))
            await self._transport.close()
            await self._transport.executor().execute(Call(self._close_ledger))
        if self._owns_provider and not isinstance(self.provider, HttpProvider | ProcessProvider):
            await self.provider.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncStream:
    """Deltas as they arrive; `response` is there once they are through."""

    def __init__(self, flow: Flow, executor: AsyncExecutor) -> None:
        self._results: list[LLMResponse[str]] = []
        self._flow, self._executor = flow, executor
        self._deltas: Any = None

    @property
    def response(self) -> LLMResponse[str] | None:
        """The whole answer with its usage, or None before the end."""
        return self._results[0] if self._results else None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> StreamDelta:
        if self._deltas is None:
            self._deltas = astream(self._flow, self._executor, self._results)
        delta: StreamDelta = await anext(self._deltas)
        return delta

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupt(self._executor, error)  # a task may be cancelled while it is busy with what it has read
        if self._deltas is not None:
            await self._deltas.aclose()
