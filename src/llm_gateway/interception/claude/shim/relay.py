"""Ask the test's own process what to answer, and hand over what is read and written."""

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

from llm_gateway.interception.claude.shim.channel import read, write
from llm_gateway.interception.claude.shim.exits import MISS

__all__ = ["relay"]

_TOLD = ("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "CLAUDE_CODE_SDK_READS_SESSION_STATE")
_OVER = b"FakeMissError: the test that scripted this run of claude is over\n"
_LATE = (
    b"Warning: no stdin data received in 3s, proceeding without it. If piping from a slow command, redirect stdin "
    b"explicitly: < /dev/null to skip, or wait longer.\n"
)
_PATIENCE_S = 3.0


def relay(door: dict[str, Any], argv: list[str]) -> int | None:
    """
    Be answered by who stands behind *door*.

    Returns:
        The exit code, negative for a signal; None where no script wants this run.
    """
    try:
        with socket.create_connection(("127.0.0.1", door["port"])) as test, test.makefile("rb") as lines:
            test.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            env = {name: os.environ[name] for name in _TOLD if name in os.environ}
            _send(test, {"secret": door["secret"], "argv": argv, "env": env, "cwd": str(Path.cwd())})
            if not json.loads(lines.readline() or b"{}").get("is_wanted", True):
                return None
            threading.Thread(target=_pump, args=(test, argv), daemon=True).start()
            return _hand_on(lines)
    except OSError:
        return _over()


def _hand_on(lines: Any) -> int:
    for line in lines:
        told = json.loads(line)
        if "exit_code" in told:
            return int(told["exit_code"])
        write(1 if told["channel"] == "stdout" else 2, base64.b64decode(told["data"]))
    return _over()


def _over() -> int:
    write(2, _OVER)
    return MISS


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
    """Whether there is input; a caller that leaves it open and writes nothing is not waited for."""
    if sys.platform == "win32" or select.select([0], [], [], _PATIENCE_S)[0]:
        return True
    write(2, _LATE)
    return False


def _send(test: socket.socket, message: dict[str, Any]) -> None:
    test.sendall(json.dumps(message).encode() + b"\n")
