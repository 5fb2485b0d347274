"""HTTP/1.1 as bytes: requests and replies read by h11, and recorded replies written out. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import h11

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exceptions import CassetteError
from llm_gateway.exchange import HttpExchange, timed_chunks
from llm_gateway.types import Headers, WireRequest

__all__ = [
    "ReplyReader",
    "RequestReader",
    "WrittenRequest",
    "first_wait",
    "parts_of_reply",
]

_WITHOUT_BODY = frozenset({204, 304})
_LONGEST_HEAD = 1 << 24
"""Bytes of a head that a client may exchange with its own server; http.client has a limit of its own."""
_CUT = "the connection was closed before the reply was whole"


def first_wait(exchange: HttpExchange) -> float:
    """Return the seconds to wait before the reply begins."""
    return exchange.waits[0] if exchange.waits else 0.0


def parts_of_reply(exchange: HttpExchange, method: str) -> Iterator[tuple[bytes, float]]:
    """
    Return the recorded reply as a server would have sent it, in parts, each with the seconds to wait before it.

    A reply that came in chunks goes out in its recorded chunks; one that failed lacks its end, so that the reader
    notices by itself. h11 does not write it: it raises on headers that it would not send itself, and servers send them.
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
    for data, wait in timed_chunks(exchange):
        if data:
            yield b"%x\r\n%s\r\n" % (len(data), data) if is_chunked else data, wait
    if is_chunked and not exchange.failure:
        yield b"0\r\n\r\n", 0.0


def _framed(headers: Headers, length: int | None) -> Headers:
    kept = tuple(pair for pair in headers if pair[0].lower() not in ("content-length", "transfer-encoding"))
    return (*kept, ("transfer-encoding", "chunked") if length is None else ("content-length", str(length)))


def _headers(head: h11.Request | h11.Response) -> Headers:
    """Return the headers of *head* as text, with their names as they were sent."""
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items())


class RequestReader:
    """
    Read one request that arrives in chunks of any size.

    Args:
        longest_head: In bytes; a longer head is an error with status 431.

    Attributes:
        head: Method, target and headers, as soon as they are read.
    """

    def __init__(self, longest_head: int = _LONGEST_HEAD) -> None:
        self._connection = h11.Connection(h11.SERVER, max_incomplete_event_size=longest_head)
        self._body: list[bytes] = []
        self.head: h11.Request | None = None

    def feed(self, data: bytes) -> bool:
        """
        Take the next bytes and return whether the request is whole.

        Args:
            data: Empty where the client has closed its side.

        Raises:
            h11.RemoteProtocolError: It is no request; ``error_status_hint`` is the status to answer with.
        """
        self._connection.receive_data(data)
        while True:
            event = self._connection.next_event()
            if isinstance(event, h11.Request):
                self.head = event
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            else:
                return isinstance(event, h11.EndOfMessage)

    @property
    def headers(self) -> Headers:
        """The headers of the request that was read."""
        return () if self.head is None else _headers(self.head)

    @property
    def body(self) -> bytes:
        """The body so far, without chunk framing, still content-encoded."""
        return b"".join(self._body)

    @property
    def unread(self) -> bytes:
        """What arrived behind the request, which is the beginning of the next one."""
        return self._connection.trailing_data[0]

    @property
    def is_last(self) -> bool:
        """True if the client expects the connection to be closed behind the reply."""
        return self._connection.their_state is h11.MUST_CLOSE

    def proceed(self) -> bytes:
        """Return what to send to a client that waits for leave to send the body; empty if it does not wait."""
        if not self._connection.they_are_waiting_for_100_continue:
            return b""
        return self._connection.send(h11.InformationalResponse(status_code=100, headers=[])) or b""


