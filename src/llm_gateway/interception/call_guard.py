"""What decides whether a call may be made for real, and is told how each one ended."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Protocol

from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.exceptions import GatewayError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.types import WireRequest

__all__ = ["Ended", "Gate", "allow", "allow_late", "owns_ledger", "standing"]

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


def owns_ledger() -> bool:
    """Return whether one of the global guards enters each call into a ledger."""
    return any(getattr(guard, "owns_ledger", False) for guard in standing)


def allow(gates: Sequence[Gate], request: WireRequest | None, outcome: Outcome) -> Ended:
    """
    Ask *gates* and the global ones for a call; the result reports its end to all of them.

    Args:
        gates: Those of the cassette.

        request: The call; None for a run of a command.

        outcome: Takes the error, so that the test fails with it whatever its code makes of it.

    Raises:
        GatewayError: One of them does not allow the call; those that did are notified that it was never sent.
    """
    passed: list[Ended] = []
    try:
        for gate in [*gates, *standing]:
            passed.append(gate.enter(request))  # noqa: PERF401  those that were passed have to be notified
    except GatewayError as error:
        _tell(passed, HttpExchange(request or WireRequest("", ""), None, end="error", failure="connect"))
        outcome.fail(error)
        raise
    return functools.partial(_tell, passed)


def allow_late(gates: Sequence[Gate]) -> Ended:
    """Return what reports the end of a run that was seen too late: inside another command, or next to recorded ones."""
    passed: list[Ended] = []
    for gate in [*gates, *standing]:
        with contextlib.suppress(GatewayError):  # it was made already
            passed.append(gate.enter(None))
    return functools.partial(_tell, passed)


def _tell(ended: Sequence[Ended], exchange: Exchange) -> None:
    for one in ended:
        one(exchange)
