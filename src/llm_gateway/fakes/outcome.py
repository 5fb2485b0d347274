"""What a scripted call comes to: an answer, an error of the provider, or a failure on the way."""

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

        stop_reason: Why it ended; None follows from the content.

        chunks: How its text is cut where it is streamed; None: word by word.

        gap_s: Seconds between two pieces.
    """

    content: Any
    stop_reason: StopReason | None = None
    chunks: tuple[str, ...] | None = None
    gap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """
    An error reply of the provider; *message* None takes the words that belong to the status.

    *status* None is the one by which the API that is asked says that it is overloaded; *kind* None follows from status
    and message.
    """

    status: int | None
    message: str | None = None
    retry_after_s: float | None = None
    kind: ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure on the way; *after_chunks* of the answer arrive first, and then *refused* where it is an error."""

    kind: Literal["timeout", "disconnect", "malformed", "error"]
    answer: Answer
    after_chunks: int = 0
    error: ErrorReply | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """
    A recorded exchange: byte for byte for a call that asks as it was asked, else written for the API that is asked.

    Attributes:
        api: As in ``openai.chat``.

        is_streamed: Whether it was streamed.
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
        outcome: What the call comes to.

        where: File and line that scripted it.

        times: For how many calls; None for any number, and at least one.

        usage: What the answer says to have used; None is counted from what was asked and answered.
    """

    outcome: Outcome
    where: str
    times: int | None = 1
    usage: TokenUsage | None = None
    used: int = 0

    @property
    def is_used_up(self) -> bool:
        """Whether it has nothing left to give."""
        return self.times is not None and self.used >= self.times

    @property
    def is_pending(self) -> bool:
        """Whether the test has to ask for it still."""
        return self.used < (1 if self.times is None else self.times)