class WrittenRequest:
    """
    A request that a library in this process writes to a connection of ours, in chunks of any size.

    Heads are split here, without h11: it takes ten times as long, which would make every replay an eighth slower, and
    there is nothing to be found wrong in what http.client and aiohttp have written themselves.
    """

    def __init__(self, method: str, url: str) -> None:
        self._method, self._url = method, url
        self._body_at: int | None = None
        self._headers: Headers = ()
        self._length = 0
        self._chunked: RequestReader | None = None
        self.raw = bytearray()

    def feed(self, data: bytes | memoryview) -> bool:
        """
        Take the next bytes and return whether the request is whole.

        Raises:
            CassetteError: Its body is not framed as HTTP/1.1 has it.
        """
        self.raw += data
        if self._body_at is None:
            if (end := self.raw.find(b"\r\n\r\n")) < 0:
                return False
            self._begin(bytes(self.raw[:end]))
            if self._chunked is not None:
                return self._read(self._chunked, bytes(self.raw))
        elif self._chunked is not None:
            return self._read(self._chunked, bytes(data))
        return len(self.raw) >= self._length

    def _begin(self, head: bytes) -> None:
        self._body_at = len(head) + 4
        pairs = [line.decode("latin-1").partition(":") for line in head.split(b"\r\n")[1:]]
        self._headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
        named = {name.lower(): value for name, value in self._headers}
        if "chunked" in named.get("transfer-encoding", "").lower():
            self._chunked = RequestReader()
        else:
            stated = named.get("content-length", "")
            self._length = self._body_at + (int(stated) if stated.isdecimal() else 0)

    def _read(self, reader: RequestReader, data: bytes) -> bool:
        try:
            return reader.feed(data)
        except h11.RemoteProtocolError as error:
            raise CassetteError(
                f"the request {self._method} {self._url} cannot be read",
                cause=f"its body is no HTTP/1.1: {error}",
                fix="give it a content-length, or let the library cut it into chunks",
            ) from None

    def request(self) -> WireRequest:
        """Return the request as far as it was written."""
        if self._chunked is not None:
            body = self._chunked.body
        else:
            body = bytes(self.raw[self._body_at :]) if self._body_at is not None else b""
        return WireRequest(self._method, self._url, self._headers, body)


class ReplyReader:
    """
    Read a reply from bytes that come in chunks of any size, and report its parts to a recording.

    A chunk of the body is recorded when its bytes arrive; chunks of one read stay apart, as h11 returns each by itself.
    """

    def __init__(self, recording: Recording, method: str) -> None:
        self._recording = recording
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
        # A reader of replies has to know what was requested: a HEAD has no body.
        self._connection.send(h11.Request(method=method, target="/", headers=[("host", "x")]))
        self._connection.send(h11.EndOfMessage())
        self.has_head = self.is_over = False

    def feed(self, data: bytes) -> None:
        """Take the next bytes, which are empty at the end of the connection."""
        if self.is_over:
            return
        try:
            self._connection.receive_data(data)
            while self._take(self._connection.next_event()):
                pass
        except h11.RemoteProtocolError as error:
            self.fail("read" if not data else "protocol", _CUT if not data else str(error))

    def _take(self, event: type[h11.NEED_DATA | h11.PAUSED] | h11.Event) -> bool:
        """Report *event* and return whether there may be another one."""
        if isinstance(event, h11.Response):
            self.has_head = True
            self._recording.head(event.status_code, event.reason.decode("latin-1"), _headers(event))
        elif isinstance(event, h11.Data):
            self._recording.chunk(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage):
            self.is_over = True
            self._recording.finish()
        return not self.is_over and isinstance(event, h11.Response | h11.InformationalResponse | h11.Data)

    def fail(self, kind: str, text: str) -> None:
        """Report that the reply broke off, unless it is whole."""
        if not self.is_over:
            self.is_over = True
            self._recording.fail(kind, text)

    def closed(self, error: Exception | None) -> None:
        """Take the end of the connection: the end of the reply if nothing else marks that, a failure otherwise."""
        if error is None:
            self.feed(b"")
        else:
            self.fail("read", str(error))
