"""The calls that a fake answered, and the conditions that select some of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, overload

from llm_gateway.fakes.callsite import call_user_function
from llm_gateway.fakes.request import FakeCall
from llm_gateway.types import JsonObject

__all__ = ["Calls", "Condition", "requests_object_of"]


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

    def matches(self, call: FakeCall) -> bool:
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
        return match is None or call_user_function(lambda call: bool(match(call)), call)

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


def requests_object_of(model: Any) -> Callable[[FakeCall], bool]:
    """A condition for calls whose schema, or whose only tool, has the members of *model*."""
    wanted = _members(_schema_of(model))

    def asks(call: FakeCall) -> bool:
        asked = [call.chat.response_schema] if call.chat.response_schema else [one.parameters for one in call.tools]
        return any(_members(schema) == wanted for schema in asked)

    asks.__name__ = f"asks for {getattr(model, '__name__', model)}"
    return asks


def _schema_of(model: Any) -> JsonObject:
    from pydantic import TypeAdapter

    return TypeAdapter(model).json_schema()


def _members(schema: JsonObject) -> frozenset[str]:
    """SDKs rewrite what members hold, never how they are called."""
    return frozenset(schema.get("properties") or ())


class Calls(Sequence[FakeCall]):
    """The calls of a test; it counts and slices as a list does."""

    def __init__(self, calls: Iterable[FakeCall] = ()) -> None:
        self._calls = list(calls)

    def add(self, call: FakeCall) -> None:
        """Note one more."""
        self._calls.append(call)

    @overload
    def __getitem__(self, index: int) -> FakeCall: ...
    @overload
    def __getitem__(self, index: slice) -> Calls: ...
    def __getitem__(self, index: int | slice) -> FakeCall | Calls:
        """One call, or some of them."""
        if isinstance(index, slice):
            return Calls(self._calls[index])
        if not -len(self._calls) <= index < len(self._calls):
            raise IndexError(f"there is no call {index}: {self}")
        return self._calls[index]

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[FakeCall]:
        return iter(list(self._calls))

    @property
    def last(self) -> FakeCall:
        """The call made last."""
        return self[-1]

    def of(self, **condition: Any) -> Calls:
        """Those that fit; takes what ``fake_llm.on`` takes."""
        wanted = Condition(**condition)
        return Calls(call for call in self if wanted.matches(call))

    def assert_called_once(self) -> FakeCall:
        """The only call; fails with all of them when there were more, or none."""
        __tracebackhide__ = True
        if len(self) != 1:
            raise AssertionError(f"expected 1 call to the model, got {self}")
        return self[0]

    def assert_not_called(self) -> None:
        """Fails with the calls when there were any."""
        __tracebackhide__ = True
        if len(self):
            raise AssertionError(f"expected no call to the model, got {self}")

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if not self._calls:
            return "no calls"
        told = "".join(f"\n  {call}" for call in self._calls)
        return f"{len(self)} call{'s' if len(self) > 1 else ''}:{told}"
