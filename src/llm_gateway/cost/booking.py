"""Who books the calls of this process: each client its own, unless someone sees all of them."""

from __future__ import annotations

__all__ = ["is_taken_over", "take_over"]

_state = {"taken_over": False}


def take_over() -> None:
    """Tell clients that someone else books every call, theirs among them."""
    _state["taken_over"] = True


def is_taken_over() -> bool:
    """Whether someone else books every call of this process."""
    return _state["taken_over"]
