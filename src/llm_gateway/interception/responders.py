"""
The responders of a cassette: each answers the requests that it knows, and leaves the others to the next in the list.

In order: forked processes (`forks`), token requests (`credential`), injected faults over scripted and recorded answers,
and at last either the error for a missing recording or, where calls are really made, the recording of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from llm_gateway.cassettes.diagnosis import claimed_twice, summary
from llm_gateway.cassettes.fault import Fault, answered, changed
from llm_gateway.cassettes.faults import Faults
from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.recorder import Recorder
from llm_gateway.cassettes.recording import Recording
from llm_gateway.exceptions import CassetteReadError, FaultError, GatewayError
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.call_guard import CallGuard, allow, owns_ledger
from llm_gateway.interception.refusal import refusal
from llm_gateway.interception.script import Script
from llm_gateway.record import Source
from llm_gateway.types import WireRequest

__all__ = [
    "LET_THROUGH",
    "Answer",
    "FaultResponder",
    "LiveResponder",
    "MissResponder",
    "RecordedResponder",
    "Responder",
    "ScriptResponder",
    "first_answer",
]


class Answer(NamedTuple):
    """
    The answer to a request.

    Attributes:
        exchange: The reply to give; None lets the request out, unrecorded.

        source: Where the reply comes from, as the call is counted; None for what is no call to a model.
    """

    exchange: HttpExchange | None
    source: Source | None


LET_THROUGH: Final = Answer(None, None)


class Responder(Protocol):
    """Answers some requests. The method may be called from any thread."""

    def respond(self, request: WireRequest) -> Answer | Recording | None:
        """Answer *request*; a recording has the hook send it and record the reply; None leaves it to the next."""
        ...


def first_answer(responders: Sequence[Responder], request: WireRequest) -> Answer | Recording | None:
    """Return the answer of the first of *responders* that has one; None where none has."""
    for responder in responders:
        if (answer := responder.respond(request)) is not None:
            return answer
    return None


class FaultResponder:
    """
    Counts the calls of the test, and makes those go wrong for which it injected a fault.

    Args:
        faults: What the test injected.

        sources: The responders whose answer a fault may change, in order.

        put_back: Called with a recorded request whose reply broke off, so that a retry gets the whole reply.

        chunks: How streams are cut, see `llm_gateway.cassettes.chunks.split`; as recorded when None.
    """

    def __init__(
        self,
        faults: Faults,
        sources: Sequence[Responder],
        outcome: Outcome,
        put_back: Callable[[WireRequest], None],
        chunks: str | int | None,
    ) -> None:
        self._faults = faults
        self._sources = sources
        self._outcome = outcome
        self._put_back = put_back
        self._chunks = chunks

    def respond(self, request: WireRequest) -> Answer | Recording | None:
        """Answer *request* with the fault that is due, or with what the sources have, changed by such faults."""
        due = self._faults.due()
        if not due and self._chunks is None:
            return first_answer(self._sources, request)
        injected = answered(due, request)
        answer = first_answer(self._sources, request) if injected is None else Answer(injected, "fault")
        if not isinstance(answer, Answer) or answer.exchange is None or answer.source == "miss":
            return answer
        try:
            played = changed(due, answer.exchange, self._chunks)
        except FaultError as error:
            return Answer(refusal(request, "fault", self._outcome.fail(error).report), None)
        return self._changed(due, answer.exchange, Answer(played, answer.source))

    def _changed(self, due: Sequence[Fault], found: HttpExchange, answer: Answer) -> Answer:
        if not any(fault.is_end for fault in due):
            return answer
        played = answer.exchange
        if answer.source == "replay" and played is not None and played.reply is not None and played.failure:
            self._put_back(found.request)
        return answer._replace(source="fault")


class ScriptResponder:
    """
    Answers what a script wants to answer, in every mode.

    Args:
        script: What the test prepared.

        path: The cassette, for messages.

        knows: Returns whether the cassette may answer a request to an address: then neither may.

        outcome: Takes the error for an answer that the script lacks.
    """

    def __init__(self, script: Script, path: Path, knows: Callable[[str], bool], outcome: Outcome) -> None:
        self._script = script
        self._path = path
        self._knows = knows
        self._outcome = outcome

    def respond(self, request: WireRequest) -> Answer | None:
        """Answer *request* from the script, or with the error for an answer that it lacks."""
        if not self._script.wants(request):
            return None
        try:
            if self._knows(request.url):
                raise claimed_twice(self._path, summary(request), "recordings of that host")
            return Answer(self._script.answer(request), "fake")
        except GatewayError as error:
            return Answer(refusal(request, "fake_miss", self._outcome.fail(error).report), "miss")


class RecordedResponder:
    """Answers what was recorded."""

    def __init__(self, playback: Playback, redact: Callable[[WireRequest], WireRequest], outcome: Outcome) -> None:
        self._playback = playback
        self._redact = redact
        self._outcome = outcome

    def respond(self, request: WireRequest) -> Answer | None:
        """
        Answer *request* with the next recorded exchange that equals it.

        Raises:
            CassetteReadError: Its reply is malformed.
        """
        try:
            # What was recorded may have had secrets taken out; a request that holds none is found without that work.
            found = self._playback.take(request) or self._playback.take(self._redact(request))
        except CassetteReadError as error:
            self._outcome.fail_miss(error.report)  # the code under test may swallow what is raised
            raise
        return None if found is None else Answer(found, "replay")


class MissResponder:
    """Answers every request with the error for a call that was not recorded."""

    def __init__(
        self, playback: Playback, redact: Callable[[WireRequest], WireRequest], outcome: Outcome, command: str
    ) -> None:
        self._playback = playback
        self._redact = redact
        self._outcome = outcome
        self._command = command

    def respond(self, request: WireRequest) -> Answer:
        """Answer *request* with the diagnosis, and fail the test with it."""
        # It is printed, and compared with what was scrubbed.
        text = self._playback.missed(self._redact(request), self._command).report
        self._outcome.fail_miss(text)
        return Answer(refusal(request, "cassette_miss", text), "miss")


class LiveResponder:
    """
    Has every request sent, and recorded, that the guards allow.

    Args:
        recorder: Records what is sent.

        guards: Called before each call.

        outcome: Takes the error for a call that they do not allow.

        on_end: Called with each exchange that was recorded; leaves the record of the call on it.

        check_clock: Fails the test for a request that was signed by a wrong clock.
    """

    def __init__(
        self,
        recorder: Recorder,
        guards: Sequence[CallGuard],
        outcome: Outcome,
        on_end: Callable[[HttpExchange], None],
        check_clock: Callable[[WireRequest], None],
    ) -> None:
        self._recorder = recorder
        self._guards = guards
        self._outcome = outcome
        self._on_end = on_end
        self._check_clock = check_clock

    def respond(self, request: WireRequest) -> Answer | Recording:
        """Begin to record *request*, or answer it with the error of the guard that does not allow it."""
        try:
            ended = allow(self._guards, request, self._outcome)
        except GatewayError as error:
            return Answer(refusal(request, "cost_limit", error.report), "refused")
        self._check_clock(request)

        def end(exchange: HttpExchange) -> None:
            self._on_end(exchange)
            ended(exchange)
            recording.holder.record = exchange.record

        recording = self._recorder.begin(request, end)
        recording.holder.owns_ledger = owns_ledger()
        return recording
