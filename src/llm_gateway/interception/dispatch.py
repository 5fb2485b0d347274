"""What happens to a request that a hook has caught: answered from a cassette, recorded, refused, or let through."""

from __future__ import annotations

from urllib.parse import urlsplit

from llm_gateway.cassettes.diagnosis import summary
from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception import active, guard
from llm_gateway.interception.refusal import refusal
from llm_gateway.types import WireRequest

__all__ = ["intercept", "is_replaying", "is_watching", "own_servers"]

own_servers: set[str] = set()
"""Host and port of servers that answer from a cassette: a call to one of them is met there, and only there."""


def is_watching(method: str, url: str) -> bool:
    """Whether a request concerns us; False lets a hook step aside at once, and the library do all by itself."""
    if own_servers and urlsplit(url).netloc in own_servers:
        return False
    asked = WireRequest(method, url)
    return any(cassette.wants(asked) for cassette in active.opened()) or guard.closed_to(method, url)


def is_replaying() -> bool:
    """Whether calls made here are answered from a file, so that nothing will connect."""
    cassette = active.current()
    return cassette is not None and cassette.mode.reads and not cassette.mode.writes


def intercept(request: WireRequest) -> HttpExchange | Recording | None:
    """
    Decide what happens to *request*.

    Returns:
        None: let it through untouched. An exchange: answer with it and connect to nothing. A recording: send the
        request and tell the recording what comes back.
    """
    cassette = active.current()
    if cassette is not None:
        return cassette.handle(request) if cassette.wants(request) else None
    if guard.closed_to(request.method, request.url):
        return refusal(request, "blocked_call", guard.refuse(summary(request)))
    return None
