"""What decides whether a call may be made for real, and is told how each one ended."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Protocol

from llm_gateway.exceptions import GatewayError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.types import WireRequest

__all__ = ["Ended", "Gate", "enter", "enter_late", "standing"]

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


def enter(gates: Sequence[Gate], request: WireRequest | None) -> Ended:
    """
    Ask each of *gates*; the result tells them all of the call's end.

    Raises:
        GatewayError: One of them does not let the call through; those that did were told that it was never sent.
    """
    passed: list[Ended] = []
    try:
        for gate in gates:
            passed.append(gate.enter(request))  # noqa: PERF401  those that were passed have to be told
    except GatewayError:
        _tell(passed, HttpExchange(request or WireRequest("", ""), None, end="error", failure="connect"))
        raise
    return functools.partial(_tell, passed)


def enter_late(gates: Sequence[Gate]) -> Ended:
    """What wants to know of a run that nobody saw begin: one inside another command, or beside recorded ones."""
    passed: list[Ended] = []
    for gate in gates:
        with contextlib.suppress(GatewayError):  # it was made already
            passed.append(gate.enter(None))
    return functools.partial(_tell, passed)


def _tell(ended: Sequence[Ended], exchange: Exchange) -> None:
    for one in ended:
        one(exchange)
