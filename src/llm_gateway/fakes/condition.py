"""When a scripted answer is meant: for which model, which words, which result of a tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from llm_gateway.fakes.asked import FakeCall
from llm_gateway.fakes.function import ask

__all__ = ["Condition"]


@dataclass(frozen=True)
class Condition:
    """
    What a call has to be; parts that are None do not matter.

    Attributes:
        provider: As in ``openai``.

        model: The name, or a pattern as in ``claude-*``.

        contains: Words in any message, or in the system prompt.

        tool_result: A text in a result that a tool has just returned; ``True`` stands for any result.

        match: Whatever else, decided by a function of the call.
    """

    provider: str | None = None
    model: str | None = None
    contains: str | None = None
    tool_result: str | bool | None = None
    match: Callable[[FakeCall], Any] | None = None

    def fits(self, call: FakeCall) -> bool:
        """Whether *call* is meant."""
        return (
            self.provider in (None, call.provider)
            and (self.model is None or fnmatchcase(call.model, self.model))
            and (self.contains is None or any(self.contains in message.text for message in call.chat.messages))
            and self._fits_result(call)
            and self._matches(call)
        )

    def _matches(self, call: FakeCall) -> bool:
        match = self.match
        return match is None or ask(lambda call: bool(match(call)), call)

    def _fits_result(self, call: FakeCall) -> bool:
        if self.tool_result is None:
            return True
        results = call.tool_results.values()
        if isinstance(self.tool_result, bool):
            return bool(results) is self.tool_result
        return any(self.tool_result in result for result in results)

    def __str__(self) -> str:
        named = {
            "provider": self.provider,
            "model": self.model,
            "contains": self.contains,
            "tool_result": self.tool_result,
            "match": getattr(self.match, "__name__", self.match),
        }
        return ", ".join(f"{name}={value!r}" for name, value in named.items() if value is not None)
