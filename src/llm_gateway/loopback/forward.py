"""A request passed on to its provider; the hook beneath the client records it, as it does in the test's own process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_gateway.loopback.incoming import Incoming
from llm_gateway.loopback.outgoing import BrokenError, Parts

__all__ = ["forwarded"]

_OF_CONNECTION = frozenset({"connection", "keep-alive", "content-length", "transfer-encoding", "alt-svc"})
_BODILESS = frozenset({204, 304})


def forwarded(request: Incoming, url: str) -> Parts:
    """
    The reply of *url* to *request*, piece by piece as it arrives.

    Raises:
        BrokenError: The provider broke it off.
    """
    import httpx2

    try:
        # No limit of time: the client has its own, and hangs up.
        with (
            httpx2.Client(timeout=None, follow_redirects=False) as client,
            client.stream(request.method, url, headers=list(request.headers), content=request.body) as reply,
        ):
            yield from ((piece, 0.0) for piece in _pieces(reply))
    except httpx2.TimeoutException:
        raise BrokenError("hang") from None
    except httpx2.TransportError:
        raise BrokenError("close") from None


def _pieces(reply: Any) -> Iterator[bytes]:
    kept = [pair for pair in reply.headers.multi_items() if pair[0].lower() not in _OF_CONNECTION]
    has_body = reply.status_code not in _BODILESS
    # In chunks, whatever came: the end goes out only when the recording is whole.
    lines = [f"{name}: {value}\r\n" for name, value in [*kept, *[("transfer-encoding", "chunked")] * has_body]]
    yield f"HTTP/1.1 {reply.status_code} {reply.reason_phrase}\r\n{''.join(lines)}\r\n".encode("latin-1", "replace")
    for piece in reply.iter_raw():
        if piece:
            yield b"%x\r\n%s\r\n" % (len(piece), piece)
    if has_body:
        yield b"0\r\n\r\n"
