"""The protocols of a script, which answers calls before the cassette does; ``fake_llm`` is one."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from llm_gateway.exceptions import GatewayError
from llm_gateway.exchange import Exchange, HttpExchange
from llm_gateway.interception.claude.shim.stdio import EXIT_MISS
from llm_gateway.types import ProcessRequest, WireRequest

__all__ = ["FailedSession", "Output", "ProcessSession", "Script", "SessionObserver"]


class Output(NamedTuple):
    """Bytes that a run writes to ``stdout`` or ``stderr``, *wait_s* seconds after its previous output."""

    channel: str
    data: bytes
    wait_s: float = 0.0


class ProcessSession(Protocol):
    """One run of a command, replayed without a process while its input arrives."""

    @property
    def exit_code(self) -> int | None:
        """Return the exit code, negative for a signal; None while the run goes on."""
        ...

    def feed(self, data: bytes) -> None:
        """Take input; empty bytes are the end of the input."""
        ...

    def output(self) -> list[Output]:
        """Return the output written since the last call."""
        ...


class FailedSession:
    """A run that writes *text* to ``stderr`` and fails."""

    exit_code = EXIT_MISS

    def __init__(self, text: str) -> None:
        self._left = [Output("stderr", f"{text}\n".encode())]

    def feed(self, data: bytes) -> None:
        """Ignore the input."""

    def output(self) -> list[Output]:
        """Return the text at the first call, nothing later."""
        left, self._left = self._left, []
        return left


class SessionObserver(Protocol):
    """What a process session reports to: it is notified of each answer and each failure."""

    def note_answer(self, exchange: Exchange) -> None:
        """Count a call that a script answered."""

    def note_failure(self, error: GatewayError) -> str:
        """Let the test fail with *error*, and return the text that the run may print."""
        ...


class Script(Protocol):
    """An object that answers calls of a test, in every mode; its methods may be called from any thread."""

    def wants(self, request: WireRequest) -> bool:
        """Return whether this script answers *request*; only the address of *request* is read."""
        ...

    def answer(self, request: WireRequest) -> HttpExchange:
        """
        Answer *request*.

        Raises:
            GatewayError: There is no answer; the test fails with its text.
        """
        ...

    def wants_runs(self) -> bool:
        """Return whether this script answers runs of ``claude``."""
        ...

    def start_process(self, request: ProcessRequest, observer: SessionObserver) -> ProcessSession:
        """Start to answer a run of ``claude``; its input arrives later through ``feed``, not in *request*."""
        ...

    def unused(self) -> GatewayError | None:
        """Return the error for answers that no call used; None when all were used."""
        ...
