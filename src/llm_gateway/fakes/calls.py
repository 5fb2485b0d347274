"""What was asked of a fake, in order, with checks that say what came instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

from llm_gateway.fakes.asked import FakeCall
from llm_gateway.fakes.condition import Condition

__all__ = ["Calls"]


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
        return Calls(call for call in self if wanted.fits(call))

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
