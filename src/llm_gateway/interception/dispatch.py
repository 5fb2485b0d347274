"""Decide what happens to a request that a hook has caught: answered, recorded, blocked, or let through."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import urlsplit

from llm_gateway.cassettes.diagnosis import summary
from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception import active, guard
from llm_gateway.interception.refusal import refusal
from llm_gateway.types import WireRequest

__all__ = ["Handler", "handler_for", "own_servers"]

own_servers: set[str] = set()
"""Host and port of servers that answer from a cassette: a call to one of them is met there, and only there."""


class Handler(Protocol):
    """Decides what happens to a request once it is whole: a cassette, or what blocks calls outside of any."""

    def handle(self, request: WireRequest) -> HttpExchange | Recording | None:
        """Return an exchange to answer with, a recording to report the real reply to, or None to let it through."""
        ...


class _Blocker:
    """Answers every request with the error for a call that is not allowed."""

    def handle(self, request: WireRequest) -> HttpExchange:
        """Answer *request* with the error, and note it for the report."""
        return refusal(request, "blocked_call", guard.report_blocked(summary(request)))


_blocker = _Blocker()


def handler_for(method: str, url: str) -> Handler | None:
    """
    Decide whose request this is, by its address alone; hooks ask once, and give the whole request to the handler.

    Returns:
        None where it is no business of ours: the library does all by itself.

    Raises:
        RouteError: Several cassettes are open and the caller belongs to none of them.
    """
    if own_servers and urlsplit(url).netloc in own_servers:
        return None
    if (cassette := active.own()) is not None:
        return cassette if cassette.wants(method, url) else None
    if any(cassette.wants(method, url) for cassette in active.opened()):
        return active.current()
    return _blocker if guard.closed_to(method, url) else None
