"""Authentication of requests: a key in a header, or none."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Protocol

from llm_gateway.types import WireRequest

__all__ = ["Auth", "Key", "NoAuth"]


class Auth(Protocol):
    """
    An authentication that is applied to each request.

    Attributes:
        may_wait: Whether `apply` may read files or call a server; it then runs in a worker thread of an event loop.
    """

    @property
    def may_wait(self) -> bool: ...  # noqa: D102

    def apply(self, request: WireRequest) -> WireRequest:
        """Return *request* with its authentication."""
        ...


@dataclass(frozen=True, slots=True)
class Key:
    """A key in a header, put in place of ``{}`` in *template*."""

    key: str = field(repr=False)
    header: str = "authorization"
    template: str = "Bearer {}"
    may_wait: bool = False

    def apply(self, request: WireRequest) -> WireRequest:
        """Return *request* with the header."""
        return dataclasses.replace(request, headers=(*request.headers, (self.header, self.template.format(self.key))))


@dataclass(frozen=True, slots=True)
class NoAuth:
    """No authentication, for local servers and for SDK clients that have their own."""

    may_wait: bool = False

    def apply(self, request: WireRequest) -> WireRequest:
        """Return *request* unchanged."""
        return request
