"""The socket on which the test's own process answers the shims of other processes by a script."""

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

__all__ = ["ControlSocket"]

_PATIENCE_S = 2.0


class ControlSocket:
    """
    A port on loopback that answers connections which present its secret.

    Args:
        start: Start the scripted session of a run; return None where no script answers it.
    """

    def __init__(self, start: Callable[[ProcessRequest], ProcessSession | None]) -> None:
        self._start = start
        self._secret = secrets.token_hex(16)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self._connections: set[socket.socket] = set()
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def address(self) -> JsonObject:
        """The port and the secret that a shim needs to connect."""
        return {"port": self._port, "secret": self._secret}

    def close(self) -> None:
        """Stop accepting connections, and shut down those that are open."""
        self._is_open = False
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self._port), _PATIENCE_S).close()  # wakes accept()
        self._thread.join(_PATIENCE_S)
        self._listener.close()
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if not self._is_open:
                connection.close()
                return
            self._connections.add(connection)
            threading.Thread(target=self._receive, args=(connection,), daemon=True).start()

    def _receive(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection, connection.makefile("rb") as lines, suppress(OSError):  # the shim may end at any time
                hello = _decode_hello(lines.readline())
                if hmac.compare_digest(str(hello.get("secret")).encode(), self._secret.encode()):
                    self._answer(hello, lines, connection)
        finally:
            self._connections.discard(connection)

    def _answer(self, hello: Any, lines: Any, connection: socket.socket) -> None:
        session = self._start(ProcessRequest(tuple(hello["argv"]), env=hello["env"], cwd=hello["cwd"]))
        _send(connection, {"is_scripted": session is not None})
        if session is None:
            return
        _send_output(session, connection)
        while session.exit_code is None and (line := lines.readline()):
            session.feed(base64.b64decode(line))
            _send_output(session, connection)


def _decode_hello(line: bytes) -> JsonObject:
    """Return the first message of a connection; empty if it is no JSON object, as from a program that is no shim."""
    try:
        hello = json.loads(line)
    except ValueError:
        return {}
    return hello if isinstance(hello, dict) else {}


def _send_output(session: ProcessSession, connection: socket.socket) -> None:
    for output in session.output():
        time.sleep(output.wait_s)
        _send(connection, {"channel": output.channel, "data": base64.b64encode(output.data).decode()})
    if session.exit_code is not None:
        _send(connection, {"exit_code": session.exit_code})


def _send(connection: socket.socket, message: JsonObject) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")
