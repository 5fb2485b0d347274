"""Run a command, in a thread or in an event loop, and never leave it running."""

from __future__ import annotations

import os
import subprocess
from typing import NoReturn

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import ProcessReply, ProcessRequest

__all__ = ["arun", "run"]


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
