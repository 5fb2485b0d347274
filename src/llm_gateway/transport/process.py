"""Run a command, in a thread or in an event loop, and never leave it running."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from typing import IO, Any, NoReturn

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import ProcessReply, ProcessRequest

__all__ = ["AsyncRunning", "Running", "arun", "run"]

_PIECE = 65536


def _environment(request: ProcessRequest) -> dict[str, str]:
    return {**os.environ, **request.env}


def _refuse(request: ProcessRequest, error: OSError) -> NoReturn:
    raise ProviderError(
        f"cannot run {request.argv[0]!r}",
        kind="process",
        cause=error.strerror or str(error),
        fix="install the claude command line: npm install -g @anthropic-ai/claude-code",
    ) from error


def _late(request: ProcessRequest, timeout_s: float | None) -> NoReturn:
    raise ProviderError(
        f"{request.argv[0]!r} did not end within {timeout_s:g} s and was stopped",
        kind="timeout",
        fix="raise LLM_TIMEOUT_S",
    )


def run(request: ProcessRequest, *, timeout_s: float | None) -> ProcessReply:
    """
    Run *request* to its end.

    Raises:
        ProviderError: It cannot be started (kind ``process``) or took longer than *timeout_s* (kind ``timeout``).
    """
    try:
        done = subprocess.run(  # noqa: S603  the caller's own command
            request.argv,
            input=request.stdin,
            capture_output=True,
            env=_environment(request),
            cwd=request.cwd,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _late(request, timeout_s)
    except OSError as error:
        _refuse(request, error)
    return ProcessReply(done.returncode, done.stdout, done.stderr)


async def arun(request: ProcessRequest, *, timeout_s: float | None) -> ProcessReply:
    """Run *request* to its end without blocking the event loop; errors as in `run`."""
    import anyio

    try:
        with anyio.fail_after(timeout_s):
            done = await anyio.run_process(
                request.argv, input=request.stdin, check=False, env=_environment(request), cwd=request.cwd
            )
    except TimeoutError:
        _late(request, timeout_s)
    except OSError as error:
        _refuse(request, error)
    return ProcessReply(done.returncode, done.stdout, done.stderr)


class Running:
    """A command whose output is read as it comes. The limit holds for the whole run."""

    def __init__(self, request: ProcessRequest, timeout_s: float | None) -> None:
        self._request = request
        self._timeout_s = timeout_s
        self._is_late = False
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
        self._alarm = threading.Timer(timeout_s or threading.TIMEOUT_MAX, self._stop)
        self._alarm.daemon = True
        self._alarm.start()
        threading.Thread(target=self._write, daemon=True).start()

    def _stop(self) -> None:
        self._is_late = True
        self._process.kill()

    def _write(self) -> None:
        try:
            self._pipe("stdin").write(self._request.stdin)
            self._pipe("stdin").close()
        except OSError:
            pass  # it ended before it had read all: its exit code says why

    def _pipe(self, name: str) -> Any:
        return getattr(self._process, name)

    def read(self) -> bytes:
        """The next piece of its output; none at the end."""
        return bytes(self._pipe("stdout").read1(_PIECE))

    def finish(self) -> ProcessReply:
        """
        How it ended, with what it wrote to its standard error.

        Raises:
            ProviderError: (``timeout``) It took too long and was stopped.
        """
        code = self._process.wait()
        if self._is_late:
            _late(self._request, self._timeout_s)
        return ProcessReply(code, b"", _written(self._stderr))

    def close(self) -> None:
        """Stop it if it still runs."""
        self._alarm.cancel()
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

    def __init__(
        self, request: ProcessRequest, timeout_s: float | None, process: Any, stderr: IO[bytes], deadline: float
    ) -> None:
        self._stderr = stderr
        self._request = request
        self._timeout_s = timeout_s
        self._process = process
        self._deadline = deadline

    @classmethod
    async def start(cls, request: ProcessRequest, timeout_s: float | None) -> AsyncRunning:
        """Start *request* and give it its input."""
        import anyio

        stderr = tempfile.TemporaryFile()  # noqa: SIM115  closed with the run
        try:
            process = await anyio.open_process(request.argv, stderr=stderr, env=_environment(request), cwd=request.cwd)
        except OSError as error:
            stderr.close()
            _refuse(request, error)
        running = cls(request, timeout_s, process, stderr, anyio.current_time() + (timeout_s or float("inf")))
        try:
            await running._within(process.stdin.send(request.stdin))  # type: ignore[union-attr]
            await process.stdin.aclose()  # type: ignore[union-attr]
        except anyio.BrokenResourceError:
            pass  # it ended before it had read all: its exit code says why
        return running

    async def _within(self, work: Any) -> Any:
        import anyio

        try:
            with anyio.fail_after(max(0.0, self._deadline - anyio.current_time())):
                return await work
        except TimeoutError:
            _late(self._request, self._timeout_s)

    async def read(self) -> bytes:
        """The next piece of its output; none at the end."""
        import anyio

        try:
            return bytes(await self._within(self._process.stdout.receive(_PIECE)))
        except anyio.EndOfStream:
            return b""

    async def finish(self) -> ProcessReply:
        """How it ended, with what it wrote to its standard error; errors as in `Running.finish`."""
        code = await self._within(self._process.wait())
        return ProcessReply(code, b"", _written(self._stderr))

    async def close(self) -> None:
        """Stop it if it still runs."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.aclose()
        self._stderr.close()
