"""Where the shim of a run, in whichever process, asks the test's own process what a script answers."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from llm_gateway.interception.script import ProcessSession
from llm_gateway.types import JsonObject, ProcessRequest

__all__ = ["Door"]

_PATIENCE_S = 2.0


class Door:
    """
    A port on loopback that answers those who know its secret.

    Args:
        start: Start the scripted session of a run; return None where no script answers it.
    """

    def __init__(self, start: Callable[[ProcessRequest], ProcessSession | None]) -> None:
        self._start = start
        self._secret = secrets.token_hex(16)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self._visitors: set[socket.socket] = set()
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> JsonObject:
        """What the shim has to know."""
        return {"port": self._port, "secret": self._secret}

    def close(self) -> None:
        """Let nobody in, and send away who is here."""
        self._is_open = False
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), _PATIENCE_S).close()  # it waits for one
        self._thread.join(_PATIENCE_S)
        self._listener.close()
        for visitor in list(self._visitors):
            with suppress(OSError):
                visitor.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            visitor, _ = self._listener.accept()
            if not self._is_open:
                visitor.close()
                return
            self._visitors.add(visitor)
            threading.Thread(target=self._receive, args=(visitor,), daemon=True).start()

    def _receive(self, visitor: socket.socket) -> None:
        visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with visitor, visitor.makefile("rb") as lines, suppress(OSError):  # it may go at any time
                asked = _asked(lines.readline())
                if hmac.compare_digest(str(asked.get("secret")).encode(), self._secret.encode()):
                    self._answer(asked, lines, visitor)
        finally:
            self._visitors.discard(visitor)

    def _answer(self, asked: Any, lines: Any, visitor: socket.socket) -> None:
        session = self._start(ProcessRequest(tuple(asked["argv"]), env=asked["env"], cwd=asked["cwd"]))
        _send(visitor, {"is_wanted": session is not None})
        if session is None:
            return
        _tell(session, visitor)
        while session.exit_code is None and (line := lines.readline()):
            session.feed(base64.b64decode(line))
            _tell(session, visitor)


def _asked(line: bytes) -> JsonObject:
    """What a visitor says first; nothing of a stranger's that is no object."""
    try:
        asked = json.loads(line)
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}


def _tell(session: ProcessSession, visitor: socket.socket) -> None:
    for output in session.output():
        time.sleep(output.wait_s)
        _send(visitor, {"channel": output.channel, "data": base64.b64encode(output.data).decode()})
    if session.exit_code is not None:
        _send(visitor, {"exit_code": session.exit_code})


def _send(visitor: socket.socket, message: JsonObject) -> None:
    visitor.sendall(json.dumps(message).encode() + b"\n")
