"""Scripts: the verbs that script answers in order, and recorded conversations as scripts."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Any, Self, get_args, overload

from llm_gateway.cassettes.document import shown
from llm_gateway.cassettes.playback import Playback
from llm_gateway.exceptions import CassetteReadError, ErrorKind, FakeError, FakeScriptError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.calls import Condition
from llm_gateway.fakes.callsite import caller
from llm_gateway.fakes.outcome import Answer, ErrorReply, Failure, Outcome, Recorded, ScriptEntry
from llm_gateway.fakes.request import FakeCall, decode_request
from llm_gateway.types import StopReason, TokenUsage

__all__ = ["Conversation", "Script", "Turn", "pending"]

_WORDS = "one two three four five six seven eight nine ten"
_REFUSAL = "I can't help with that."


class Script:
    """Answers for the calls that fit *condition*, one after another. Each verb returns the script, to go on with."""

    def __init__(self, condition: Condition | None = None) -> None:
        self.condition = condition or Condition()
        self.where = caller()
        self.entries: list[ScriptEntry] = []

    def reply(self, content: Any, *, stop_reason: StopReason | None = None, times: int | None = 1) -> Self:
        """
        Answer with *content*, streamed or not as the call asks.

        Args:
            content: A text; a pydantic model, dataclass or dict, given as the call asks for objects; a `ToolCall` or
                another part; a list of texts and parts; a function of the `FakeCall` that returns one of these; or a
                reply that was recorded (see ``from_cassette``).

            stop_reason: Why the answer ended; None follows from the content.

            times: For how many calls; None for any number of them, at least one.
        """
        outcome = content if isinstance(content, Recorded) else Answer(self._plain(content), stop_reason)
        return self._add(outcome, times)

    def stream(self, pieces: Iterable[str], *, gap_s: float = 0.0, times: int | None = 1) -> Self:
        """Answer with *pieces* of text, *gap_s* seconds apart; a call that does not stream gets them joined."""
        cut: tuple[Any, ...] = tuple(pieces)
        if odd := [one for one in cut if not isinstance(one, str)]:
            raise _wrong(f"stream(...) got {odd[0]!r}", "its pieces are texts", 'fake_llm.stream(["one ", "two"])')
        if not 0 <= gap_s < inf:
            raise _wrong(f"gap_s={gap_s!r} is no wait", "it is a number of seconds, 0 or more", "gap_s=0.1")
        return self._add(Answer("".join(cut), chunks=cut, gap_s=gap_s), times)

    def error(
        self,
        status: int,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        after_chunks: int | None = None,
        kind: ErrorKind | None = None,
        then: Any = None,
        times: int | None = 1,
    ) -> Self:
        """
        Answer with the provider's error for *status*.

        Args:
            status: From 400 to 599.

            message: The provider's words.

            retry_after: Seconds that it asks to wait.

            after_chunks: Say it inside a stream, after so many of its events; None says it instead of a reply.

            kind: The sort of error, where one status has several: ``quota_exhausted`` for a 429 that no wait helps.

            then: The reply to the next call.

            times: For how many calls; None for any number of them, at least one.
        """
        _check_error(status, kind)
        _check_chunks("error", after_chunks or 0)
        refused = ErrorReply(status, message, retry_after, kind)
        late = None if after_chunks is None else Failure("error", Answer(_WORDS), after_chunks, refused)
        return self._add(late or refused, times, then)

    def overloaded(self, *, then: Any = None, times: int | None = 1) -> Self:
        """Answer that the API is overloaded: with Anthropic's 529, with 503 where an API has no such status."""
        return self._add(ErrorReply(None), times, then)

    def timeout(self, *, then: Any = None, times: int | None = 1) -> Self:
        """Let the call end as one that waited for its answer for too long, at once."""
        return self._add(Failure("timeout", Answer("")), times, then)

    def disconnect(self, *, after_chunks: int = 0, content: Any = _WORDS, then: Any = None) -> Self:
        """Break the connection after *after_chunks* events of a stream of *content*; 0 is before any reply."""
        _check_chunks("disconnect", after_chunks)
        return self._add(Failure("disconnect", Answer(self._plain(content)), after_chunks), 1, then)

    def malformed(self, *, content: Any = _WORDS, then: Any = None) -> Self:
        """Answer with a body that is no JSON, or with a stream whose first event is none."""
        return self._add(Failure("malformed", Answer(self._plain(content))), 1, then)

    def truncated(self, content: Any = _WORDS, *, then: Any = None) -> Self:
        """Answer with *content* as the part of an answer that the limit of tokens left."""
        return self._add(Answer(self._plain(content), "max_tokens"), 1, then)

    def refusal(self, text: str = _REFUSAL, *, then: Any = None) -> Self:
        """Answer as a model that will not."""
        return self._add(Answer(text, "refusal"), 1, then)

    def usage(
        self,
        *,
        input: int,  # noqa: A002  the word that all providers use
        output: int,
        cache_read: int = 0,
        cache_write: int = 0,
        reasoning: int = 0,
    ) -> Self:
        """Let the answer scripted last say that it used so many tokens; *input* is all input, cached included."""
        if not self.entries:
            raise FakeScriptError(
                "usage(...) belongs to an answer, and none is scripted yet",
                cause=f"it was called first at {caller()}",
                fix='fake_llm.reply("...").usage(input=10, output=5)',
            )
        if cache_read + cache_write > input or reasoning > output:
            raise FakeScriptError(
                f"usage(input={input}, output={output}, cache_read={cache_read}, cache_write={cache_write}, "
                f"reasoning={reasoning}) does not add up",
                cause="input is all input, cached included; output is all output, reasoning included",
                fix=f"usage(input={max(input, cache_read + cache_write)}, output={max(output, reasoning)}, ...)",
            )
        self.entries[-1].usage = TokenUsage(input, output, cache_read, cache_write, reasoning_tokens=reasoning)
        return self

    @property
    def is_empty(self) -> bool:
        """Whether no verb was used on it."""
        return not self.entries

    def next_entry(self) -> ScriptEntry | None:
        """The entry whose turn it is; None when all are spent."""
        return next((entry for entry in self.entries if not entry.is_used_up), None)

    def _add(self, outcome: Outcome, times: int | None, then: Any = None) -> Self:
        where = caller()
        if times is not None and times < 1:
            raise FakeScriptError(
                f"times={times} would never be asked for", cause=f"it was scripted at {where}", fix="times=1 or more"
            )
        self.entries.append(ScriptEntry(outcome, where, times))
        return self if then is None else self.reply(then)

    def _plain(self, content: Any) -> Any:
        """*content*, unless it has to be awaited: it is asked for beneath the SDK, where nothing can wait."""
        if inspect.iscoroutinefunction(content) or inspect.iscoroutinefunction(getattr(content, "__call__", None)):  # noqa: B004
            raise FakeScriptError(
                f"reply({getattr(content, '__name__', 'function')}) is async, and would never be awaited",
                cause=f"it was scripted at {caller()}; answers are made beneath the SDK, in sync clients as well",
                fix="make it a plain function: def, without async",
            )
        return content


