"""The runs of commands of one test: scripted, failed by a fault, recorded, or really made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from llm_gateway.cassettes.diagnosis import claimed_twice
from llm_gateway.cassettes.fault import failed
from llm_gateway.cassettes.faults import Faults
from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.recorder import Recorder
from llm_gateway.exceptions import FaultError, GatewayError
from llm_gateway.exchange import Exchange, ProcessExchange
from llm_gateway.interception.call_guard import CallGuard, OnComplete, allow, allow_late
from llm_gateway.interception.script import FailedSession, ProcessSession, Script
from llm_gateway.record import Source
from llm_gateway.types import ProcessRequest

__all__ = ["ProcessCalls"]


class ProcessCalls:
    """
    Answers runs of ``claude`` as the responders of a cassette answer requests. Usable from any thread.

    Args:
        faults: The injected faults; their mode decides whether runs are recorded.

        playback: The recorded runs.

        recorder: Takes in runs that were really made; None in a replay.

        outcome: Takes the errors with which the test fails.

        guards: Called before a run is really made.

        count: Counts a run, with the source of its output.

    Attributes:
        script: The script that may answer runs; None without one.

        has_recorded: Whether the file has runs, used or not.
    """

    def __init__(
        self,
        faults: Faults,
        playback: Playback,
        recorder: Recorder | None,
        outcome: Outcome,
        guards: Sequence[CallGuard],
        count: Callable[[Source, Exchange], None],
    ) -> None:
        self.script: Script | None = None
        self.has_recorded = bool(playback.processes)
        self._faults = faults
        self._playback = playback
        self._recorder = recorder
        self._outcome = outcome
        self._guards = guards
        self._count = count
        self._under_way: list[OnComplete] = []

    def is_scripted(self) -> bool:
        """Return whether a script answers runs of ``claude``."""
        return self.script is not None and self.script.wants_runs()

    def start(self, request: ProcessRequest) -> ProcessSession | None:
        """Start the scripted session of a run of ``claude``; return None where no script answers it."""
        if self.script is None or not self.script.wants_runs():
            return None
        if not self._faults.mode.reads or not self._playback.processes:
            return self.script.start_process(request, self)
        error = claimed_twice(self._playback.path, f"the run of {Path(request.argv[0]).name}", "runs of it")
        return FailedSession(self.note_failure(error))

    def note_answer(self, exchange: Exchange) -> None:
        """Count a run that the script answered."""
        self._count("fake", exchange)

    def note_failure(self, error: GatewayError) -> str:
        """Fail the test with *error* at its end; return the text that may be printed of it."""
        return self._outcome.fail(error).report

    def left(self) -> list[ProcessExchange]:
        """Return the recorded runs that were not used yet, in order."""
        return self._playback.processes_left()

    def take(self, exchange: ProcessExchange) -> None:
        """Mark a recorded run as used."""
        self._playback.take_process(exchange)
        self._count("replay", exchange)

    def failed(self, argv: Sequence[str]) -> ProcessExchange | None:
        """Count a run that begins; return how an injected fault ends it, None where it goes on."""
        try:
            run = failed(self._faults.due(), tuple(argv))
        except FaultError as error:
            self._outcome.fail(error)
            return None
        if run is not None:
            self._count("fault", run)
        return run

    def allow(self) -> None:
        """
        Have the guards allow a run that is really made; `add` notifies them of its end.

        Raises:
            GatewayError: It may not be made.
        """
        self._under_way.append(allow(self._guards, None, self._outcome))

    def add(self, exchange: ProcessExchange) -> None:
        """Count a run that was really made, and record it in a mode that writes."""
        self._count("record" if self._faults.mode.writes else "live", exchange)
        if self._recorder is not None:
            self._recorder.add(exchange)
        ended = self._under_way.pop(0) if self._under_way else allow_late(self._guards)
        ended(exchange)
