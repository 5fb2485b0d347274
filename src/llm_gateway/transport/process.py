"""Run a command, in a thread or in an event loop, and never leave it running."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import IO, Any, NoReturn

from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.limit import Limit, Span, soonest
from llm_gateway.types import ProcessReply, ProcessRequest

__all__ = ["AsyncRunning", "Running", "arun", "run"]

_PIECE = 65536
_LATE: dict[Span, str] = {
    "first_token": "wrote nothing of an answer within {:g} s",
    "idle": "wrote nothing for {:g} s",
    "total": "did not end within the {:g} s that the whole call may take",
}


def _environment(request: ProcessRequest) -> dict[str, str]:
    return {**os.environ, **request.env}


def _refuse(request: ProcessRequest, error: OSError) -> NoReturn:
    raise ProviderError(
        f"cannot run {request.argv[0]!r}",
        kind="process",
        cause=error.strerror or str(error),
        fix="install the claude command line: npm install -g @anthropic-ai/claude-code",
    ) from error


def _late(request: ProcessRequest, limit: Limit) -> NoReturn:
    words = _LATE.get(limit.span, "did not end within {:g} s").format(limit.seconds)
    raise ProviderError(f"{request.argv[0]!r} {words} and was stopped", kind="timeout", fix=limit.fix)


def _first(limits: Sequence[Limit]) -> tuple[Limit, float]:
    """Which of *limits* is over first, and in how many seconds."""
    now = time.monotonic()
    limit, end = soonest(limits, now)
    return limit, max(0.0, end - now)


def run(request: ProcessRequest, *, limits: Sequence[Limit]) -> ProcessReply:
    """
    Run *request* to its end.

    Raises:
        ProviderError: It cannot be started (kind ``process``) or took longer than *limits* allow (kind ``timeout``).
    """
    limit, seconds = _first(limits)
    try:
        done = subprocess.run(  # noqa: S603  the caller's own command
            request.argv,
            input=request.stdin,
            capture_output=True,
            env=_environment(request),
            cwd=request.cwd,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _late(request, limit)
    except OSError as error:
        _refuse(request, error)
    return ProcessReply(done.returncode, done.stdout, done.stderr)


async def arun(request: ProcessRequest, *, limits: Sequence[Limit]) -> ProcessReply:
    """Run *request* to its end without blocking the event loop; errors as in `run`."""
    import anyio

    limit, seconds = _first(limits)
    try:
        with anyio.fail_after(seconds):
            done = await anyio.run_process(
                request.argv, input=request.stdin, check=False, env=_environment(request), cwd=request.cwd
            )
    except TimeoutError:
        _late(request, limit)
    except OSError as error:
        _refuse(request, error)
    return ProcessReply(done.returncode, done.stdout, done.stderr)


class Running:
    """A command whose output is read as it comes. It is stopped when a read takes too long."""

    def __init__(self, request: ProcessRequest) -> None:
        self.request = request
        self._ran_out: Limit | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed with the run; a pipe that nobody reads fills up
        try:
            self._process = subprocess.Popen(  # noqa: S603  the caller's own command
                request.argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                env=_environment(request),
                cwd=request.cwd,
            )
        except OSError as error:
            self._stderr.close()
            _refuse(request, error)
        threading.Thread(target=self._write, daemon=True).start()

    @contextmanager
    def _within(self, limits: Sequence[Limit]) -> Generator[None]:
        """Stop the command when *limits* end before what is done in here; a pipe has no other way to wait."""
        limit, seconds = _first(limits)
        alarm = threading.Timer(seconds, self._stop, (limit,))
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()
        if self._ran_out is not None:
            _late(self.request, self._ran_out)

    def _stop(self, limit: Limit) -> None:
        self._ran_out = limit
        self._process.kill()

    def _write(self) -> None:
        try:
            self._pipe("stdin").write(self.request.stdin)
            self._pipe("stdin").close()
        except OSError:
            pass  # it ended before it had read all: its exit code says why

    def _pipe(self, name: str) -> Any:
        return getattr(self._process, name)

    def read(self, limits: Sequence[Limit]) -> bytes:
        """
        The next piece of its output; none at the end.

        Raises:
            ProviderError: (``timeout``) It took too long and was stopped.
        """
        with self._within(limits):
            return bytes(self._pipe("stdout").read1(_PIECE))

    def finish(self, limits: Sequence[Limit]) -> ProcessReply:
        """How it ended, with what it wrote to its standard error; errors as in `read`."""
        with self._within(limits):
            code = self._process.wait()
        return ProcessReply(code, b"", _written(self._stderr))

    def close(self) -> None:
        """Stop it if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._pipe("stdout").close()
        self._stderr.close()


def _written(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


class AsyncRunning:
    """`Running` for an event loop."""

    def __init__(self, request: ProcessRequest, process: Any, stderr: IO[bytes]) -> None:
        self._stderr = stderr
        self.request = request
        self._process = process

    @classmethod
    async def start(cls, request: ProcessRequest, limits: Sequence[Limit]) -> AsyncRunning:
        """Start *request* and give it its input."""
        import anyio

        stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed with the run
        try:
            process = await anyio.open_process(request.argv, stderr=stderr, env=_environment(request), cwd=request.cwd)
        except OSError as error:
            stderr.close()
            _refuse(request, error)
        running = cls(request, process, stderr)
        try:
            await running._within(limits, process.stdin.send(request.stdin))  # type: ignore[union-attr]
            await process.stdin.aclose()  # type: ignore[union-attr]
        except anyio.BrokenResourceError:
            pass  # it ended before it had read all: its exit code says why
        except BaseException:
            await running.close()
            raise
        return running

    async def _within(self, limits: Sequence[Limit], work: Any) -> Any:
        import anyio

        limit, seconds = _first(limits)
        try:
            with anyio.fail_after(seconds):
                return await work
        except TimeoutError:
            _late(self.request, limit)

    async def read(self, limits: Sequence[Limit]) -> bytes:
        """The next piece of its output; none at the end."""
        import anyio

        try:
            return bytes(await self._within(limits, self._process.stdout.receive(_PIECE)))
        except anyio.EndOfStream:
            return b""

    async def finish(self, limits: Sequence[Limit]) -> ProcessReply:
        """How it ended, with what it wrote to its standard error; errors as in `Running.finish`."""
        code = await self._within(limits, self._process.wait())
        return ProcessReply(code, b"", _written(self._stderr))

    async def close(self) -> None:
        """Stop it if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.aclose()
        self._stderr.close()
