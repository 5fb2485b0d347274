"""What may answer a call before the cassette does: a script."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from llm_gateway.exceptions import GatewayError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.interception.claude.shim.exits import MISS
from llm_gateway.types import ProcessRequest, WireRequest

__all__ = ["Answerer", "FailedTalk", "Notes", "Said", "Talk"]


class Said(NamedTuple):
    """What a run writes to ``stdout`` or ``stderr``, *wait_s* seconds after what it wrote before."""

    channel: str
    data: bytes
    wait_s: float = 0.0


class Talk(Protocol):
    """One run of a command, answered as its input comes."""

    @property
    def exit_code(self) -> int | None:
        """How it ended, negative for a signal; None while it goes on."""
        ...

    def feed(self, data: bytes) -> None:
        """Take input; no bytes are its end."""
        ...

    def output(self) -> list[Said]:
        """What it has written since it was asked last."""
        ...


class FailedTalk:
    """A run that prints *text* in place of an answer, and fails."""

    exit_code = MISS

    def __init__(self, text: str) -> None:
        self._left = [Said("stderr", f"{text}\n".encode())]

    def feed(self, data: bytes) -> None:
        """Take input, and leave it aside."""

    def output(self) -> list[Said]:
        """The text, once."""
        left, self._left = self._left, []
        return left


class Notes(Protocol):
    """Where a run leaves what has to be known of it."""

    def note_answer(self, exchange: Exchange) -> None:
        """Count what was answered from a script."""

    def note_failure(self, error: GatewayError) -> str:
        """Fail the test with *error*; the text that the run may print of it."""
        ...


class Answerer(Protocol):
    """Asked for each call of a test, in every mode; its methods may be called from any thread."""

    def wants(self, request: WireRequest) -> bool:
        """Whether *request*, of which only the address need be known, is answered here."""
        ...

    def answer(self, request: WireRequest) -> HttpExchange:
        """
        The answer to *request*.

        Raises:
            GatewayError: There is none; the text is what the test fails with.
        """
        ...

    def wants_runs(self) -> bool:
        """Whether runs of ``claude`` are answered here."""
        ...

    def talk(self, request: ProcessRequest, notes: Notes) -> Talk:
        """Begin to answer a run of ``claude``; its input comes later, whatever *request* holds of it."""
        ...

    def unused(self) -> GatewayError | None:
        """The error for answers that nobody asked for; None when all were given."""
        ...
