"""An exchange as a server sends it: bytes, the seconds to wait before them, and how the connection ends. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Literal, TypeAlias

from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.hooks.http1 import first_wait, parts_of_reply
from llm_gateway.types import WireReply

__all__ = ["BrokenError", "Ending", "Parts", "sent"]

Ending: TypeAlias = Literal["close", "reset", "hang"]
"""The connection is closed as if all were well, or reset, or nothing more ever comes."""
Parts: TypeAlias = Iterator[tuple[bytes, float]]
_ENDINGS: dict[str, Ending] = {"read_timeout": "hang", "connect_timeout": "hang", "connect": "reset", "read": "reset"}
_OF_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "upgrade", "alt-svc"})
"""Headers that spoke of the recorded connection."""


class BrokenError(Exception):
    """The reply does not go on: the connection comes to its *ending*."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending: Ending = ending


def sent(exchange: HttpExchange, method: str) -> Parts:
    """
    What is sent for *exchange*, in its own pieces and its own time.

    Raises:
        BrokenError: Behind the last piece, where the exchange failed.
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
        # Not reset: that would take away pieces which the client has not read yet. It misses the end all the same.
        raise BrokenError("hang" if failure == "read_timeout" else "close")
