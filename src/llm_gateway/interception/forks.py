"""Calls of forked processes of a test: they share no memory with it, so they leave texts in a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from llm_gateway.cassettes.diagnosis import forked
from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.interception.refusal import refusal
from llm_gateway.interception.responders import Answer
from llm_gateway.types import WireRequest

__all__ = ["ForkResponder"]

_has_forked = False


def _note_fork() -> None:
    global _has_forked  # noqa: PLW0603  one fact of the whole process
    _has_forked = True


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_parent=_note_fork)


class ForkResponder:
    """
    Answers every call of a forked process of the test with an error: it could neither be recorded nor be missed there.

    The fork leaves the error's text in a file, where `collect` of the process that made the object finds it.
    """

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._process = os.getpid()

    @property
    def is_fork(self) -> bool:
        """Whether this is another process than the one that made the object."""
        return os.getpid() != self._process

    def respond(self, request: WireRequest) -> Answer | None:
        """Answer *request* with an error where this is a fork."""
        if os.getpid() == self._process:
            return None
        text = forked(request).report
        with self._path.open("a", encoding="utf-8") as notes:
            notes.write(f"{text}\0")
        return Answer(refusal(request, "cassette_miss", text), None)

    def collect(self, *, is_over: bool) -> None:
        """Fail the test with what its forks called, and delete their file when *is_over*."""
        if not _has_forked or not self._path.exists():
            return
        for text in self._path.read_text("utf-8").split("\0")[:-1]:
            self._outcome.fail_miss(text)
        if is_over:
            self._path.unlink()

    @property
    def _path(self) -> Path:
        return Path(tempfile.gettempdir(), f"llm-gateway-{self._process}-{id(self)}.forks")
