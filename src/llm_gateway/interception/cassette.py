"""One open cassette: answers and records the calls of one test, and judges at the end what became of them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from llm_gateway.cassettes import meter, writer
from llm_gateway.cassettes.call import Call, Served, call_of, unbilled
from llm_gateway.cassettes.diagnosis import summary
from llm_gateway.cassettes.fault import Fault, answered, changed, failed
from llm_gateway.cassettes.faults import Faults
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.recording import Recording
from llm_gateway.cassettes.verdict import claimed_twice, forked, left_unused, missed
from llm_gateway.cost import recorded
from llm_gateway.exceptions import (
    CassetteError,
    CassetteMissError,
    CassetteReadError,
    FaultError,
    GatewayError,
)
from llm_gateway.exchange import Exchange, HttpExchange, ProcessExchange
from llm_gateway.interception import guard
from llm_gateway.interception.call_guard import Ended, enter, enter_late, standing
from llm_gateway.interception.clock_skew import skewed
from llm_gateway.interception.credential import is_exchange, placeholder
from llm_gateway.interception.forks import Notes
from llm_gateway.interception.refusal import refusal
from llm_gateway.interception.responder import FailedSession, ProcessSession, Responder
from llm_gateway.interception.settings import Settings
from llm_gateway.redaction.scrub import Scrubber
from llm_gateway.redaction.secret_values import secret_variables, sent_secrets
from llm_gateway.types import ProcessRequest, WireRequest

__all__ = ["Cassette", "Source"]


class Source(Protocol):
    """Tells the cassette what happened elsewhere; *is_over* says that it will not be asked again."""

    def __call__(self, *, is_over: bool) -> None:
        """Tell what is new."""


class Cassette(Faults):
    """
    An open cassette file in one mode. Its methods may be called from any thread.

    Args:
        path: The file; it need not exist.

        mode: What happens to calls.

        test_id: The test it belongs to, for messages.

        settings: See `Settings`.

    Raises:
        CassetteReadError: The file exists and cannot be read, in any mode that would read or replace it.
    """

    def __init__(self, path: Path, mode: Mode, *, test_id: str = "", settings: Settings | None = None) -> None:
        super().__init__(mode)
        self.path = path
        self.test_id = test_id
        self.is_closed = False
        self.calls: list[Call] = []
        self.inner_calls: list[Call] = []
        """Calls that were served by cassettes which were opened while this one was."""
        self._settings = settings or Settings()
        self._playback = None if mode is Mode.LIVE else Playback(path, self._settings.normalize)
        self._slots: list[Exchange | None] = []
        self._secrets: dict[str, str] = {}
        self._forks = Notes()
        self._recordings: list[Recording] = []
        self._problems: dict[str, GatewayError] = {}
        self._runs_ended: list[Ended] = []
        self.runs: Any = None
        """What serves commands, once one was started; see `llm_gateway.interception.claude.runs`."""
        self._sources: list[Source] = []
        self._closers: list[Callable[[], None]] = []
        self._listeners: list[Callable[[], None]] = []
        self._responder: Responder | None = None
        self._lock = threading.RLock()
        self._sources.append(self._told_by_forks)

    @property
    def exists(self) -> bool:
        """Whether there was a file when it was opened."""
        return self._playback is not None and self._playback.exists

    def moments(self) -> list[datetime]:
        """When its exchanges were recorded, in local time of then and there; see `llm_gateway.cassettes.timestamps`."""
        return [] if self._playback is None else self._playback.moments()

    def wants(self, request: WireRequest) -> bool:
        """Whether *request* is this cassette's business; a test's own local servers are not, nor are real tokens."""
        if self.mode.connects and is_exchange(request):
            self._note_skew(request)
            return False
        host = (urlsplit(request.url).hostname or "").lower()
        if host in self._settings.ignore_hosts:
            return False
        if not guard.is_local(request.url) or self._is_scripted(request):
            return True
        if self.knows(request.url):
            return True
        from llm_gateway.wire.identify import identify

        return identify(request.method, request.url) is not None

    def handle(self, request: WireRequest) -> HttpExchange | Recording:
        """Answer *request* from the file, or start to record it."""
        if self._forks.is_fork:
            return self._forked(request)
        if self._responder is not None and self._responder.wants(request):
            return self._scripted(self._responder, request)
        with self._lock:
            due = [] if is_exchange(request) else self._due()
            found = answered(due, request) or self._recorded(request)
            if found is not None:
                return self._played(found, due)
            if self.mode is Mode.REPLAY:
                return placeholder(request) if is_exchange(request) else self._miss(request)
        return self._made(request)

    def is_offline(self, request: WireRequest) -> bool:
        """Whether `handle` answers *request* itself, in this mode, without anyone being asked."""
        return not self.mode.connects or self._is_scripted(request)

    def addresses(self) -> list[str]:
        """Where the requests went that it may answer from its file."""
        return (
            []
            if self._playback is None or not self.mode.reads
            else [one.request.url for one in self._playback.recorded()]
        )

    def knows(self, url: str) -> bool:
        """Whether its file may answer something at the address of *url*."""
        return self._playback is not None and self.mode.reads and self._playback.knows(url)

    def answer_by(self, responder: Responder) -> None:
        """Let *responder* answer the calls that it handles, in every mode, before the file does."""
        self._responder = responder
        from llm_gateway.interception.hooks.process import prepare

        prepare(self)

    @property
    def is_forked(self) -> bool:
        """Whether this process shares no memory with the test."""
        return self._forks.is_fork

    def fakes_runs(self) -> bool:
        """Whether a script answers runs of ``claude``."""
        return self._responder is not None and self._responder.wants_runs()

    def start_process(self, request: ProcessRequest) -> ProcessSession | None:
        """Start the scripted session of a run of ``claude``; return None where no script answers it."""
        if self._responder is None or not self._responder.wants_runs():
            return None
        if self._playback is None or not self.mode.reads or not self._playback.processes:
            return self._responder.start_process(request, self)
        return FailedSession(
            self.note_failure(claimed_twice(self.path, f"the run of {Path(request.argv[0]).name}", "runs of it"))
        )

    def note_answer(self, exchange: Exchange) -> None:
        """Count what was answered from a script."""
        with self._lock:
            self._count("fake", exchange)

    def note_failure(self, error: GatewayError) -> str:
        """Fail the test with *error* at its end; the text that may be printed of it."""
        return self._note(error).report

    def _is_scripted(self, request: WireRequest) -> bool:
        return self._responder is not None and self._responder.wants(request)

    def _scripted(self, responder: Responder, request: WireRequest) -> HttpExchange:
        with self._lock:
            due = self._due()
        found = answered(due, request)
        if found is None:
            try:
                self._refuse_both(request)
                found = responder.answer(request)
            except GatewayError as error:
                return self._unanswered(request, self._note(error).report, "fake_miss")
        with self._lock:
            return self._played(found, due, "fake")

    def _refuse_both(self, request: WireRequest) -> None:
        if self.knows(request.url):
            raise claimed_twice(self.path, summary(request), "recordings of that host")

    def _played(self, found: HttpExchange, due: list[Fault], served: Served = "replay") -> HttpExchange:
        """Give out what was recorded or scripted, or a fault; a recorded reply that is cut may be asked for again."""
        try:
            played = changed(due, found, self._settings.chunks)
        except FaultError as error:
            return refusal(found.request, "fault", self._note(error).report)
        is_fault = any(fault.is_end for fault in due)
        if (
            is_fault
            and served == "replay"
            and self._playback is not None
            and played.reply is not None
            and played.failure
        ):
            self._playback.give_back(found.request)
        self._count("fault" if is_fault else served, played)
        recorded.note(self.calls[-1].metering.cost_usd)
        return played

    def _made(self, request: WireRequest) -> HttpExchange | Recording:
        """Make the call for real, if every gate lets it through."""
        try:
            ended = self.entered(request)
        except GatewayError as error:
            answer = refusal(request, "cost_limit", error.report)
            self.calls.append(Call("refused", meter.metered(answer), None, None))
            return answer
        self._note_skew(request)
        with self._lock:
            return self._record(request, ended)

    def _note_skew(self, request: WireRequest) -> None:
        if (error := skewed(request, command=self.record_command())) is not None:
            self._note(error)

    def entered(self, request: WireRequest | None) -> Ended:
        """
        Ask the gates for a call, or for a run of a command where *request* is None; the result wants to know its end.

        Raises:
            GatewayError: It may not be made. The test fails with that, whatever becomes of the error.
        """
        try:
            return enter([*self._settings.gates, *standing], request)
        except GatewayError as error:
            self._note(error)
            raise

    def _recorded(self, request: WireRequest) -> HttpExchange | None:
        if self._playback is None or not self.mode.reads:
            return None
        try:
            # What was recorded may have had secrets taken out; a request that holds none is found without that work.
            return self._playback.take(request) or self._playback.take(self._scrubbed(request))
        except CassetteReadError as error:
            self.note_miss(error.report)  # the code under test may swallow what is raised
            raise

    def _scrubbed(self, request: WireRequest) -> WireRequest:
        return Scrubber({**self._secrets, **self._settings.environ}).scrub_request(request)

    def scrubbed(self, text: str) -> str:
        """*text* without secrets, to be printed."""
        return Scrubber({**self._secrets, **self._settings.environ}).text(text)

    def _forked(self, request: WireRequest) -> HttpExchange:
        """A fork shares no memory with the test: what it called could neither be recorded nor be missed."""
        text = forked(request).report
        self._forks.leave(text)
        return refusal(request, "cassette_miss", text)

    def _told_by_forks(self, *, is_over: bool) -> None:
        for text in self._forks.read(is_over=is_over):
            self.note_miss(text)

    def _count(self, served: Served, exchange: Exchange, provider: str | None = None) -> None:
        metering = meter.priced(exchange, provider) if served in ("record", "live") else meter.metered(exchange)
        if served in ("record", "live"):
            exchange.metering = metering
        self.calls.append(unbilled(exchange, metering) if served == "fault" else call_of(served, exchange, metering))
        for listener in self._listeners:
            listener()

    def _record(self, request: WireRequest, ended: Ended) -> Recording:
        slot, provider = len(self._slots), meter.billed_by(request.url)
        self._slots.append(None)
        # Set only while the test runs, they would be unknown when the file is written.
        self._secrets.update(secret_variables(self._settings.environ))
        self._secrets.update(sent_secrets(request.headers))

        def done(exchange: HttpExchange) -> None:
            with self._lock:
                self._count("record" if self.mode.writes else "live", exchange, provider)
                self._slots[slot] = exchange if self.mode.writes else None
            ended(exchange)

        recording = Recording(request, done)
        self._recordings.append(recording)
        return recording

    def _miss(self, request: WireRequest) -> HttpExchange:
        # It is printed, and compared with what was scrubbed.
        text = missed(
            self.path, self._playback, self._scrubbed(request), self._settings.normalize, self.record_command()
        ).report
        self.note_miss(text)
        return self._unanswered(request, text, "cassette_miss")

    def _unanswered(self, request: WireRequest, text: str, kind: str) -> HttpExchange:
        answer = refusal(request, kind, text)
        self.calls.append(Call("miss", meter.metered(answer), None, None))
        return answer

    def record_command(self) -> str:
        """What to type to record this test again."""
        return f"pytest --llm-record {self.test_id}".rstrip()

    def note_miss(self, text: str) -> None:
        """Fail the test at its end with *text*, whatever the code under test makes of the answer."""
        self._note(CassetteMissError(text.removeprefix("CassetteMissError: ")))

    def _note(self, error: GatewayError) -> GatewayError:
        """Fail the test with *error* at its end; what comes back is the same without secrets, and may be printed."""
        shown = copy.copy(error)
        shown.message = self.scrubbed(error.message)
        shown.cause = error.cause and self.scrubbed(error.cause)
        shown.__cause__ = error.__cause__
        with self._lock:
            return self._problems.setdefault(shown.report, shown)

    def processes_left(self) -> list[ProcessExchange]:
        """Recorded runs of commands that were not used yet, in order."""
        with self._lock:
            return self._playback.processes_left() if self._playback else []

    def take_process(self, exchange: ProcessExchange) -> None:
        """Mark a recorded run as used."""
        with self._lock:
            assert self._playback is not None
            self._playback.take_process(exchange)
            self._count("replay", exchange)

    def failed_run(self, argv: Sequence[str]) -> ProcessExchange | None:
        """A run of a command begins: what an injected fault makes of it, None where it goes on."""
        with self._lock:
            try:
                run = failed(self._due(), tuple(argv))
            except FaultError as error:
                self._note(error)
                return None
            if run is not None:
                self._count("fault", run)
            return run

    def enter_run(self) -> None:
        """
        Ask the gates for a run of a command; `add_process` tells them of its end.

        Raises:
            GatewayError: It may not be made.
        """
        self._runs_ended.append(self.entered(None))

    def add_process(self, exchange: ProcessExchange) -> None:
        """Take in a live run: it is recorded in a mode that writes, and counted in any."""
        with self._lock:
            self._count("record" if self.mode.writes else "live", exchange)
            if self.mode.writes:
                self._slots.append(exchange)
        ended = self._runs_ended.pop(0) if self._runs_ended else enter_late([*self._settings.gates, *standing])
        ended(exchange)

    def add_source(self, source: Source) -> None:
        """Ask *source* for what happened elsewhere, in other processes, each time the cassette is judged."""
        self._sources.append(source)

    def on_call(self, listener: Callable[[], None]) -> None:
        """Run *listener* after each call, once `calls` has it; in the thread of the call."""
        self._listeners.append(listener)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Run *closer* when the cassette is closed."""
        self._closers.append(closer)

    def close(self) -> None:
        """Take no more calls, and clear away what was set up for them."""
        self.is_closed = True
        while self._closers:
            self._closers.pop()()
        self._sources.clear()
        self.runs = None

    def settle(self, *, is_over: bool = True) -> None:
        """Collect what is still out: other processes' runs, streams that nobody closed; all of it if *is_over*."""
        for source in self._sources:
            source(is_over=is_over)
        if is_over:
            for recording in list(self._recordings):
                recording.finish("partial")
            self._recordings.clear()

    def problems(self) -> list[GatewayError]:
        """One error for each different call that found no recording, or that a gate refused."""
        return list(self._problems.values())

    def left_over(self) -> list[GatewayError]:
        """An error for faults, one for recorded exchanges, and one for scripted answers, that no call met."""
        scripted = self._responder.unused() if self._responder is not None else None
        return [error for error in (self.unreached(), self.unused(), scripted) if error is not None]

    def unused(self) -> CassetteError | None:
        """The error for recorded exchanges that nobody asked for; None when all were used or may stay unused."""
        if self.mode is not Mode.REPLAY or self._settings.allow_unused or self._playback is None:
            return None
        return left_unused(self.path, self._playback, self.record_command())

    def save(self) -> bool:
        """
        Write what was recorded; True when the file changed.

        A run in which no call was made changes nothing: a recording is never replaced by its absence.

        Raises:
            CassetteSaveError: The file could not be written; the old one is as it was.
            CassetteSecretError: A secret was left in it; nothing was written.
        """
        exchanges = [exchange for exchange in self._slots if exchange is not None]
        if not self.mode.writes or not exchanges:
            return False
        kept = self._playback.content if self._playback is not None and self.mode is Mode.NEW else None
        writer.write(
            self.path,
            exchanges,
            kept=kept,
            environ={**self._secrets, **self._settings.environ},
            before=self._settings.before_save,
        )
        return True
