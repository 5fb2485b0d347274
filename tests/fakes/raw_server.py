"""A server of one script: what to send, byte by byte and with waits, and whether the other side hung up."""

import contextlib
import socket
import threading


class RawServer:
    """
    Answers each request with ``script(connection)`` and then waits for the other side to hang up.

    Attributes:
        requests: What came in, as bytes.

        left: Set as soon as a client has closed its connection.
    """

    def __init__(self, script):
        self.script = script
        self.requests = []
        self.left = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.host}/v1"
        self._acceptor = threading.Thread(target=self._serve, daemon=True)
        self._acceptor.start()

    def _serve(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection):
        with connection, contextlib.suppress(OSError):
            self.requests.append(_request(connection))
            if self.script(connection) == "close":
                return
            connection.settimeout(5)
            if not connection.recv(1):
                self.left.set()

    def close(self):
        # Not before accept() is over: a signal restarts it, on whatever has the number of the closed socket by then.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(1)
        self._listener.close()


def _request(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        if not (chunk := connection.recv(65536)):
            raise ConnectionError
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def reply(body, *, status="200 OK", **headers):
    """Return a whole reply; names of headers have ``_`` instead of ``-``."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
