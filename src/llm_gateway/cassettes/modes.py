"""What a cassette does with a call."""

from __future__ import annotations

from enum import Enum

__all__ = ["Mode"]


class Mode(Enum):
    """
    What happens to a call made while a cassette is open.

    ``REPLAY`` answers from the file and never connects. ``RECORD`` calls for real and replaces the file. ``NEW``
    answers what is recorded and records the rest. ``LIVE`` calls for real and leaves files alone.
    """

    REPLAY = "replay"
    RECORD = "record"
    NEW = "new"
    LIVE = "live"

    @property
    def writes(self) -> bool:
        """Whether calls made in this mode end up in the file."""
        return self in (Mode.RECORD, Mode.NEW)

    @property
    def connects(self) -> bool:
        """Whether calls made in this mode may reach a provider."""
        return self is not Mode.REPLAY

    @property
    def reads(self) -> bool:
        """Whether calls made in this mode are answered from the file."""
        return self in (Mode.REPLAY, Mode.NEW)
