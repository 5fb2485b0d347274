"""What decides whether a call may be made for real, and is told how each one ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from llm_gateway.cassettes.exchange import Exchange
from llm_gateway.types import WireRequest

__all__ = ["Ended", "Gate", "standing"]

Ended = Callable[[Exchange], None]
"""Told how a call ended, with its usage and cost."""


class Gate(Protocol):
    """Asked before each call that would reach a provider; its methods may be called from any thread."""

    def enter(self, request: WireRequest | None) -> Ended:
        """
        Let a call through; *request* is None for a run of a command.

        Raises:
            GatewayError: It may not be made; the text is what the test fails with.
        """
        ...


standing: list[Gate] = []
"""Gates of every cassette that is opened in this process, whoever opens it."""
