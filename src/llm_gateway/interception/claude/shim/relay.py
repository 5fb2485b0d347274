"""Let the test's own process answer a run: pass its input on, and write what comes back."""

from __future__ import annotations

import base64
import json
import os
import select
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from llm_gateway.interception.claude.shim.stdio import EXIT_MISS, read, write

__all__ = ["relay"]

_ENVIRONMENT = ("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "CLAUDE_CODE_SDK_READS_SESSION_STATE")
_OVER = b"FakeMissError: the test that scripted this run of claude is over\n"
_LATE = (
    b"Warning: no stdin data received in 3s, proceeding without it. If piping from a slow command, redirect stdin "
    b"explicitly: < /dev/null to skip, or wait longer.\n"
)
_PATIENCE_S = 3.0


def relay(address: dict[str, Any], argv: list[str]) -> int | None:
    """
    Answer this run by the script behind the control socket at *address*.

    Returns:
        The exit code, negative for a signal; None where the script does not answer this run.
    """
    try:
        with socket.create_connection(("127.0.0.1", address["port"])) as test, test.makefile("rb") as lines:
            test.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            env = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
            _send(test, {"secret": address["secret"], "argv": argv, "env": env, "cwd": str(Path.cwd())})
            if not json.loads(lines.readline() or b"{}").get("is_scripted", True):
                return None
            threading.Thread(target=_pump, args=(test, argv), daemon=True).start()
            return _write_replies(lines)
    except OSError:
        return _fail()


def _write_replies(lines: Any) -> int:
    for line in lines:
        message = json.loads(line)
        if "exit_code" in message:
            return int(message["exit_code"])
        write(1 if message["channel"] == "stdout" else 2, base64.b64decode(message["data"]))
    return _fail()


def _fail() -> int:
    write(2, _OVER)
    return EXIT_MISS


def _pump(test: socket.socket, argv: list[str]) -> None:
    data = b"" if "stream-json" not in argv and not _is_ready() else read()
    while True:
        try:
            test.sendall(base64.b64encode(data) + b"\n")
        except OSError:
            return  # the run is over
        if not data:
            return
        data = read()


def _is_ready() -> bool:
    """Return whether there is input, without waiting long for a caller that leaves it open and writes nothing."""
    if sys.platform == "win32" or select.select([0], [], [], _PATIENCE_S)[0]:
        return True
    write(2, _LATE)
    return False


def _send(test: socket.socket, message: dict[str, Any]) -> None:
    test.sendall(json.dumps(message).encode() + b"\n")
