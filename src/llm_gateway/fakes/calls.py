"""The calls that a fake answered, and the conditions that select some of them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, overload

from llm_gateway.catalog import PROVIDERS
from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.callsite import call_user_function, caller
from llm_gateway.fakes.claude import PROVIDER
from llm_gateway.fakes.request import FakeCall
from llm_gateway.types import JsonObject

__all__ = ["Calls", "Condition", "check_provider", "requests_object_of"]


@dataclass(frozen=True)
class Condition:
    """
    A filter for calls; a field that is None matches every call.

    Attributes:
        provider: Name of the provider, as in ``openai``.

        model: Name of the model, or a pattern as in ``claude-*``.

        contains: Text in any message, or in the system prompt.

        tool_result: Text in a result that a tool has just returned; ``True`` matches any result.

        match: A function of the call that returns whether the call matches.
    """

    provider: str | None = None
    model: str | None = None
    contains: str | None = None
    tool_result: str | bool | None = None
    match: Callable[[FakeCall], Any] | None = None

    def matches(self, call: FakeCall) -> bool:
        """Return whether *call* matches every field."""
        return (
            self.provider in (None, call.provider)
            and (self.model is None or fnmatchcase(call.model, self.model))
            and (self.contains is None or any(self.contains in message.text for message in call.chat.messages))
            and self._matches_tool_result(call)
            and self._matches_function(call)
        )

    def _matches_function(self, call: FakeCall) -> bool:
        match = self.match
        return match is None or call_user_function(lambda call: bool(match(call)), call)

    def _matches_tool_result(self, call: FakeCall) -> bool:
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


def check_provider(name: str, argument: str) -> str:
    """
    Return *name*, which a test gave as *argument*.

    Raises:
        FakeScriptError: There is no such provider, or no call can be recognised as one of its.
    """
    names = {PROVIDER, *(one for one, entry in PROVIDERS.items() if entry.is_addressable)}
    if name in names:
        return name
    near = difflib.get_close_matches(str(name), names, n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    raise FakeScriptError(
        f"{argument} names {name!r}, which is no provider",
        cause=f"{suggestion}it was scripted at {caller()}",
        fix=f"known providers: {', '.join(sorted(names))}",
    )


def requests_object_of(model: Any) -> Callable[[FakeCall], bool]:
    """Return a condition for calls that request an object of *model*: by response schema or tool."""
    wanted = _properties(_schema_of(model))

    def requests(call: FakeCall) -> bool:
        schemas = [call.chat.response_schema] if call.chat.response_schema else [one.parameters for one in call.tools]
        return any(_properties(schema) == wanted for schema in schemas)

    requests.__name__ = f"requests {getattr(model, '__name__', model)}"
    return requests


def _schema_of(model: Any) -> JsonObject:
    from pydantic import TypeAdapter

    return TypeAdapter(model).json_schema()


def _properties(schema: JsonObject) -> frozenset[str]:
    """Return the names of the properties: SDKs rewrite the schema of a property, never its name."""
    return frozenset(schema.get("properties") or ())


class Calls(Sequence[FakeCall]):
    """The calls of a test, in order: a sequence with assertions."""

    def __init__(self, calls: Iterable[FakeCall] = ()) -> None:
        self._calls = list(calls)

    def add(self, call: FakeCall) -> None:
        """Append *call*."""
        self._calls.append(call)

    @overload
    def __getitem__(self, index: int) -> FakeCall: ...
    @overload
    def __getitem__(self, index: slice) -> Calls: ...
    def __getitem__(self, index: int | slice) -> FakeCall | Calls:
        """Return one call, or several as `Calls`."""
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
        """Return the last call."""
        return self[-1]

    def of(self, **condition: Any) -> Calls:
        """Return the calls that match *condition*, whose arguments are those of ``fake_llm.on``."""
        wanted = Condition(**condition)
        return Calls(call for call in self if wanted.matches(call))

    def assert_called_once(self) -> FakeCall:
        """Return the only call; raise AssertionError, with all calls shown, when there were more or none."""
        __tracebackhide__ = True
        if len(self) != 1:
            raise AssertionError(f"expected 1 call to the model, got {self}")
        return self[0]

    def assert_not_called(self) -> None:
        """Raise AssertionError, with all calls shown, when there was any."""
        __tracebackhide__ = True
        if len(self):
            raise AssertionError(f"expected no call to the model, got {self}")

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        if not self._calls:
            return "no calls"
        lines = "".join(f"\n  {call}" for call in self._calls)
        return f"{len(self)} call{'s' if len(self) > 1 else ''}:{lines}"
