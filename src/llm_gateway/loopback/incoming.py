"""Requests read from a connection, in HTTP/1.1 as clients write it. Pure but for the file that is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from llm_gateway.types import Headers
from llm_gateway.wire.content_encoding import decoded

__all__ = ["Incoming", "MalformedError", "read"]

_LONGEST_LINE = 1 << 16
_MOST_HEADERS = 200


class MalformedError(Exception):
    """What was sent is no request; the connection cannot be read any further."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """
    One request.

    Attributes:
        target: Path and query.

        body: Without chunk framing and content encoding.

        is_last: Whether the client wants the connection closed behind the reply.
    """

    method: str
    target: str
    headers: Headers
    body: bytes
    is_last: bool


def read(file: BinaryIO, proceed: Callable[[], None]) -> Incoming | None:
    """
    The next request in *file*; None at its end.

    Args:
        file: What the client sends; read no further than the request goes.

        proceed: Called when the client waits to be told so before it sends the body.

    Raises:
        MalformedError: It is no request.
    """
    first = _line(file) or _line(file)  # some clients leave an empty line between two requests
    if not first:
        return None
    method, _, rest = first.partition(" ")
    target, _, version = rest.rpartition(" ")
    if not target or not version.startswith("HTTP/1."):
        raise MalformedError(f"{first[:80]!r} is no line of HTTP/1.1; TLS and HTTP/2 are not spoken here")
    headers = _headers(file)
    named = {name.lower(): value for name, value in headers}
    if "100-continue" in named.get("expect", "").lower():
        proceed()
    body = _plain(_body(file, named), named.get("content-encoding", ""))
    kept = tuple(pair for pair in headers if pair[0].lower() not in _FRAMING)
    connection = named.get("connection", "").lower()
    is_last = "close" in connection or (version == "HTTP/1.0" and "keep-alive" not in connection)
    return Incoming(method, _path(target), kept, body, is_last)


_FRAMING = frozenset({"host", "connection", "expect", "content-length", "transfer-encoding", "content-encoding"})
"""Said of this one connection, or of a body as it was sent."""


def _line(file: BinaryIO) -> str:
    raw = file.readline(_LONGEST_LINE)
    if len(raw) == _LONGEST_LINE:
        raise MalformedError(f"a line is longer than {_LONGEST_LINE} bytes")
    return raw.decode("latin-1").rstrip("\r\n")


def _headers(file: BinaryIO) -> Headers:
    found: list[tuple[str, str]] = []
    while line := _line(file):
        name, colon, value = line.partition(":")
        if not colon or len(found) == _MOST_HEADERS:
            raise MalformedError(f"{line[:80]!r} is no header" if not colon else f"more than {_MOST_HEADERS} headers")
        found.append((name.strip(), value.strip()))
    return tuple(found)


def _body(file: BinaryIO, named: dict[str, str]) -> bytes:
    if "chunked" in named.get("transfer-encoding", "").lower():
        return b"".join(iter(lambda: _chunk(file), b""))
    return _exactly(file, _length(named.get("content-length", "0"), 10))


def _length(text: str, base: int) -> int:
    if not text.isalnum():  # int() takes signs and underscores
        raise MalformedError(f"{text!r} is no length of a body")
    try:
        return int(text, base)
    except ValueError:
        raise MalformedError(f"{text!r} is no length of a body") from None


def _chunk(file: BinaryIO) -> bytes:
    size = _length(_line(file).partition(";")[0].strip(), 16)
    data = _exactly(file, size)
    while _line(file) and not size:
        pass  # trailers
    return data


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) < length:
        raise MalformedError(f"the body ended after {len(data)} of {length} bytes")
    return data


def _plain(body: bytes, encoding: str) -> bytes:
    if not body or encoding.lower() in ("", "identity"):
        return body
    plain = decoded(body, encoding)
    if plain is None:
        raise MalformedError(f"a body in {encoding!r} cannot be read")
    return plain


def _path(target: str) -> str:
    """*target* without the address that clients of a proxy put in front."""
    return "/" + target.split("/", 3)[3] if "://" in target.partition("?")[0] and target.count("/") >= 3 else target