def _wrong(what: str, why: str, example: str) -> FakeScriptError:
    return FakeScriptError(what, cause=f"{why}; it was scripted at {caller()}", fix=f"for example: {example}")


def _check_error(status: int, kind: ErrorKind | None) -> None:
    if status not in range(400, 600):
        raise FakeScriptError(
            f"error({status!r}) is no error",
            cause=f"errors have a status from 400 to 599, a number; it was scripted at {caller()}",
            fix="fake_llm.error(429), or fake_llm.reply(...) for an answer",
        )
    if kind is not None and kind not in get_args(ErrorKind):
        near = difflib.get_close_matches(str(kind), get_args(ErrorKind), n=1) or ["rate_limited"]
        raise _wrong(
            f"error({status}, kind={kind!r}) is no error",
            f"kinds are {', '.join(get_args(ErrorKind))}",
            f"fake_llm.error({status}, kind={near[0]!r})",
        )


def _check_chunks(verb: str, after_chunks: int) -> None:
    if after_chunks < 0:
        raise _wrong(
            f"{verb}(after_chunks={after_chunks}) is before the call", "chunks are counted from 0", "after_chunks=3"
        )


def pending(scripts: Iterable[Script]) -> list[tuple[Script, ScriptEntry]]:
    """What the test has not asked for yet."""
    return [(script, entry) for script in scripts for entry in script.entries if entry.is_pending]


class Turn(Script):
    """
    One recorded exchange. The first verb used on it takes the place of what was recorded, others come after.

    Attributes:
        call: What was asked when it was recorded.

        recorded: What was answered; ``turn.error(429, then=turn.recorded)`` gives it after an error.
    """

    def __init__(self, exchange: HttpExchange, number: int, where: str) -> None:
        super().__init__()
        self.call: FakeCall = decode_request(number, exchange.request)
        self.recorded = Recorded(exchange, self.call.api, self.call.is_streaming)
        self._is_edited = False
        self.entries.append(ScriptEntry(self.recorded, where))

    def _add(self, outcome: Outcome, times: int | None, then: object = None) -> Turn:
        if not self._is_edited:
            self._is_edited = True
            self.entries.clear()
        return super()._add(outcome, times, then)


class Conversation(Sequence[Turn]):
    """The exchanges of the cassette *path*, in their order."""

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        playback = Playback(path)
        if not playback.exists:
            raise CassetteReadError(
                f"there is no cassette {shown(path)}",
                cause="from_cassette takes the path from the folder in which pytest was started",
                fix="llm-gateway cassettes ls",
            )
        self._turns = [_turn(playback.exchange(at), at + 1, shown(path)) for at in range(len(playback.places))]
        if playback.processes or not self._turns:
            raise FakeScriptError(
                f"{shown(path)} is no conversation that could be played",
                cause="it holds runs of a command" if playback.processes else "it is empty",
                fix="replay it as it is: @pytest.mark.llm(cassette=...)",
            )

    @overload
    def __getitem__(self, index: int) -> Turn: ...
    @overload
    def __getitem__(self, index: slice) -> list[Turn]: ...
    def __getitem__(self, index: int | slice) -> Turn | list[Turn]:
        """One turn, or some of them."""
        return self._turns[index]

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Turn]:
        return iter(self._turns)


def _turn(exchange: HttpExchange, number: int, path: str) -> Turn:
    try:
        return Turn(exchange, number, f"{path}, exchange {number}")
    except FakeError as error:
        raise FakeScriptError(
            f"exchange {number} of {path} is no chat: {exchange.request.method} {exchange.request.url}",
            cause=error.cause,
            fix="take it out of a copy of the file, or replay it as it is: @pytest.mark.llm(cassette=...)",
        ) from None
