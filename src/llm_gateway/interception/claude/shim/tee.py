"""Run the real command and log all that it reads and writes, without delaying any of it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from typing import Any

from llm_gateway.interception.claude.shim.folder import Log

__all__ = ["tee"]

_FORWARDED = ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_PATIENCE_S = 1.0
_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of Linux's prctl(2)


def tee(program: str, argv: list[str], log: Log, before: bytes = b"") -> int:
    """
    Run *program* with *argv*, give it *before* and then this process's own input, and write what it writes.

    Returns:
        Its exit code, negative for a signal.
    """
    is_terminal = os.isatty(0)
    child = subprocess.Popen(  # noqa: S603  the caller's own command
        argv,
        executable=program,
        stdin=None if is_terminal else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        close_fds=False,  # what the caller passed on to this process is meant for the real one
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  no thread runs yet
    )
    for name in _FORWARDED:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, _: child.send_signal(number))
    if not is_terminal:
        _started(_pump_in, child, log, before)
    readers = [_started(_pump_out, child.stdout, 1, "stdout", log), _started(_pump_out, child.stderr, 2, "stderr", log)]
    code = child.wait()
    for reader in readers:
        reader.join(_PATIENCE_S)  # a grandchild may keep the pipes open for as long as it likes
    log.end(code)
    return code


def _started(work: Any, *args: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


def _pump_in(child: Any, log: Log, before: bytes) -> None:
    data = before
    try:
        while data or (data := os.read(0, 65536)):
            log.frame("stdin", data)
            child.stdin.write(data)
            child.stdin.flush()
            data = b""
    except OSError:
        return  # the child has closed its end, or there is no input
    log.frame("stdin", b"")
    with contextlib.suppress(OSError):
        child.stdin.close()


def _pump_out(pipe: Any, to: int, channel: str, log: Log) -> None:
    is_wanted = True
    while data := pipe.read1(65536):
        log.frame(channel, data)
        try:
            view = memoryview(data)
            while is_wanted and view:
                view = view[os.write(to, view) :]
        except OSError:
            is_wanted = False  # the caller has closed its end; the recording goes on


def _die_with_parent() -> None:
    """Have the real command killed with this process, which a caller may kill at its timeout."""
    import ctypes

    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
