"""A provider that answers from a script without sending a request: for `LLMClient` outside of tests."""

from __future__ import annotations

from typing import Any, TypeVar

from llm_gateway.exceptions import FakeMissError
from llm_gateway.fakes.calls import Calls
from llm_gateway.fakes.content import build_reply
from llm_gateway.fakes.request import FakeCall
from llm_gateway.fakes.usage import estimate_usage
from llm_gateway.types import ChatRequest, LLMMessage, LLMResponse

__all__ = ["FakeLLMProvider"]

M = TypeVar("M")


class FakeLLMProvider:
    """
    A provider for ``LLMClient(provider_instance=FakeLLMProvider("hello"))``.

    Args:
        text: The answer to calls without a ``response_model``.

    Attributes:
        calls: The calls so far.
    """

    name = "fake"

    def __init__(self, text: str = "fake") -> None:
        self.calls = Calls()
        self._text = text
        self._instances: dict[Any, Any] = {}

    def set_response(self, response_model: type[M], instance: M) -> None:
        """Answer calls with this *response_model* with *instance*."""
        self._instances[response_model] = instance

    async def complete(self, messages: list[LLMMessage], response_model: type[Any] | None = None) -> LLMResponse[Any]:
        """
        Answer with the text, or with the instance set for *response_model*.

        Raises:
            FakeMissError: No instance is set for *response_model*.
        """
        chat = ChatRequest("fake-model", tuple(messages))
        call = FakeCall(len(self.calls) + 1, self.name, "fake", chat)
        self.calls.add(call)
        content = self._text if response_model is None else self._instance(response_model, call)
        usage = estimate_usage(chat, build_reply(content, call))
        return LLMResponse(content, self.name, chat.model, usage=usage, stop_reason="end_turn")

    def _instance(self, model: type[Any], call: FakeCall) -> Any:
        if model in self._instances:
            return self._instances[model]
        names = ", ".join(one.__name__ for one in self._instances) or "none"
        raise FakeMissError(
            f"FakeLLMProvider has no {model.__name__} for call {call}",
            cause=f"responses are set for: {names}",
            fix=f"provider.set_response({model.__name__}, {model.__name__}(...))",
        )

    async def close(self) -> None:
        """Do nothing: there is no connection to close."""
