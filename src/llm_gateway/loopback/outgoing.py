"""Replies as a server sends them, recorded or forwarded: bytes, the seconds to wait before them, and the ending."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.hooks.http1 import first_wait, parts_of_reply
from llm_gateway.loopback.incoming import Incoming
from llm_gateway.types import WireReply

__all__ = ["BrokenError", "Ending", "Parts", "encode_reply", "forward"]

Ending: TypeAlias = Literal["close", "reset", "hang"]
"""The connection is closed as if all were well, or reset, or nothing more ever comes."""
Parts: TypeAlias = Iterator[tuple[bytes, float]]
_ENDINGS: dict[str, Ending] = {"read_timeout": "hang", "connect_timeout": "hang", "connect": "reset", "read": "reset"}
_OF_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "upgrade", "alt-svc"})
"""Headers about the recorded connection, not the reply."""
_NOT_FORWARDED = frozenset({"connection", "keep-alive", "content-length", "transfer-encoding", "alt-svc"})
_WITHOUT_BODY = frozenset({204, 304})


class BrokenError(Exception):
    """The end of a reply before it is complete: the connection comes to its *ending*."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending: Ending = ending


def encode_reply(exchange: HttpExchange, method: str) -> Parts:
    """
    Yield what is sent for *exchange*, in its recorded chunks and with their waits.

    Raises:
        BrokenError: After the last chunk, where the exchange failed.
    """
    reply = exchange.reply
    if reply is None:
        yield b"", first_wait(exchange)
        raise BrokenError(_ENDINGS.get(exchange.failure or "", "close"))
    failure = exchange.failure or ("read" if exchange.end == "partial" else None)
    headers = tuple(pair for pair in reply.headers if pair[0].lower() not in _OF_CONNECTION)
    framed = dataclasses.replace(exchange, reply=WireReply(reply.status, headers, reply.body), failure=failure)
    yield from parts_of_reply(framed, method)
    if failure:
        # Not reset: that would discard chunks which the client has not read yet. It misses the end all the same.
        raise BrokenError("hang" if failure == "read_timeout" else "close")


def forward(request: Incoming, url: str) -> Parts:
    """
    Send *request* to its provider at *url* and yield the reply as it arrives; the hook of the client records it.

    Raises:
        BrokenError: The provider broke the reply off.
    """
    import httpx2

    try:
        # No timeout: the client has its own, and hangs up.
        with (
            httpx2.Client(timeout=None, follow_redirects=False) as client,
            client.stream(request.method, url, headers=list(request.headers), content=request.body) as reply,
        ):
            yield from ((part, 0.0) for part in _chunked(reply))
    except httpx2.TimeoutException:
        raise BrokenError("hang") from None
    except httpx2.TransportError:
        raise BrokenError("close") from None


def _chunked(reply: Any) -> Iterator[bytes]:
    """Yield *reply* in chunks, however it was framed: the end is sent only when the recording is complete."""
    kept = [pair for pair in reply.headers.multi_items() if pair[0].lower() not in _NOT_FORWARDED]
    has_body = reply.status_code not in _WITHOUT_BODY
    lines = [f"{name}: {value}\r\n" for name, value in [*kept, *[("transfer-encoding", "chunked")] * has_body]]
    yield f"HTTP/1.1 {reply.status_code} {reply.reason_phrase}\r\n{''.join(lines)}\r\n".encode("latin-1", "replace")
    for data in reply.iter_raw():
        if data:
            yield b"%x\r\n%s\r\n" % (len(data), data)
    if has_body:
        yield b"0\r\n\r\n"
