"""Who books the calls of this process: each client its own, unless someone sees all of them just now."""

from __future__ import annotations

__all__ = ["give_back", "is_taken_over", "take_over"]

_state = {"takers": 0}


def take_over() -> None:
    """Tell clients that someone else books every call, theirs among them, until `give_back`."""
    _state["takers"] += 1


def give_back() -> None:
    """Let clients book their own calls again, when everyone who took over has given back."""
    _state["takers"] -= 1


def is_taken_over() -> bool:
    """Whether someone else books every call of this process."""
    return _state["takers"] > 0
