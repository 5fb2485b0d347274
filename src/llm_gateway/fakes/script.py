"""Scripts of answers in their order, and recorded conversations as scripts that can be edited."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from pathlib import Path
from typing import Any, Self, Unpack, get_args, overload

from llm_gateway.cassettes.document import shown
from llm_gateway.cassettes.playback import Playback
from llm_gateway.exceptions import CassetteReadError, ErrorKind, FakeError, FakeScriptError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.calls import Condition
from llm_gateway.fakes.callsite import caller
from llm_gateway.fakes.outcome import Answer, ErrorReply, Failure, Outcome, Recorded, ScriptEntry
from llm_gateway.fakes.request import FakeCall, decode_request
from llm_gateway.types import StopReason
from llm_gateway.usage import CACHE_READ, CACHE_WRITE, OptionalCounts, scripted_usage

__all__ = ["Conversation", "Script", "Turn", "pending"]

_DEFAULT_CONTENT = "one two three four five six seven eight nine ten"
_REFUSAL = "I can't help with that."
_SCRIPTED = ("input_tokens", "output_tokens", CACHE_READ, CACHE_WRITE, "reasoning_tokens")


class Script:
    """A queue of answers for the calls that match *condition*. Each verb returns the script, for chaining."""

    def __init__(self, condition: Condition | None = None) -> None:
        self.condition = condition or Condition()
        self.where = caller()
        self.entries: list[ScriptEntry] = []

    def reply(self, content: Any, *, stop_reason: StopReason | None = None, times: int | None = 1) -> Self:
        """
        Answer with *content*, streamed where the call requests a stream.

        Args:
            content: A text; a pydantic model, dataclass or dict, sent as structured output, as a tool call or as JSON
                text, whichever the call requests; a `ToolCall` or another part; a list of texts and parts; a function
                of the `FakeCall` that returns one of these; or a recorded reply (see ``from_cassette``).

            stop_reason: Why the answer ended; None derives it from the content.

            times: Number of calls to answer; None is any number, at least one.
        """
        outcome = content if isinstance(content, Recorded) else Answer(self._not_async(content), stop_reason)
        return self._add(outcome, times)

    def stream(self, chunks: Iterable[str], *, gap_s: float = 0.0, times: int | None = 1) -> Self:
        """Answer with *chunks* of text, *gap_s* seconds apart; a call that does not stream gets them joined."""
        texts: tuple[Any, ...] = tuple(chunks)
        if invalid := [one for one in texts if not isinstance(one, str)]:
            raise _wrong(f"stream(...) got {invalid[0]!r}", "its chunks are texts", 'fake_llm.stream(["one ", "two"])')
        if not 0 <= gap_s < inf:
            raise _wrong(f"gap_s={gap_s!r} is no wait", "it is a number of seconds, 0 or more", "gap_s=0.1")
        return self._add(Answer("".join(texts), chunks=texts, gap_s=gap_s), times)

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

            message: Text of the error; None is a usual text for the status.

            retry_after: Value of ``Retry-After`` in seconds; None sends none.

            after_chunks: Number of events of a stream to send before the error; None sends the error as the reply.

            kind: Kind of error, where one status has several: ``quota_exhausted`` is a 429 that no retry helps.

            then: The reply to the next call.

            times: Number of calls to answer; None is any number, at least one.
        """
        _check_error(status, kind)
        _check_chunks("error", after_chunks or 0)
        error = ErrorReply(status, message, retry_after, kind)
        late = None if after_chunks is None else Failure("error", Answer(_DEFAULT_CONTENT), after_chunks, error)
        return self._add(late or error, times, then)

    def overloaded(self, *, then: Any = None, times: int | None = 1) -> Self:
        """Answer that the API is overloaded: with Anthropic's 529, with 503 where an API has no such status."""
        return self._add(ErrorReply(None), times, then)

    def timeout(self, *, then: Any = None, times: int | None = 1) -> Self:
        """Raise the SDK's timeout error, without waiting."""
        return self._add(Failure("timeout", Answer("")), times, then)

    def disconnect(self, *, after_chunks: int = 0, content: Any = _DEFAULT_CONTENT, then: Any = None) -> Self:
        """Close the connection after *after_chunks* events of a stream of *content*; 0 is before any reply."""
        _check_chunks("disconnect", after_chunks)
        return self._add(Failure("disconnect", Answer(self._not_async(content)), after_chunks), 1, then)

    def malformed(self, *, content: Any = _DEFAULT_CONTENT, then: Any = None) -> Self:
        """Answer with a body that is no JSON, or with a stream whose first event is no JSON."""
        return self._add(Failure("malformed", Answer(self._not_async(content))), 1, then)

    def truncated(self, content: Any = _DEFAULT_CONTENT, *, then: Any = None) -> Self:
        """Answer with *content* as the beginning of an answer that reached the token limit."""
        return self._add(Answer(self._not_async(content), "max_tokens"), 1, then)

    def refusal(self, text: str = _REFUSAL, *, then: Any = None) -> Self:
        """Answer with *text* as a model that refuses to answer."""
        return self._add(Answer(text, "refusal"), 1, then)

    def usage(
        self,
        *,
        input: int,  # noqa: A002  the word that all providers use
        output: int,
        **more: Unpack[OptionalCounts],
    ) -> Self:
        """Set the usage that the last scripted answer reports; *input* is all input tokens, cached ones included."""
        if not self.entries:
            raise FakeScriptError(
                "usage(...) belongs to an answer, and none is scripted yet",
                cause=f"it was called first at {caller()}",
                fix='fake_llm.reply("...").usage(input=10, output=5)',
            )
        usage = scripted_usage(input, output, **more)
        cached, thought = getattr(usage, CACHE_READ) + getattr(usage, CACHE_WRITE), usage.reasoning_tokens or 0
        if cached > input or thought > output:
            counts = ", ".join(f"{name.removesuffix('_tokens')}={getattr(usage, name)}" for name in _SCRIPTED)
            raise FakeScriptError(
                f"usage({counts}) does not add up",
                cause="input is all input, cached included; output is all output, reasoning included",
                fix=f"usage(input={max(input, cached)}, output={max(output, thought)}, ...)",
            )
        self.entries[-1].usage = usage
        return self

    @property
    def is_empty(self) -> bool:
        """Return whether no answer is scripted."""
        return not self.entries

    def next_entry(self) -> ScriptEntry | None:
        """Return the entry that answers the next call; None when all are used up."""
        return next((entry for entry in self.entries if not entry.is_used_up), None)

    def _add(self, outcome: Outcome, times: int | None, then: Any = None) -> Self:
        where = caller()
        if times is not None and times < 1:
            raise FakeScriptError(
                f"times={times} answers no call", cause=f"it was scripted at {where}", fix="times=1 or more"
            )
        self.entries.append(ScriptEntry(outcome, where, times))
        return self if then is None else self.reply(then)

    def _not_async(self, content: Any) -> Any:
        """Return *content*; raise FakeScriptError for a coroutine function, which nothing below the SDK can await."""
        if inspect.iscoroutinefunction(content) or inspect.iscoroutinefunction(getattr(content, "__call__", None)):  # noqa: B004
            raise FakeScriptError(
                f"reply({getattr(content, '__name__', 'function')}) is async, and would never be awaited",
                cause=f"it was scripted at {caller()}; answers are made below the SDK, in sync clients as well",
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
    """Return the entries that the test still has to use, each with its script."""
    return [(script, entry) for script in scripts for entry in script.entries if entry.is_pending]


class Turn(Script):
    """
    One recorded exchange. The first verb replaces the recorded answer, further ones follow it.

    Attributes:
        call: The recorded call.

        recorded: The recorded answer; ``turn.error(429, then=turn.recorded)`` sends it after an error.
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
    """The exchanges of the cassette *path*, in recorded order."""

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
                f"{shown(path)} cannot be replayed as a conversation",
                cause="it contains runs of a command" if playback.processes else "it is empty",
                fix="replay it as it is: @pytest.mark.llm(cassette=...)",
            )

    @overload
    def __getitem__(self, index: int) -> Turn: ...
    @overload
    def __getitem__(self, index: slice) -> list[Turn]: ...
    def __getitem__(self, index: int | slice) -> Turn | list[Turn]:
        """Return one turn, or a list of them."""
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
