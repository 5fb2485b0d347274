"""Which calls of a cassette are to go wrong, and how: the verbs that a test uses."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Iterable
from typing import get_args

from llm_gateway.cassettes import fault
from llm_gateway.cassettes.fault import Fault
from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import ErrorKind, FaultError
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.parts.errors import kind_of

__all__ = ["At", "Faults"]

At = int | Iterable[int] | None
"""Numbers of calls, from 1; None for the next call that nothing ends yet."""


class Faults:
    """
    The faults of one cassette.

    Calls are counted from 1 in the order in which the test makes them, those that were failed included. A fault that
    answers in the provider's place does so in every mode, and the provider is not called; what changes a recorded reply
    needs one.

    Args:
        mode: Of the cassette.
    """

    def __init__(self, mode: Mode) -> None:
        self.mode = mode
        self._begun = 0
        self._planned: dict[int, list[Fault]] = {}
        self._every: list[Fault] = []
        self._counting = threading.Lock()

    def fault(
        self,
        status: int = 429,
        *,
        at: At = None,
        retry_after: float | None = None,
        message: str | None = None,
        kind: ErrorKind | None = None,
    ) -> None:
        """
        Answer a call with an error, in the wire format of the API that it calls.

        The recorded reply stays unused: a call that is tried again gets it.

        Args:
            status: From 400 to 599.

            at: Which calls; the next one when None.

            retry_after: Seconds to wait, as the error states.

            message: The provider's words.

            kind: The kind of error, where one status has several: ``quota_exhausted`` for a 429 that no wait helps.

        Raises:
            FaultError: It cannot be injected.
        """
        text = f"fault(status={status!r}{_shown(at)})"
        _check(text, 400 <= status <= 599, "an error has a status from 400 to 599", "fault(status=429)")
        _check(text, (retry_after or 0) >= 0, "a wait is no less than 0 seconds", "fault(status=429, retry_after=1)")
        if kind is not None and kind not in get_args(ErrorKind):
            near = difflib.get_close_matches(kind, get_args(ErrorKind), n=1) or ["rate_limited"]
            _check(text, False, f"kind {kind!r} is not known", f"fault(status={status}, kind={near[0]!r})")
        words = message or f"injected by llm_cassette.{text}"
        facts = ErrorFacts(kind or kind_of(status), words, retry_after_s=retry_after)
        self._plan(Fault(text, answer=fault.refusing(status, facts), facts=facts, status=status, is_end=True), at)

    def disconnect(self, *, at: At = None) -> None:
        """
        Close the connection of a call before any of its reply.

        Raises:
            FaultError: It cannot be injected.
        """
        text = f"disconnect({_shown(at)[2:]})"
        lost = fault.failure("protocol", "Server disconnected without sending a response.")
        self._plan(Fault(text, answer=lost, facts=ErrorFacts("connection", "Connection error."), is_end=True), at)

    def timeout(self, *, at: At = None) -> None:
        """
        Let a call run into its timeout at once.

        Raises:
            FaultError: It cannot be injected.
        """
        text = f"timeout({_shown(at)[2:]})"
        late, facts = fault.failure("read_timeout", "timed out"), ErrorFacts("timeout", "Request timed out.")
        self._plan(Fault(text, answer=late, facts=facts, is_end=True), at)

    def cut(self, *, after_chunks: int, at: At = None) -> None:
        """
        Break a recorded reply off after its first *after_chunks* chunks; a repeated call gets it whole.

        Raises:
            FaultError: It cannot be injected; this run calls the provider, whose reply would be recorded cut.
        """
        text = f"cut(after_chunks={after_chunks!r}{_shown(at)})"
        _check(text, after_chunks >= 0, "a reply has no less than 0 chunks", "cut(after_chunks=1)")
        if self.mode.connects:
            raise FaultError(
                f"{text} needs a recorded reply, and this run calls the provider",
                cause="cut while it is recorded, the reply would be recorded cut",
                fix="to record the test: if not llm_cassette.mode.connects: llm_cassette." + text,
            )
        self._plan(Fault(text, change=fault.cut(after_chunks), is_end=True), at)

    def delay(self, seconds: float, *, at: At = None) -> None:
        """
        Let a recorded reply begin *seconds* later; where the provider is called its own time holds.

        Raises:
            FaultError: It cannot be injected.
        """
        text = f"delay({seconds!r}{_shown(at)})"
        _check(text, seconds >= 0, "a delay is no less than 0 seconds", "delay(0.5)")
        if not self.mode.connects:
            self._plan(Fault(text, change=fault.delayed(seconds)), at)

    def speed(self, factor: float) -> None:
        """
        Replay every reply from here on in its recorded time: 1.0 as it was, 2.0 twice as fast.

        Raises:
            FaultError: It cannot be injected.
        """
        text = f"speed({factor!r})"
        _check(text, factor > 0, "a speed is more than 0", "speed(1.0)")
        self._every = [Fault(text, change=fault.paced(factor))]

    def _plan(self, one: Fault, at: At) -> None:
        for number in [self._next(one)] if at is None else [at] if isinstance(at, int) else list(at):
            self._check_call(one, number)
            self._planned.setdefault(number, []).append(one)

    def _next(self, one: Fault) -> int:
        number = self._begun + 1
        while one.is_end and self._ends(number):
            number += 1
        return number

    def _ends(self, number: int) -> Fault | None:
        return next((one for one in self._planned.get(number, ()) if one.is_end), None)

    def _check_call(self, one: Fault, number: int) -> None:
        if number <= self._begun:
            what = "was made already" if number > 0 else "does not exist"
            raise FaultError(
                f"{one.text} cannot be injected: call {number} {what}",
                cause="calls are counted from 1, in the order in which the test makes them",
                fix=f"inject it before the call is made, or into a later one: at={self._begun + 1}",
            )
        if one.is_end and (other := self._ends(number)) is not None:
            raise FaultError(
                f"{one.text} and {other.text} both end call {number}",
                cause="a call can end in one way only",
                fix=f"let one of them come later: at={number + 1}",
            )

    def due(self) -> list[Fault]:
        """Count a call that is made now, and return the faults that were planned for it."""
        with self._counting:
            self._begun += 1
            return [*self._planned.pop(self._begun, ()), *self._every]

    def unreached(self) -> FaultError | None:
        """Return the error for faults whose call was never made; None when there are none."""
        left: dict[str, list[str]] = {}
        for number, faults in sorted(self._planned.items()):
            for one in faults:
                left.setdefault(one.text, []).append(str(number))
        if not left:
            return None
        listed = "; ".join(
            f"{text} for call{'' if len(numbers) == 1 else 's'} {', '.join(numbers)}" for text, numbers in left.items()
        )
        made = f"{self._begun} call{'' if self._begun == 1 else 's'}"
        return FaultError(
            f"never reached: {listed}",
            cause=f"the test made {made}",
            fix="if code under test was to try again, look why it did not; else take the fault away",
        )


def _check(text: str, is_good: bool, cause: str, example: str) -> None:
    if not is_good:
        raise FaultError(f"{text} cannot be injected", cause=cause, fix=f"for example: llm_cassette.{example}")


def _shown(at: At) -> str:
    return "" if at is None else f", at={at!r}"
