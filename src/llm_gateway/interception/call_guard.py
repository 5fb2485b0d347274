"""Call guards: they decide whether a call may really be made, and are notified of how each one ended."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Sequence
from typing import Protocol

from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.exceptions import GatewayError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.types import WireRequest

__all__ = ["CallGuard", "OnComplete", "allow", "allow_late", "global_guards", "owns_ledger"]

OnComplete = Callable[[Exchange], None]
"""Called with the exchange, its usage and its cost when the call has ended."""


class CallGuard(Protocol):
    """A guard that is called before each call which would reach a provider, from any thread."""

    def allow(self, request: WireRequest | None) -> OnComplete:
        """
        Allow a call; *request* is None for a run of a command.

        Raises:
            GatewayError: It may not be made; the test fails with that error.
        """
        ...


global_guards: list[CallGuard] = []
"""The guards of every cassette that is opened in this process."""


def owns_ledger() -> bool:
    """Return whether one of the global guards enters each call into a ledger."""
    return any(getattr(guard, "owns_ledger", False) for guard in global_guards)


def allow(guards: Sequence[CallGuard], request: WireRequest | None, outcome: Outcome) -> OnComplete:
    """
    Have *guards* and the global ones allow a call; return a function that notifies all of them of its end.

    Args:
        guards: Those of the cassette.

        request: The call; None for a run of a command.

        outcome: Takes the error, so that the test fails with it even where its code handles it.

    Raises:
        GatewayError: A guard does not allow the call; those that did are notified that it was never sent.
    """
    passed: list[OnComplete] = []
    try:
        for guard in [*guards, *global_guards]:
            passed.append(guard.allow(request))  # noqa: PERF401  those that were passed have to be notified
    except GatewayError as error:
        _notify(passed, HttpExchange(request or WireRequest("", ""), None, end="error", failure="connect"))
        outcome.fail(error)
        raise
    return functools.partial(_notify, passed)


def allow_late(guards: Sequence[CallGuard]) -> OnComplete:
    """Return what notifies the guards of the end of a run that nothing saw begin, as one inside another command."""
    passed: list[OnComplete] = []
    for guard in [*guards, *global_guards]:
        with contextlib.suppress(GatewayError):  # it was made already
            passed.append(guard.allow(None))
    return functools.partial(_notify, passed)


def _notify(passed: Sequence[OnComplete], exchange: Exchange) -> None:
    for on_complete in passed:
        on_complete(exchange)
