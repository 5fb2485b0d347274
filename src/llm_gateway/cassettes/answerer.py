"""What may answer a call before the cassette does: a script."""

from __future__ import annotations

from typing import Protocol

from llm_gateway.cassettes.exchange import HttpExchange
from llm_gateway.exceptions import GatewayError
from llm_gateway.types import WireRequest

__all__ = ["Answerer"]


class Answerer(Protocol):
    """Asked for each call of a test, in every mode; its methods may be called from any thread."""

    def wants(self, request: WireRequest) -> bool:
        """Whether *request*, of which only the address need be known, is answered here."""
        ...

    def answer(self, request: WireRequest) -> HttpExchange:
        """
        The answer to *request*.

        Raises:
            GatewayError: There is none; the text is what the test fails with.
        """
        ...

    def unused(self) -> GatewayError | None:
        """The error for answers that nobody asked for; None when all were given."""
        ...
