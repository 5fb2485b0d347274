"""Runs of commands, sync or async, which never outlive their call."""

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
from llm_gateway.flow.timeout import Timeout, TimeoutKind, earliest
from llm_gateway.types import ProcessReply, ProcessRequest

__all__ = ["AsyncRunningProcess", "RunningProcess", "arun", "run"]

_CHUNK_BYTES = 65536
_TIMEOUT_TEXTS: dict[TimeoutKind, str] = {
    "first_token": "wrote nothing of an answer within {:g} s",
    "idle": "wrote nothing for {:g} s",
    "total": "did not end within the {:g} s that the whole call may take",
}


def _environment(request: ProcessRequest) -> dict[str, str]:
    return {**os.environ, **request.env}


def _raise_not_started(request: ProcessRequest, error: OSError) -> NoReturn:
    raise ProviderError(
        f"cannot run {request.argv[0]!r}",
        kind="process",
        cause=error.strerror or str(error),
        fix="install the claude command line: npm install -g @anthropic-ai/claude-code",
    ) from error


def _raise_timeout(request: ProcessRequest, timeout: Timeout) -> NoReturn:
    words = _TIMEOUT_TEXTS.get(timeout.kind, "did not end within {:g} s").format(timeout.seconds)
    raise ProviderError(f"{request.argv[0]!r} {words} and was stopped", kind="timeout", fix=timeout.fix)


def _next_timeout(timeouts: Sequence[Timeout]) -> tuple[Timeout, float]:
    """Return the timeout that ends first, and the seconds until then."""
    now = time.monotonic()
    timeout, end = earliest(timeouts, now)
    return timeout, max(0.0, end - now)


def run(request: ProcessRequest, *, timeouts: Sequence[Timeout]) -> ProcessReply:
    """
    Run *request* to its end.

    Raises:
        ProviderError: The command cannot be started (kind ``process``), or exceeds *timeouts* (kind ``timeout``).
    """
    timeout, seconds = _next_timeout(timeouts)
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
        _raise_timeout(request, timeout)
    except OSError as error:
        _raise_not_started(request, error)
    return ProcessReply(done.returncode, done.stdout, done.stderr)


async def arun(request: ProcessRequest, *, timeouts: Sequence[Timeout]) -> ProcessReply:
    """Run *request* to its end without blocking the event loop; raise errors as `run` does."""
    import anyio

    timeout, seconds = _next_timeout(timeouts)
    try:
        with anyio.fail_after(seconds):
            done = await anyio.run_process(
                request.argv, input=request.stdin, check=False, env=_environment(request), cwd=request.cwd
            )
    except TimeoutError:
        _raise_timeout(request, timeout)
    except OSError as error:
        _raise_not_started(request, error)
    return ProcessReply(done.returncode, done.stdout, done.stderr)


class RunningProcess:
    """A command whose output is read as it arrives; it is killed when a read exceeds its timeout."""

    def __init__(self, request: ProcessRequest) -> None:
        self.request = request
        self._expired: Timeout | None = None
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed with the run; an unread pipe would fill up
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
            _raise_not_started(request, error)
        threading.Thread(target=self._write, daemon=True).start()

    @contextmanager
    def _within(self, timeouts: Sequence[Timeout]) -> Generator[None]:
        """Kill the command when *timeouts* end before the body of the context: a read of a pipe has no timeout."""
        timeout, seconds = _next_timeout(timeouts)
        alarm = threading.Timer(seconds, self._stop, (timeout,))
        alarm.daemon = True
        alarm.start()
        try:
            yield
        finally:
            alarm.cancel()
        if self._expired is not None:
            _raise_timeout(self.request, self._expired)

    def _stop(self, timeout: Timeout) -> None:
        self._expired = timeout
        self._process.kill()

    def _write(self) -> None:
        try:
            self._pipe("stdin").write(self.request.stdin)
            self._pipe("stdin").close()
        except OSError:
            pass  # it ended before it had read all its input: the exit code is the error

    def _pipe(self, name: str) -> Any:
        return getattr(self._process, name)

    def read(self, timeouts: Sequence[Timeout]) -> bytes:
        """
        Return the next chunk of the output, ``b""`` at its end.

        Raises:
            ProviderError: (``timeout``) The read exceeded *timeouts*, and the command was killed.
        """
        with self._within(timeouts):
            return bytes(self._pipe("stdout").read1(_CHUNK_BYTES))

    def finish(self, timeouts: Sequence[Timeout]) -> ProcessReply:
        """Wait for the end; return exit code and ``stderr``, and raise errors as `read` does."""
        with self._within(timeouts):
            code = self._process.wait()
        return ProcessReply(code, b"", _read_all(self._stderr))

    def close(self) -> None:
        """Kill the command if it still runs."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._pipe("stdout").close()
        self._stderr.close()


def _read_all(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


class AsyncRunningProcess:
    """A `RunningProcess` for an event loop."""

    def __init__(self, request: ProcessRequest, process: Any, stderr: IO[bytes]) -> None:
        self._stderr = stderr
        self.request = request
        self._process = process

    @classmethod
    async def start(cls, request: ProcessRequest, timeouts: Sequence[Timeout]) -> AsyncRunningProcess:
        """Start *request* and write its input."""
        import anyio

        stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed with the run
        try:
            process = await anyio.open_process(request.argv, stderr=stderr, env=_environment(request), cwd=request.cwd)
        except OSError as error:
            stderr.close()
            _raise_not_started(request, error)
        running = cls(request, process, stderr)
        try:
            await running._within(timeouts, process.stdin.send(request.stdin))  # type: ignore[union-attr]
            await process.stdin.aclose()  # type: ignore[union-attr]
        except anyio.BrokenResourceError:
            pass  # it ended before it had read all its input: the exit code is the error
        except BaseException:
            await running.close()
            raise
        return running

    async def _within(self, timeouts: Sequence[Timeout], work: Any) -> Any:
        import anyio

        timeout, seconds = _next_timeout(timeouts)
        try:
            with anyio.fail_after(seconds):
                return await work
        except TimeoutError:
            _raise_timeout(self.request, timeout)

    async def read(self, timeouts: Sequence[Timeout]) -> bytes:
        """Return the next chunk of the output, ``b""`` at its end."""
        import anyio

        try:
            return bytes(await self._within(timeouts, self._process.stdout.receive(_CHUNK_BYTES)))
        except anyio.EndOfStream:
            return b""

    async def finish(self, timeouts: Sequence[Timeout]) -> ProcessReply:
        """Wait for the end; return exit code and ``stderr``, and raise errors as `RunningProcess.finish` does."""
        code = await self._within(timeouts, self._process.wait())
        return ProcessReply(code, b"", _read_all(self._stderr))

    async def close(self) -> None:
        """Kill the command if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.aclose()
        self._stderr.close()
