"""What a cassette does with a call."""

from __future__ import annotations

from enum import Enum

__all__ = ["Mode"]


class Mode(Enum):
    """
    What happens to a call made while a cassette is open.

    ``REPLAY`` answers from the file and never connects. ``RECORD`` calls for real and replaces the file. ``NEW``
    answers what is recorded and records the rest. ``LIVE`` calls for real and leaves files alone.

    Attributes:
        reads: Whether calls made in this mode are answered from the file.

        connects: Whether calls made in this mode may reach a provider.

        writes: Whether calls made in this mode end up in the file.
    """

    reads: bool
    connects: bool
    writes: bool

    REPLAY = "replay"
    RECORD = "record"
    NEW = "new"
    LIVE = "live"

    def __init__(self, value: str) -> None:
        self.reads = value in ("replay", "new")
        self.connects = value != "replay"
        self.writes = value in ("record", "new")
