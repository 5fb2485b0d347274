"""The runs of ``claude`` of one open cassette: recorded ones for the shim to replay, live ones that it recorded."""

from __future__ import annotations

import atexit
import base64
import json
import os
import shlex
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

from llm_gateway.cassettes import clock
from llm_gateway.cassettes.document import shown
from llm_gateway.cassettes.process_match import is_streaming
from llm_gateway.exchange import Frame, ProcessExchange
from llm_gateway.interception import guard
from llm_gateway.interception.claude import shim
from llm_gateway.interception.claude.control_socket import ControlSocket
from llm_gateway.interception.claude.shim.diagnosis import diagnosis
from llm_gateway.interception.claude.shim.folder import Folder, to_plan
from llm_gateway.interception.claude.shim.player import FailedPlayer, Player, Run
from llm_gateway.interception.claude.shim.stdio import EXIT_MISS
from llm_gateway.interception.script import Output

if TYPE_CHECKING:
    from llm_gateway.interception.cassette import Cassette

__all__ = ["Replay", "Runs", "exchange_of", "failing_command", "rejecting_bin", "rejecting_command", "shim_command"]

_SHIM = str(Path(shim.__file__).parent)
_PATIENCE_S = 2.0


def shim_command(folder: Path, argv: list[str]) -> list[str]:
    """Return the command that runs instead of *argv*."""
    return [sys.executable, "-ISE", _SHIM, str(folder), *argv]


class Runs:
    """The runs of ``claude`` that belong to *cassette*, whichever process starts them."""

    _of: ClassVar[WeakKeyDictionary[Cassette, Runs]] = WeakKeyDictionary()
    _lock = threading.Lock()

    def __init__(self, cassette: Cassette) -> None:
        self._cassette = cassette
        self._calls = cassette.processes
        self._recorded = cassette.processes.left()
        self._taken: set[int] = set()
        self._read: set[str] = set()
        self._is_on_path = False
        self._control_socket: ControlSocket | None = None
        self.folder = Folder(Path(tempfile.mkdtemp(prefix="llm-gateway-")))
        self.folder.write_plan(self._plan())
        cassette.add_source(self.collect)
        cassette.on_close(self.close)

    @classmethod
    def of(cls, cassette: Cassette) -> Runs:
        """Return the runs of *cassette*, made when they are needed first."""
        with cls._lock:
            if cassette not in cls._of:
                cls._of[cassette] = cls(cassette)
            return cls._of[cassette]

    def _plan(self) -> dict[str, Any]:
        mode = self._cassette.mode
        return {
            "mode": "replay" if not mode.connects else "new" if mode.reads else "record",
            "runs": [to_plan(_run(number, run)) for number, run in enumerate(self._recorded)],
            "shown": shown(self._cassette.path),
            "command": self._cassette.record_command,
        }

    def command(self, argv: list[str]) -> list[str]:
        """Return the command that runs instead of *argv*."""
        return shim_command(self.folder.path, argv)

    def open_control_socket(self) -> None:
        """Let the script of the cassette answer runs of other processes."""
        with self._lock:
            if self._control_socket is not None:
                return
            self._control_socket = ControlSocket(self._calls.start)
            self.folder.write_plan(self._plan() | {"control_socket": self._control_socket.address})

    def replay(self, argv: list[str]) -> Replay:
        """Play the recorded run of *argv* in this process, or one that an injected fault ends."""
        failed = self._calls.failed(argv)
        if failed is not None:
            return Replay(FailedPlayer(_run(-1, failed)), self)
        return Replay(Player(self.folder.runs(), argv, self.folder.claim), self)

    def missed(self, player: Player) -> str:
        """Note that *player* found no recording, and return the diagnosis."""
        text = diagnosis(player, self.folder.all_runs(), self.folder.claimed(), self.folder.plan())
        text = self._cassette.redact(text)
        self._cassette.outcome.fail_miss(text)
        return text

    @property
    def bin(self) -> Path:
        """The folder for the search path in which ``claude`` is the shim."""
        return _bin(self.folder.path)

    def put_on_path(self) -> None:
        """Put the shim on the search path of this process and its children until the cassette closes."""
        if self._is_on_path:
            return
        self._is_on_path = True
        os.environ["PATH"] = os.pathsep.join([str(self.bin), os.environ.get("PATH", os.defpath)])

    def collect(self, *, is_over: bool) -> None:
        """Report to the cassette which runs were replayed, which missed, and which live runs have ended."""
        for number in self.folder.claimed() - self._taken:
            self._taken.add(number)
            self._calls.take(self._recorded[number])
        for text in self.folder.misses():
            self._cassette.outcome.fail_miss(self._cassette.redact(text))
        deadline = clock.monotonic() + (_PATIENCE_S if is_over else 0)
        for file in sorted(self.folder.path.glob("run-*")):
            if file.name not in self._read:
                self._take_in(file, deadline, is_over=is_over)

    def _take_in(self, file: Path, deadline: float, *, is_over: bool) -> None:
        entries = _entries(file)
        while not _has_ended(entries) and is_over and _is_alive(file) and clock.monotonic() < deadline:
            time.sleep(0.01)
            entries = _entries(file)
        if _has_ended(entries) or is_over:
            self._read.add(file.name)
            self._calls.add(exchange_of(entries, datetime.fromtimestamp(_started(file), UTC)))

    def close(self) -> None:
        """Take the shim off the search path, and remove its files."""
        self._of.pop(self._cassette, None)
        if self._control_socket is not None:
            self._control_socket.close()
        if self._is_on_path:
            places = os.environ.get("PATH", "").split(os.pathsep)  # the test may have changed the rest of it
            os.environ["PATH"] = os.pathsep.join(place for place in places if place != str(self.bin))
        shutil.rmtree(self.folder.path, ignore_errors=True)


