"""A server for HTTP/1.1 on a port of this machine, one thread for each connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeAlias

from llm_gateway.loopback.incoming import Incoming, MalformedError, RequestStream
from llm_gateway.loopback.outgoing import BrokenError, Ending, Parts

__all__ = ["Handler", "Server"]

Handler: TypeAlias = Callable[[Incoming], Parts]
_PATIENCE_S = 1.0
"""How long closing waits; a reply that takes longer is sent to a closed connection, and its thread ends then."""
_SPOKEN = "  it reads plain HTTP/1.1, neither TLS nor HTTP/2; the connection is closed"
_ABORT = struct.pack("ii", 1, 0)


class Server:
    """
    Answers requests until it is closed. It is ready as soon as it is made.

    Args:
        handler: Makes the reply to one request, in the thread of its connection.

    Attributes:
        port: Where it listens.

        errors: What a handler raised; the client got a 500.
    """

    def __init__(self, handler: Handler) -> None:
        self.errors: list[Exception] = []
        self._handler = handler
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name="llm_server", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Shut down every connection, and wait a second at most for replies that are being made."""
        self._closing.set()
        with contextlib.suppress(OSError):  # accept() waits, on some systems even for a socket that is closed
            socket.create_connection(("127.0.0.1", self.port), _PATIENCE_S).close()
        self._acceptor.join(_PATIENCE_S)
        self._listener.close()
        with self._lock:
            threads = dict(self._connections)
        end = time.monotonic() + _PATIENCE_S
        for connection in threads:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in threads.values():
            thread.join(max(0.0, end - time.monotonic()))

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closing.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="llm_server", daemon=True)
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # each chunk is sent when it is written
            self._converse(connection)
        with self._lock:
            del self._connections[connection]

    def _converse(self, connection: socket.socket) -> None:
        requests = RequestStream(connection.recv, connection.sendall)
        is_last = False
        while not is_last and not self._closing.is_set():
            try:
                request = requests.read()
            except MalformedError as error:
                connection.sendall(_plain(error.status, f"llm_server cannot read this request: {error}\n{_SPOKEN}"))
                return
            if request is None:
                return
            is_last = request.is_last
            try:
                self._send(connection, request)
            except BrokenError as broken:
                self._end(connection, broken.ending)
                return

    def _send(self, connection: socket.socket, request: Incoming) -> None:
        for data, wait in self._parts(request):
            if wait and self._closing.wait(wait):
                return
            connection.sendall(data)

    def _parts(self, request: Incoming) -> Parts:
        """Yield the reply; an error of the handler is kept for the test, and answered with a 500."""
        has_begun = False
        try:
            for part in self._handler(request):
                has_begun = True
                yield part
        except BrokenError:
            raise
        except Exception as error:
            self.errors.append(error)
            if has_begun:
                raise BrokenError("close") from error
            yield _plain(HTTPStatus.INTERNAL_SERVER_ERROR, f"{type(error).__name__}: {error}"), 0.0

    def _end(self, connection: socket.socket, ending: Ending) -> None:
        """End the connection; one that hangs ends when the client gives up, or the server is closed."""
        if ending == "hang":
            while connection.recv(1 << 16):
                pass
        elif ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)


def _plain(status: HTTPStatus, text: str) -> bytes:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body
