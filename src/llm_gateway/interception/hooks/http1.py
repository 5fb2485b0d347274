"""HTTP/1.1 as bytes: requests that were written, replies to be read, and chunk framing both ways. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange, timed_pieces
from llm_gateway.types import Headers, WireRequest

__all__ = [
    "Dechunker",
    "ReplyReader",
    "RequestReader",
    "first_wait",
    "parts_of_reply",
    "request_from_bytes",
]

_WITHOUT_BODY = frozenset({204, 304})


def request_from_bytes(method: str, url: str, raw: bytes) -> WireRequest:
    """The request that was written as *raw*."""
    head, _, body = raw.partition(b"\r\n\r\n")
    pairs = [line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:]]
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    if any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        body = b"".join(Dechunker().feed(body))
    return WireRequest(method, url, headers, body)


def first_wait(exchange: HttpExchange) -> float:
    """The seconds to wait before the reply begins."""
    return exchange.waits[0] if exchange.waits else 0.0


def parts_of_reply(exchange: HttpExchange, method: str) -> Iterator[tuple[bytes, float]]:
    """
    The recorded reply as a server would have sent it, in parts, each with the seconds to wait before it.

    A reply that came in chunks goes out in its recorded chunks; one that failed lacks its end, so that the reader
    finds out for itself.
    """
    reply = exchange.reply
    assert reply is not None
    had_length = reply.header("content-length") is not None
    is_chunked = not had_length if exchange.failure else "chunked" in (reply.header("transfer-encoding") or "").lower()
    missing = 1 if exchange.failure else 0  # whatever was announced, it was more than what came
    headers = _framed(reply.headers, None if is_chunked else len(reply.body) + missing)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    yield f"HTTP/1.1 {reply.status} {exchange.reason}\r\n{head}\r\n".encode("latin-1", "replace"), first_wait(exchange)
    if method == "HEAD" or reply.status in _WITHOUT_BODY:
        return
    for piece, wait in timed_pieces(exchange):
        if piece:
            yield b"%x\r\n%s\r\n" % (len(piece), piece) if is_chunked else piece, wait
    if is_chunked and not exchange.failure:
        yield b"0\r\n\r\n", 0.0


def _framed(headers: Headers, length: int | None) -> Headers:
    kept = tuple(pair for pair in headers if pair[0].lower() not in ("content-length", "transfer-encoding"))
    return (*kept, ("transfer-encoding", "chunked") if length is None else ("content-length", str(length)))


class Dechunker:
    """Take chunk framing off a body that comes in pieces of any size; trailers are dropped."""

    def __init__(self) -> None:
        self.is_over = False
        self.is_broken = False
        self._buffer = bytearray()
        self._left = 0
        self._is_trailer = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the pieces of the body in them."""
        self._buffer += data
        found: list[bytes] = []
        position = 0
        while position < len(self._buffer) and not (self.is_over or self.is_broken):
            if self._left:
                piece = bytes(self._buffer[position : position + self._left])
                position += len(piece)
                self._left -= len(piece)
                found.append(piece)
                continue
            end = self._buffer.find(b"\r\n", position)
            if end < 0:
                break
            self._line(bytes(self._buffer[position:end]))
            position = end + 2
        del self._buffer[:position]  # once: a body in many small chunks would be copied for each
        return found

    def _line(self, line: bytes) -> None:
        if self._is_trailer:
            self.is_over = not line
        elif line:
            try:
                self._left = int(line.split(b";")[0], 16)
            except ValueError:
                self.is_broken = True
                return
            self._is_trailer = self._left == 0


class RequestReader:
    """Tell when a request that is written in pieces is whole."""

    def __init__(self) -> None:
        self._head = b""
        self._dechunker: Dechunker | None = None
        self._left: int | None = None

    def feed(self, data: bytes) -> bool:
        """Take the next bytes; whether the request is whole."""
        if self._left is None and self._dechunker is None:
            self._head += bytes(data)
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return False
            self._begin(head.lower())
        if self._dechunker is not None:
            self._dechunker.feed(bytes(data))
            return self._dechunker.is_over
        self._left = (self._left or 0) - len(data)
        return self._left <= 0

    def _begin(self, head: bytes) -> None:
        if b"transfer-encoding: chunked" in head:
            self._dechunker = Dechunker()
        length = next((line[15:] for line in head.split(b"\r\n") if line.startswith(b"content-length:")), b"0")
        self._left = int(length)


class ReplyReader:
    """Read a reply from raw bytes that come in pieces of any size, and tell a recording what is in them."""

    def __init__(self, recording: Recording, method: str) -> None:
        self._recording = recording
        self._method = method
        self._head = b""
        self._is_body = False
        self._dechunker: Dechunker | None = None
        self._left: int | None = None
        self.is_over = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if not self._is_body:
            self._head += data
            data = self._begin()
        if self._is_body and data and not self.is_over:
            self._body(data)

    def _begin(self) -> bytes:
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end:
            return b""
        first, *lines = head.split(b"\r\n")
        _, status, reason = [*first.decode("latin-1").split(" ", 2), "", ""][:3]
        if status.startswith("1"):
            self._head = rest
            return self._begin()
        pairs = [line.decode("latin-1").partition(":") for line in lines]
        headers = [(name.strip(), value.strip()) for name, _, value in pairs]
        self._recording.head(int(status), reason, headers)
        self._frame({name.lower(): value for name, value in headers}, int(status))
        return rest

    def _frame(self, headers: dict[str, str], status: int) -> None:
        self._is_body = True
        if "chunked" in headers.get("transfer-encoding", "").lower():
            self._dechunker = Dechunker()
        elif "content-length" in headers:
            self._left = int(headers["content-length"])
        if self._left == 0 or self._method == "HEAD" or status in _WITHOUT_BODY:
            self._end()

    def _body(self, data: bytes) -> None:
        if self._dechunker is not None:
            for piece in self._dechunker.feed(data):
                self._recording.chunk(piece)
            if self._dechunker.is_over:
                self._end()
            return
        self._recording.chunk(data)
        if self._left is not None:
            self._left -= len(data)
            if self._left <= 0:
                self._end()

    def _end(self) -> None:
        self.is_over = True
        self._recording.finish()

    def closed(self, error: Exception | None) -> None:
        """The connection is gone: the end of the reply if nothing said where that is, a failure otherwise."""
        if self._is_body and self._dechunker is None and self._left is None and error is None:
            self._end()
        elif not self.is_over:
            self._recording.fail("read", str(error or "the connection was closed before the reply was whole"))