class Replay:
    """A recorded run, played in this process; see `llm_gateway.interception.script.ProcessSession`."""

    def __init__(self, player: Player, runs: Runs) -> None:
        self._player = player
        self._runs = runs
        self._diagnosis: str | None = None

    @property
    def exit_code(self) -> int | None:
        """The exit code; None while the run goes on, and if it was killed when it was recorded."""
        if self._player.is_missed:
            return EXIT_MISS
        return self._player.claimed.exit_code if self._player.is_done and self._player.claimed else None

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the input; none are its end."""
        self._player.feed(data)

    def output(self) -> list[Output]:
        """Return what the run has written since the last call; a diagnosis where no recording matches."""
        if self._player.is_missed and self._diagnosis is None:
            self._diagnosis = self._runs.missed(self._player)
            return [Output("stderr", f"{self._diagnosis}\n".encode())]
        return [Output(channel, data) for channel, data in self._player.output()]


def _bin(folder: Path) -> Path:
    made = folder / "bin"
    if not made.exists():
        made.mkdir()
        script = made / "claude"
        script.write_text(f'#!/bin/sh\nexec {shlex.join(shim_command(folder, ["claude"]))} "$@"\n', "utf-8")
        script.chmod(0o700)
    return made


def rejecting_bin(command: str) -> Path:
    """Return a folder for the search path of *command*, in which ``claude`` fails with an explanation."""
    folder = Path(tempfile.mkdtemp(prefix="llm-gateway-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Folder(folder).write_plan({"rejection": guard.explained(guard.Refusal(f"the command {command[:60]!r}", None))})
    return _bin(folder)


def rejecting_command(text: str, argv: list[str]) -> list[str]:
    """Return the command that prints *text* and fails, instead of *argv*."""
    folder = Path(tempfile.mkdtemp(prefix="llm-gateway-"))  # the shim removes it
    Folder(folder).write_plan({"rejection": text})
    return shim_command(folder, argv)


def failing_command(run: ProcessExchange) -> list[str]:
    """Return the command that prints and exits as *run* did."""
    folder = Path(tempfile.mkdtemp(prefix="llm-gateway-"))  # the shim removes it
    Folder(folder).write_plan({"printed": run.channel("stdout").decode(), "exit_code": run.exit_code})
    return shim_command(folder, list(run.argv))


def _run(number: int, exchange: ProcessExchange) -> Run:
    frames: list[tuple[str, bytes]] = [(frame.channel, frame.data) for frame in exchange.frames]
    return Run(number, list(exchange.argv), frames, exchange.stdin_closed, exchange.exit_code)


def _entries(file: Path) -> list[dict[str, Any]]:
    whole = file.read_bytes().rpartition(b"\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


def _has_ended(entries: list[dict[str, Any]]) -> bool:
    return "exit_code" in entries[-1]


def _started(file: Path) -> float:
    return int(file.name.split("-")[1]) / 1e9


def _is_alive(file: Path) -> bool:
    try:
        os.kill(int(file.name.split("-")[2]), 0)
    except OSError:
        return False
    return True


def exchange_of(entries: list[dict[str, Any]], recorded_at: datetime) -> ProcessExchange:
    """Return the run that the shim logged as *entries*; one without an end was killed."""
    argv = ["claude", *entries[0]["argv"][1:]]
    reads = [(one["channel"], base64.b64decode(one["data"]), one["at_s"]) for one in entries if "channel" in one]
    has_ended = _has_ended(entries)
    return ProcessExchange(
        argv=tuple(argv),
        frames=tuple(_lines(reads) if is_streaming(argv) else _joined(reads)),
        stdin_closed=any(channel == "stdin" and not data for channel, data, _ in reads),
        exit_code=entries[-1]["exit_code"] if has_ended else None,
        end="complete" if has_ended else "partial",
        recorded_at=recorded_at,
        duration_s=entries[-1].get("at_s"),
    )


def _lines(reads: Iterable[tuple[Any, bytes, float]]) -> Iterator[Frame]:
    """Return one frame for each line, with the time when its end arrived."""
    open_lines: dict[Any, tuple[bytes, float]] = {}
    for channel, data, at_s in reads:
        *lines, rest = (open_lines.pop(channel, (b"", 0.0))[0] + data).split(b"\n")
        yield from (Frame(channel, line + b"\n", at_s) for line in lines)
        if rest:
            open_lines[channel] = (rest, at_s)
    yield from (Frame(channel, data, at_s) for channel, (data, at_s) in open_lines.items())


def _joined(reads: Iterable[tuple[Any, bytes, float]]) -> Iterator[Frame]:
    """Return one frame for all consecutive reads of one channel."""
    last: Frame | None = None
    for channel, data, at_s in reads:
        if last is not None and last.channel == channel:
            last = Frame(channel, last.data + data, last.at_s)
        elif data:
            if last is not None:
                yield last
            last = Frame(channel, data, at_s)
    if last is not None:
        yield last
