"""The hook for anyio, with which claude-agent-sdk starts ``claude``: replayed in place, without a process."""

from __future__ import annotations

import functools
import os
import subprocess
from collections import deque
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from llm_gateway.interception.hooks.process import start_replay
from llm_gateway.interception.script import Output, ProcessSession
from llm_gateway.types import ProcessRequest

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["ReplayedProcess", "install"]

# Other ways to connect a process, to a file or to this process's own terminal, are left to the shim.
_PLAYED = {
    "stdin": (subprocess.PIPE, subprocess.DEVNULL),
    "stdout": (subprocess.PIPE,),
    "stderr": (subprocess.PIPE, subprocess.DEVNULL, None),
}
_NO_PID = 2**22 + 1  # above every process id of Linux and macOS: a signal sent to it reaches no process


def install(module: ModuleType) -> None:
    """Wrap ``open_process`` of *module*, which is where anyio defines it."""
    if not hasattr(module.open_process, "__wrapped__"):
        module.open_process = _open_process(module.open_process)  # type: ignore[attr-defined]


def _open_process(real: Any) -> Any:
    @functools.wraps(real)
    async def open_process(command: Any, **options: Any) -> Any:
        pipes = {name: options.get(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}
        can_play = not isinstance(command, (str, bytes)) and all(
            pipes[name] in allowed for name, allowed in _PLAYED.items() if not _is_file(name, pipes)
        )
        session = start_replay(_request(command, options)) if can_play else None
        if session is None:
            return await real(command, **options)
        return ReplayedProcess(session, pipes)

    return open_process


def _request(command: Any, options: dict[str, Any]) -> ProcessRequest:
    env, cwd = options.get("env"), options.get("cwd")
    argv = tuple(map(os.fsdecode, command))
    return ProcessRequest(argv, env=os.environ if env is None else env, cwd=None if cwd is None else os.fsdecode(cwd))


def _is_file(name: str, pipes: dict[str, Any]) -> bool:
    return name == "stderr" and hasattr(pipes[name], "write")


class ReplayedProcess(Process):
    """A process that is only its recording, or a script."""

    def __init__(self, session: ProcessSession, connected: dict[str, Any]) -> None:
        self._connected = connected
        self._session = session
        self._pipes = {"stdout": _Output(), "stderr": _Output()}
        self._code: int | None = None
        self._over = anyio.Event()
        self._input = _Input(self)
        self._proceed()
        if connected["stdin"] != subprocess.PIPE:
            self.feed(b"")

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the input; none are its end."""
        if self._code is None:
            self._session.feed(data)
            self._proceed()

    def _proceed(self) -> None:
        for output in self._session.output():
            self._write(output)
        if self._session.exit_code is not None:
            self._end(self._session.exit_code)

    def _write(self, output: Output) -> None:
        to = self._connected[output.channel]
        if to is None:
            os.write(2, output.data)  # the caller left it connected to this process's own
        elif to == subprocess.PIPE:
            self._pipes[output.channel].write(output.data, output.wait_s)
        elif hasattr(to, "write"):
            to.write(output.data)

    def _end(self, code: int) -> None:
        if self._code is None:
            self._code = code
            self._over.set()
            for pipe in self._pipes.values():
                pipe.end()

    async def wait(self) -> int:
        """Wait for the end, and return the exit code."""
        await self._over.wait()
        assert self._code is not None
        return self._code

    def send_signal(self, signal: int) -> None:
        """End by *signal*."""
        self._end(-signal)

    def terminate(self) -> None:
        """End by SIGTERM."""
        self._end(-15)

    def kill(self) -> None:
        """End by SIGKILL."""
        self._end(-9)

    async def aclose(self) -> None:
        """Close the pipes and end."""
        await self._input.aclose()
        for pipe in self._pipes.values():
            await pipe.aclose()
        if self._code is None:
            self.kill()

    @property
    def pid(self) -> int:
        """A number that no process has."""
        return _NO_PID

    @property
    def returncode(self) -> int | None:
        """The exit code; None before the end."""
        return self._code

    @property
    def stdin(self) -> ByteSendStream | None:
        """The stream that the caller writes to."""
        return self._input if self._connected["stdin"] == subprocess.PIPE else None

    @property
    def stdout(self) -> ByteReceiveStream:
        """The stream of what the run wrote."""
        return self._pipes["stdout"]

    @property
    def stderr(self) -> ByteReceiveStream | None:
        """The stream of what the run wrote to its standard error."""
        return self._pipes["stderr"] if self._connected["stderr"] == subprocess.PIPE else None


class _Input(ByteSendStream):
    def __init__(self, process: ReplayedProcess) -> None:
        self._process = process
        self._has_sent = False
        self._is_closed = False

    async def send(self, item: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        if self._is_closed:
            raise anyio.ClosedResourceError
        if self._process.returncode is not None and self._has_sent:
            raise anyio.BrokenResourceError
        self._has_sent = True  # a real process does not end so soon that it could not be written to
        self._process.feed(bytes(item))

    async def aclose(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._process.feed(b"")


class _Output(ByteReceiveStream):
    def __init__(self) -> None:
        self._chunks: deque[tuple[bytes, float]] = deque()
        self._is_over = False
        self._is_closed = False
        self._news = anyio.Event()

    def write(self, data: bytes, wait_s: float) -> None:
        if self._chunks and not wait_s:
            before, wait_s = self._chunks.pop()
            data = before + data
        self._chunks.append((data, wait_s))
        self._wake()

    def end(self) -> None:
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    async def receive(self, max_bytes: int = 65536) -> bytes:
        await anyio.lowlevel.checkpoint()
        while not self._chunks:
            if self._is_closed:
                raise anyio.ClosedResourceError
            if self._is_over:
                raise anyio.EndOfStream
            await self._news.wait()
        data, wait_s = self._chunks[0]
        await anyio.sleep(wait_s)
        self._chunks.popleft()
        if data[max_bytes:]:
            self._chunks.appendleft((data[max_bytes:], 0.0))
        return data[:max_bytes]

    async def aclose(self) -> None:
        self._is_closed = True
        self._wake()
