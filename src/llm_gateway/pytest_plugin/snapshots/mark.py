"""What stands in a snapshot where the value itself does not: ``<id 1>``, ``<masked>``, ``<decimal 1.10>``."""

from __future__ import annotations

__all__ = ["MASKED", "Mark"]


class Mark(str):
    """A placeholder in angle brackets. A text that looks like one is written in quotes, and stays another value."""

    __slots__ = ()


MASKED = Mark("<masked>")
