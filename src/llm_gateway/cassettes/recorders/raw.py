"""HTTP/1.1 as bytes: requests that were written, replies to be read, and chunk framing both ways. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from llm_gateway.cassettes.exchange import HttpExchange
from llm_gateway.types import Headers, WireRequest

__all__ = ["Dechunker", "pieces", "reply_to_bytes", "request_from_bytes"]

_WITHOUT_BODY = frozenset({204, 304})


def request_from_bytes(method: str, url: str, raw: bytes) -> WireRequest:
    """The request that was written as *raw*."""
    head, _, body = raw.partition(b"\r\n\r\n")
    pairs = [line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:]]
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    if any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        body = b"".join(Dechunker().feed(body))
    return WireRequest(method, url, headers, body)


def pieces(exchange: HttpExchange) -> Iterator[bytes]:
    """The recorded body in its recorded pieces."""
    body = exchange.reply.body if exchange.reply else b""
    start = 0
    for chunk in exchange.chunks:
        yield body[start : start + chunk.length]
        start += chunk.length
    if start < len(body):
        yield body[start:]


def reply_to_bytes(exchange: HttpExchange, method: str) -> bytes:
    """
    The recorded reply as a server would have sent it.

    A reply that came in chunks goes out in its recorded chunks; one that failed lacks its end, so that the reader
    finds out for itself.
    """
    reply = exchange.reply
    assert reply is not None
    is_chunked = "chunked" in (reply.header("transfer-encoding") or "").lower() or bool(exchange.failure)
    headers = _framed(reply.headers, None if is_chunked else len(reply.body))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    start = f"HTTP/1.1 {reply.status} {exchange.reason}\r\n{head}\r\n".encode("latin-1", "replace")
    if method == "HEAD" or reply.status in _WITHOUT_BODY:
        return start
    if not is_chunked:
        return start + reply.body
    framed = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces(exchange) if piece)
    return start + framed + (b"" if exchange.failure else b"0\r\n\r\n")


def _framed(headers: Headers, length: int | None) -> Headers:
    kept = tuple(pair for pair in headers if pair[0].lower() not in ("content-length", "transfer-encoding"))
    return (*kept, ("transfer-encoding", "chunked") if length is None else ("content-length", str(length)))


class Dechunker:
    """Take chunk framing off a body that comes in pieces of any size; trailers are dropped."""

    def __init__(self) -> None:
        self.is_over = False
        self._buffer = b""
        self._left = 0
        self._is_trailer = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes and return the pieces of the body in them."""
        self._buffer += data
        found: list[bytes] = []
        while self._buffer and not self.is_over:
            if self._left:
                piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
                self._left -= len(piece)
                found.append(piece)
            elif not self._line():
                break
        return found

    def _line(self) -> bool:
        """Read one line of framing; False when it is not whole yet."""
        line, end, rest = self._buffer.partition(b"\r\n")
        if not end:
            return False
        self._buffer = rest
        if self._is_trailer:
            self.is_over = not line
        elif line:
            self._left = int(line.split(b";")[0], 16)
            self._is_trailer = self._left == 0
        return True
