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

__all__ = ["Ended", "Gate", "Guards", "enter", "enter_late", "standing"]

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


class Guards:
    """The guards of one cassette, and those of the whole process."""

    def __init__(self, gates: Sequence[Gate], outcome: Outcome) -> None:
        self._gates = gates
        self._outcome = outcome

    def allow(self, request: WireRequest | None) -> Ended:
        """
        Ask the guards for a call, or for a run of a command where *request* is None; the result wants to know its end.

        Raises:
            GatewayError: It may not be made. The test fails with that, whatever becomes of the error.
        """
        try:
            return enter([*self._gates, *standing], request)
        except GatewayError as error:
            self._outcome.fail(error)
            raise

    def allow_late(self) -> Ended:
        """Return what wants to know the end of a run that no one saw begin."""
        return enter_late([*self._gates, *standing])


def _tell(ended: Sequence[Ended], exchange: Exchange) -> None:
    for one in ended:
        one(exchange)
