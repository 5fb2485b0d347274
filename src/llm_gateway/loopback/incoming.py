"""Requests read from a connection, in HTTP/1.1 as clients write it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import h11

from llm_gateway.interception.hooks.http1 import RequestReader
from llm_gateway.types import Headers
from llm_gateway.wire.content_encoding import decoded

__all__ = ["Incoming", "MalformedError", "RequestStream"]

_LONGEST_HEAD = 1 << 16
_SIZE = 1 << 18
_VERSIONS = (b"1.0", b"1.1")
_OF_CONNECTION = frozenset({"host", "connection", "expect", "content-length", "transfer-encoding", "content-encoding"})
"""Headers about this one connection, or about the body as it was sent."""


class MalformedError(Exception):
    """
    Bytes that are no request; the connection cannot be read any further.

    Attributes:
        status: What to answer with.
    """

    def __init__(self, reason: str, status: int = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(reason)
        self.status = HTTPStatus(status)


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    One request.

    Attributes:
        target: Path and query.

        body: Without chunk framing and content encoding.

        is_last: Whether the client expects the connection to be closed behind the reply.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    is_last: bool


class RequestStream:
    """
    The requests of one connection, one after another.

    Args:
        receive: Returns the next bytes, at most as many as it is given, and none where the client closes its side.

        send: Sends bytes to the client; called where it waits for leave to send a body.
    """

    def __init__(self, receive: Callable[[int], bytes], send: Callable[[bytes], None]) -> None:
        self._receive, self._send = receive, send
        self._unread = b""

    def read(self) -> Incoming | None:
        """
        Return the next request; None at the end.

        Raises:
            MalformedError: It is no request.
        """
        reader = RequestReader(_LONGEST_HEAD)
        try:
            if not self._fill(reader):
                return None
        except h11.RemoteProtocolError as error:
            raise MalformedError(str(error), error.error_status_hint) from None
        self._unread = reader.unread
        return _incoming(reader)

    def _fill(self, reader: RequestReader) -> bool:
        """Read until the request is whole; False where the client has closed its side instead of sending one."""
        # RFC 9112, 2.2: some clients leave an empty line behind a body. h11 takes it for a request without a line.
        data = self._unread.lstrip(b"\r\n")
        while not data:
            if not (received := self._receive(_SIZE)):
                return False
            data = received.lstrip(b"\r\n")
        while not reader.feed(data):
            if leave := reader.proceed():
                self._send(leave)
            data = self._receive(_SIZE)
        return True


def _incoming(reader: RequestReader) -> Incoming:
    assert reader.head is not None
    if reader.head.http_version not in _VERSIONS:
        raise MalformedError("illegal HTTP version", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
    headers = reader.headers
    encoding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
    kept = tuple(pair for pair in headers if pair[0].lower() not in _OF_CONNECTION)
    target = _path(reader.head.target.decode("latin-1"))
    return Incoming(reader.head.method.decode("ascii"), target, kept, _plain(reader.body, encoding), reader.is_last)


def _plain(body: bytes, encoding: str) -> bytes:
    if not body or encoding.lower() in ("", "identity"):
        return body
    plain = decoded(body, encoding)
    if plain is None:
        raise MalformedError(f"its body in {encoding!r} cannot be unpacked")
    return plain


def _path(target: str) -> str:
    """Return *target* without the address that clients of a proxy put in front."""
    return "/" + target.split("/", 3)[3] if "://" in target.partition("?")[0] and target.count("/") >= 3 else target
