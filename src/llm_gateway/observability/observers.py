"""The observers of a client, whose errors never fail a call."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from llm_gateway.exceptions import ConfigError
from llm_gateway.observability.events import Event, Observer, Surrounding

__all__ = ["Observers"]

_log = logging.getLogger("llm_gateway.observability")


class Observers:
    """
    A list of observers, notified in order.

    Raises:
        ConfigError: An item has no method ``observe``.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self.observers = tuple(_checked(one) for one in observers)
        self._surrounding = [one for one in self.observers if isinstance(one, Surrounding)]
        self._failed: set[int] = set()

    def notify(self, event: Event) -> None:
        """Pass *event* to each observer."""
        for one in self.observers:
            self._guarded(one, one.observe, event)

    def enter(self, call_id: int) -> list[tuple[Surrounding, object]]:
        """Notify observers before a call of the provider; return their tokens for `leave`."""
        return [(one, self._guarded(one, one.enter, call_id)) for one in self._surrounding]

    def leave(self, entered: list[tuple[Surrounding, object]]) -> None:
        """Notify observers after a call of the provider."""
        for one, token in reversed(entered):
            if token is not None:
                self._guarded(one, one.leave, token)

    def _guarded(self, one: object, function: Callable[[Any], object], argument: object) -> object:
        try:
            return function(argument)
        except Exception:  # noqa: BLE001  no error of an observer may fail the call
            if id(one) not in self._failed:
                self._failed.add(id(one))
                _log.exception(
                    "an observer failed: %s\n  the call goes on; more errors of this observer are not logged",
                    type(one).__qualname__,
                )
            return None


def _checked(one: Observer) -> Observer:
    if isinstance(one, type) or not callable(getattr(one, "observe", None)):
        raise ConfigError(
            f"{one!r} is no observer",
            cause="it is a class" if isinstance(one, type) else "it has no method observe(event)",
            fix="for example: LLMClient(observers=[Logging()])",
        )
    return one
