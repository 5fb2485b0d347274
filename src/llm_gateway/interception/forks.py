"""Calls of forked processes of a test: they share no memory with it, so they leave texts in a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["ForkNotes"]

_has_forked = False


def _note_fork() -> None:
    global _has_forked  # noqa: PLW0603  one fact of the whole process
    _has_forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_note_fork)


class ForkNotes:
    """Texts that forks of the process that made this object leave for it."""

    def __init__(self) -> None:
        self._process = os.getpid()

    @property
    def is_fork(self) -> bool:
        """Whether this is another process than the one that made the object."""
        return os.getpid() != self._process

    @property
    def _path(self) -> Path:
        return Path(tempfile.gettempdir(), f"llm-gateway-{self._process}-{id(self)}.forks")

    def leave(self, text: str) -> None:
        """Leave *text* for the process that made the object."""
        with self._path.open("a", encoding="utf-8") as notes:
            notes.write(f"{text}\0")

    def read(self, *, is_over: bool) -> list[str]:
        """Return what forks have left so far, and delete the file when *is_over*."""
        if not _has_forked or not self._path.exists():
            return []
        texts = self._path.read_text("utf-8").split("\0")[:-1]
        if is_over:
            self._path.unlink()
        return texts
