"""One open cassette: answers or records the calls of one test, and knows at the end which errors it fails with."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from llm_gateway.cassettes import document
from llm_gateway.cassettes.faults import Faults
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.recorder import Recorder
from llm_gateway.cassettes.recording import Recording
from llm_gateway.cost.account import account
from llm_gateway.exceptions import GatewayError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.interception import guard
from llm_gateway.interception.clock_skew import signature_error
from llm_gateway.interception.credential import CredentialResponder
from llm_gateway.interception.forks import ForkResponder
from llm_gateway.interception.process_calls import ProcessCalls
from llm_gateway.interception.responders import (
    FaultResponder,
    LiveResponder,
    MissResponder,
    RecordedResponder,
    Responder,
    ScriptResponder,
    first_answer,
)
from llm_gateway.interception.script import Script
from llm_gateway.interception.settings import Settings
from llm_gateway.record import CallRecord, Source
from llm_gateway.redaction.scrub import Scrubber
from llm_gateway.types import WireRequest

__all__ = ["Cassette", "Collect"]


class Collect(Protocol):
    """A function that reports what happened elsewhere; it is not called again where *is_over*."""

    def __call__(self, *, is_over: bool) -> None:
        """Report what is new."""


class Cassette(Faults):
    """
    An open cassette file in one mode. Its methods may be called from any thread.

    A test uses the verbs of `Faults`, which make calls go wrong, and the attributes.

    Args:
        path: The file; it need not exist.

        mode: What happens to calls.

        test_id: The test it belongs to, for messages.

        settings: See `Settings`.

    Attributes:
        path: The file.

        mode: What happens to calls, see `Mode`.

        calls: The calls of the test so far, in order.

        inner_calls: The calls of cassettes that were opened while this one was.

        outcome: The errors with which the test fails.

        processes: The runs of ``claude``.

        record_command: The command that records the test again.

        on_script: Called with the cassette when a script begins to answer; None for nothing.

    Raises:
        CassetteReadError: The file exists and cannot be read, in any mode that would read or replace it.
    """

    def __init__(self, path: Path, mode: Mode, *, test_id: str = "", settings: Settings | None = None) -> None:
        super().__init__(mode)
        self.path = path
        self.is_closed = False
        self._test_id = test_id or None
        self.calls: list[CallRecord] = []
        self.inner_calls: list[CallRecord] = []
        self.record_command = f"pytest --llm-record {test_id}".rstrip()
        self._settings = settings = settings or Settings()
        self._playback = Playback(path, settings.normalize, read=_no_file if mode is Mode.LIVE else document.read)
        self._recorder: Recorder | None = None
        if mode.connects:
            self._recorder = Recorder(path, settings.environ, is_writing=mode.writes, before_save=settings.before_save)
        checks: list[Callable[[], GatewayError | None]] = [self.unreached]
        if mode is Mode.REPLAY and not settings.allow_unused:
            checks.append(functools.partial(self._playback.unused, self.record_command))
        self.outcome = Outcome(self.redact, checks)
        self.processes = ProcessCalls(self, self._playback, self._recorder, self.outcome, settings.guards, self._count)
        self._forks = ForkResponder(self.outcome)
        self._script: Script | None = None
        self._answers: list[Responder] = []
        self._responders = self._chain()
        self.on_script: Callable[[Cassette], None] | None = None
        self._listeners: list[Callable[[], None]] = []
        self._sources: list[Collect] = [self._forks.collect]
        self._closers: list[Callable[[], None]] = []

    def _chain(self) -> list[Responder]:
        """Return the responders of this mode in their order; those in ``_answers`` are changed by faults."""
        check_clock = self._check_clock
        recorded = RecordedResponder(self._playback, self._redact_request, self.outcome)
        if self.mode.reads:
            self._answers.append(recorded)
        last: Responder
        if self._recorder is not None:
            guards = self._settings.guards
            last = LiveResponder(self._recorder, guards, self.outcome, self._count_made, check_clock)
        else:
            last = MissResponder(self._playback, self._redact_request, self.outcome, self.record_command)
        return [
            self._forks,
            CredentialResponder(None if self.mode.connects else recorded, check_clock),
            FaultResponder(self, self._answers, self.outcome, self._playback.put_back, self._settings.chunks),
            last,
        ]

    @property
    def exists(self) -> bool:
        """Whether there was a file when it was opened."""
        return self._playback.exists

    def recorded_times(self) -> list[datetime]:
        """Return when its exchanges were recorded; see `llm_gateway.cassettes.format.recorded_times`."""
        return self._playback.recorded_times()

    def wants(self, method: str, url: str) -> bool:
        """Return whether a request is this cassette's business; one to a test's own local server is not."""
        host = (urlsplit(url).hostname or "").lower()
        if host in self._settings.ignore_hosts:
            return False
        if not guard.is_local(url) or self._is_scripted(WireRequest(method, url)) or self.knows(url):
            return True
        from llm_gateway.wire.identify import identify

        return identify(method, url) is not None

    def handle(self, request: WireRequest) -> HttpExchange | Recording | None:
        """Answer *request*; a recording has the hook send it and record the reply, None has it sent unrecorded."""
        answer = first_answer(self._responders, request)
        if answer is None or isinstance(answer, Recording):
            return answer
        if answer.exchange is not None and answer.source is not None:
            self._count(answer.source, answer.exchange)
        return answer.exchange

    def is_offline(self, request: WireRequest) -> bool:
        """Return whether `handle` answers *request* itself, in this mode, without a call to its provider."""
        return not self.mode.connects or self._is_scripted(request)

    def addresses(self) -> list[str]:
        """Return where the requests went that it may answer from its file."""
        return [one.request.url for one in self._playback.recorded()] if self.mode.reads else []

    def knows(self, url: str) -> bool:
        """Return whether its file may answer something at the address of *url*."""
        return self.mode.reads and self._playback.knows(url)

    def answer_by(self, script: Script) -> None:
        """Let *script* answer what it wants, in every mode, before the file does."""
        self._script = self.processes.script = script
        self._answers.insert(0, ScriptResponder(script, self.path, self.knows, self.outcome))
        self.outcome.check_at_end(script.unused)
        if self.on_script is not None:
            self.on_script(self)

    @property
    def is_forked(self) -> bool:
        """Whether this process shares no memory with the test."""
        return self._forks.is_fork

    def redact(self, text: str) -> str:
        """Return *text* without secrets, to be printed."""
        return self._scrubber().text(text)

    def _redact_request(self, request: WireRequest) -> WireRequest:
        return self._scrubber().scrub_request(request)

    def _scrubber(self) -> Scrubber:
        return Scrubber(self._settings.environ) if self._recorder is None else self._recorder.scrubber()

    def _is_scripted(self, request: WireRequest) -> bool:
        return self._script is not None and self._script.wants(request)

    def _check_clock(self, request: WireRequest) -> None:
        if (error := signature_error(request, command=self.record_command)) is not None:
            self.outcome.fail(error)

    def _count_made(self, exchange: HttpExchange) -> None:
        self._count("record" if self.mode.writes else "live", exchange)

    def _count(self, source: Source, exchange: Exchange) -> None:
        """Add the record of a call to `calls`; it stays on *exchange* too."""
        self.calls.append(account(exchange, source, test_id=self._test_id))
        for listener in self._listeners:
            listener()

    def add_source(self, source: Collect) -> None:
        """Call *source* for what happened elsewhere, in other processes, each time before errors are looked at."""
        self._sources.append(source)

    def on_call(self, listener: Callable[[], None]) -> None:
        """Call *listener* after each call, once `calls` has it; in the thread of the call."""
        self._listeners.append(listener)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Call *closer* when the cassette is closed."""
        self._closers.append(closer)

    def close(self) -> None:
        """Take no more calls, and clear away what was set up for them."""
        self.is_closed = True
        while self._closers:
            self._closers.pop()()
        self._sources.clear()

    def settle(self, *, is_over: bool = True) -> None:
        """Collect what is still out: other processes' runs, replies left unread; all of it if *is_over*."""
        for source in self._sources:
            source(is_over=is_over)
        if is_over and self._recorder is not None:
            self._recorder.end_open()

    def save(self) -> bool:
        """
        Write what was recorded; return whether the file changed.

        Raises:
            CassetteSaveError: The file could not be written; the old one is as it was.
            CassetteSecretError: A secret was left in it; nothing was written.
        """
        if self._recorder is None:
            return False
        return self._recorder.save(self._playback.content if self.mode is Mode.NEW else None)


def _no_file(_path: Path) -> None:
    """Return what `llm_gateway.cassettes.document.read` returns where there is no file: live calls read none."""
