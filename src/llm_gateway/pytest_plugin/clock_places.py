"""Where loaded modules hold the clock under a name of their own, as after ``from datetime import date``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType

__all__ = ["Places"]


class Places:
    """
    The globals of loaded modules that hold one of some objects. A module is searched once, and again when it grows.

    Args:
        pairs: What may stand in a global, and what takes its place.

        skipped: Modules that are left alone: those of that name, and what is in them.
    """

    def __init__(self, pairs: Mapping[object, object], skipped: tuple[str, ...]) -> None:
        self._reals = {id(real): (real, fake) for real, fake in pairs.items()}
        self._fakes = {id(fake): (real, fake) for real, fake in pairs.items()}
        self._skipped = skipped
        self._inside = tuple(f"{name}." for name in skipped)
        self._known: dict[str, tuple[int, int]] = {}
        self._found: dict[tuple[str, str], tuple[object, object]] = {}

    def swap(self) -> None:
        """Put the other object wherever the first stands."""
        self._search(self._reals)
        for (module, name), (real, fake) in self._found.items():
            _exchange(module, name, real, fake)

    def restore(self) -> None:
        """Put the first object back, also in modules that were imported since `swap`."""
        self._search(self._fakes)
        for (module, name), (real, fake) in self._found.items():
            _exchange(module, name, fake, real)

    def _search(self, wanted: Mapping[int, tuple[object, object]]) -> None:
        known = self._known
        for name, module in list(sys.modules.items()):
            members = getattr(module, "__dict__", ())
            state = (id(module), len(members))
            if known.get(name) != state:
                known[name] = state
                self._search_one(name, module, wanted)

    def _search_one(self, name: str, module: ModuleType, wanted: Mapping[int, tuple[object, object]]) -> None:
        if name in self._skipped or name.startswith(self._inside):
            return
        for member, value in list(vars(module).items()):
            if id(value) in wanted:
                self._found[name, member] = wanted[id(value)]


def _exchange(module: str, name: str, old: object, new: object) -> None:
    """Leave alone what the test has put there in the meantime."""
    members = vars(sys.modules[module]) if module in sys.modules else {}
    if members.get(name) is old:
        members[name] = new
