"""How a request proves who sends it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Protocol

from llm_gateway.types import WireRequest

__all__ = ["Auth", "Key", "NoAuth"]


class Auth(Protocol):
    """
    Puts proof of who sends it into a request.

    Attributes:
        may_wait: Whether `apply` may read files or call a server; it is then called where waiting harms nobody.
    """

    @property
    def may_wait(self) -> bool: ...  # noqa: D102

    def apply(self, request: WireRequest) -> WireRequest:
        """*request* with the proof in it."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key in a header: *template* holds ``{}`` where it goes."""

    key: str = field(repr=False)
    header: str = "authorization"
    template: str = "Bearer {}"
    may_wait: bool = False

    def apply(self, request: WireRequest) -> WireRequest:
        """*request* with the header."""
        return dataclasses.replace(request, headers=(*request.headers, (self.header, self.template.format(self.key))))


@dataclass(frozen=True, slots=True)
class NoAuth:
    """Nothing, for servers of one's own and for clients that bring their own."""

    may_wait: bool = False

    def apply(self, request: WireRequest) -> WireRequest:
        """*request* as it is."""
        return request
