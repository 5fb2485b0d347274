"""Outcomes of scripted calls: an answer, an error reply, a failure of the connection, or a recorded exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from llm_gateway.exceptions import ErrorKind
from llm_gateway.exchange import HttpExchange
from llm_gateway.types import StopReason, TokenUsage

__all__ = ["Answer", "ErrorReply", "Failure", "Outcome", "Recorded", "ScriptEntry"]


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer of the model.

    Attributes:
        content: See `llm_gateway.fakes.content.build_reply`.

        stop_reason: Why the answer ended; None derives it from the content.

        chunks: Its text, split as a stream sends it; None splits it into words.

        gap_s: Seconds between two chunks.
    """

    content: Any
    stop_reason: StopReason | None = None
    chunks: tuple[str, ...] | None = None
    gap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """
    An error reply of the provider.

    Attributes:
        status: HTTP status; None is the status with which the called API reports that it is overloaded.

        message: Text of the error; None is a usual text for the status.

        retry_after_s: Value of ``Retry-After`` in seconds; None sends none.

        kind: Kind of error; None derives it from status and message.
    """

    status: int | None
    message: str | None = None
    retry_after_s: float | None = None
    kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """
    A failure of the connection or of the body.

    Attributes:
        kind: ``timeout`` and ``disconnect`` are connection errors, ``malformed`` is a body that is no JSON, ``error``
            is an error event inside a stream.

        answer: The answer that fails.

        after_chunks: Number of chunks of the answer that arrive before the failure.

        error: The error of the kind ``error``; else None.
    """

    kind: Literal["timeout", "disconnect", "malformed", "error"]
    answer: Answer
    after_chunks: int = 0
    error: ErrorReply | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    A recorded exchange; sent byte for byte to a call of the same API, encoded again for a call of another one.

    Attributes:
        exchange: The recorded request and reply.

        api: Wire format of the recording, as in ``openai.chat``.

        is_streamed: Whether the recorded reply is a stream.
    """

    exchange: HttpExchange
    api: str
    is_streamed: bool


Outcome: TypeAlias = Answer | ErrorReply | Failure | Recorded


@dataclass(slots=True)
class ScriptEntry:
    """
    One entry of a script.

    Attributes:
        outcome: The outcome of the call.

        where: File and line of the test that scripted it.

        times: Number of calls that it answers; None is any number, at least one.

        usage: Usage that the answer reports; None estimates it from request and reply.

        used: Number of calls that it has answered.
    """

    outcome: Outcome
    where: str
    times: int | None = 1
    usage: TokenUsage | None = None
    used: int = 0

    @property
    def is_used_up(self) -> bool:
        """Return whether it can answer no further call."""
        return self.times is not None and self.used >= self.times

    @property
    def is_pending(self) -> bool:
        """Return whether the test still has to make a call that uses it."""
        return self.used < (1 if self.times is None else self.times)
