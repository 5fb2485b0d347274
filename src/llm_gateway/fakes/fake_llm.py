"""What answers the calls of one test from a script."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from llm_gateway.exceptions import FakeError, FakeMissError, FakeScriptError, FakeUnusedError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.auxiliary import AuxiliaryCall, answer_auxiliary, identify_auxiliary
from llm_gateway.fakes.calls import Calls, Condition, requests_object_of
from llm_gateway.fakes.callsite import with_callsite
from llm_gateway.fakes.claude import PROVIDER
from llm_gateway.fakes.http_reply import build_exchange
from llm_gateway.fakes.known import checked
from llm_gateway.fakes.outcome import Answer, ScriptEntry
from llm_gateway.fakes.request import FakeCall, decode_request
from llm_gateway.fakes.schema_example import example
from llm_gateway.fakes.script import Conversation, Script, pending
from llm_gateway.fakes.usage import unbilled_record
from llm_gateway.interception.script import ProcessSession, SessionObserver
from llm_gateway.types import ProcessRequest, ToolCall, WireRequest
from llm_gateway.wire.identify import identify

__all__ = ["FakeLLM"]

M = TypeVar("M")
_MOST_TOLD = 3
_MOST_NESTED = 8  # an SDK takes some forty frames for a call


class FakeLLM(Script):
    """
    Every model that a test calls, scripted at wire level: the code under test keeps its own SDK, parser and retries.

    What is scripted for a condition (`on`) comes before what is scripted for any call. A call for which nothing is
    left fails the test with the request shown, as does an answer that nobody asked for.

    Attributes:
        calls: What was asked so far.

        other_calls: What was asked beside the chat, and needs no script: lists of models, counts of tokens, embeddings.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls = Calls()
        self.other_calls: list[AuxiliaryCall] = []
        self._scripts: list[Script] = []
        self._providers: frozenset[str] | None = None
        self._generates = False
        self._runs = 0
        self._lock = threading.RLock()
        self._nested = threading.local()

    def on(
        self,
        *,
        provider: str | None = None,
        model: str | None = None,
        contains: str | None = None,
        tool_result: str | bool | None = None,
        match: Callable[[FakeCall], Any] | None = None,
    ) -> Script:
        """
        Script answers for the calls that fit all that is given; the first script that fits and has any left answers.

        Args:
            provider: As in ``openai``.

            model: The name, or a pattern as in ``claude-*``.

            contains: Words in any message, or in the system prompt.

            tool_result: A text in a result that a tool has just returned; True stands for any result.

            match: Whatever else, decided by a function of the `FakeCall`.

        Raises:
            FakeScriptError: There is no such provider.
        """
        if provider is not None:
            checked(provider, "on(provider=...)")
        return self._when(Condition(provider, model, contains, tool_result, match))

    def _when(self, condition: Condition) -> Script:
        script = Script(condition)
        self._scripts.append(script)
        return script

    def set_response(self, response_model: type[M], instance: M) -> Self:
        """Answer every call that asks for a *response_model* with *instance*, however often."""
        self._when(Condition(match=requests_object_of(response_model))).reply(instance, times=None)
        return self

    def from_cassette(self, path: str | Path) -> Conversation:
        """
        Answer with what a cassette holds, one exchange after another, whatever is asked.

        Returns:
            The turns, each of which can be edited: ``conversation[1].reply("something else")``. One that is not is
            given byte for byte.

        Raises:
            CassetteReadError: The file is unreadable, or there is none.
            FakeScriptError: It holds something that is no chat over HTTP.
        """
        conversation = Conversation(path)
        self._scripts.extend(conversation)
        return conversation

    def generate(self) -> Self:
        """Answer what is not scripted by an example of the schema that is asked for, or by a text."""
        self._generates = True
        return self

    def only(self, *providers: str) -> Self:
        """Answer these providers alone; calls of others go to the test's cassette. Unknown names are refused."""
        self._providers = frozenset(checked(name, "only(...)") for name in providers)
        return self

    @property
    def last(self) -> FakeCall:
        """The call made last."""
        return self.calls.last

    def assert_called_once(self) -> FakeCall:
        """The only call; fails with all of them when there were more, or none."""
        __tracebackhide__ = True
        return self.calls.assert_called_once()

    def wants(self, request: WireRequest) -> bool:
        """Whether *request*, known by its address, is answered here."""
        found = identify(request.method, request.url) or identify_auxiliary(request)
        return found is not None and (self._providers is None or found.provider in self._providers)

    def answer(self, request: WireRequest) -> HttpExchange:
        """
        The scripted answer to *request*.

        Raises:
            FakeMissError: Nothing is scripted for it.
            FakeScriptError: What is scripted cannot be said in its format, or a function of the script failed.
        """
        if (other := identify_auxiliary(request)) is not None:
            return self._answer_auxiliary(other, request)
        depth = getattr(self._nested, "depth", 0)
        if depth == _MOST_NESTED:
            raise FakeScriptError(
                f"{depth} answers of fake_llm wait for each other",
                cause="a function that answers, or says whether a script fits, calls the model itself, again and again",
                fix='script the inner call first: fake_llm.on(contains="...").reply("...")',
            )
        self._nested.depth = depth + 1
        try:
            return self._answered(request)
        finally:
            self._nested.depth = depth

    def _answered(self, request: WireRequest) -> HttpExchange:
        call, scripted = self._asked(lambda number: decode_request(number, request))
        try:
            exchange = build_exchange(scripted, call, request)
        except FakeScriptError as error:
            raise with_callsite(error, scripted.where) from error.__cause__
        exchange.metering = unbilled_record(exchange, call.provider, call.api, call.model)
        return exchange

    def _answer_auxiliary(self, other: AuxiliaryCall, request: WireRequest) -> HttpExchange:
        scripted = [script.condition for script in self._scripts]
        named = {one.model for one in scripted if one.model and one.provider in (None, other.provider)}
        used = {call.model for call in self.calls if call.provider == other.provider}
        names = sorted(name for name in named | used if not set(name) & set("*?["))
        call, exchange = answer_auxiliary(other, request, names)
        self.other_calls.append(call)
        return exchange

    def wants_runs(self) -> bool:
        """Whether runs of ``claude`` are answered here."""
        return self._providers is None or PROVIDER in self._providers

    def start_process(self, request: ProcessRequest, observer: SessionObserver) -> ProcessSession:
        """Begin to answer a run of ``claude``."""
        from llm_gateway.fakes.claude.session import ClaudeSession

        with self._lock:
            self._runs += 1
        return ClaudeSession(request, self._runs, self._asked, observer)

    def _asked(self, make: Callable[[int], FakeCall]) -> tuple[FakeCall, ScriptEntry]:
        """Note the call that *make* makes of its number, and find what is scripted for it."""
        with self._lock:
            call = make(len(self.calls) + 1)
            self.calls.add(call)
            return call, self._scripted(call)

    def _scripted(self, call: FakeCall) -> ScriptEntry:
        for script in [*self._scripts, self]:
            entry = script.next_entry()
            if entry is not None and _fits(script, entry, call):
                entry.used += 1
                return entry
        if self._generates:
            return ScriptEntry(Answer(_generated(call)), "fake_llm.generate()")
        raise self._missed(call)

    def _missed(self, call: FakeCall) -> FakeMissError:
        scripts = [*self._scripts, self]
        waiting = [f"{entry.where} waits for {_named(script)}" for script, entry in pending(scripts)]
        asked = sum(entry.used for script in scripts for entry in script.entries)
        empty = [
            f"{script.where} scripts no answer for {_named(script)}" for script in self._scripts if script.is_empty
        ]
        given = "the one scripted answer was" if asked == 1 else f"all {asked} scripted answers were"
        cause = "\n".join((empty + waiting)[:_MOST_TOLD]) or (
            f"{given} given before" if asked else "nothing is scripted"
        )
        return FakeMissError(
            f"fake_llm has no answer for call {call}",
            cause=cause,
            fix='to script it: fake_llm.reply("...") before the call',
        )

    def unused(self) -> FakeError | None:
        """The error for answers that nobody asked for; None when all were given."""
        left = pending([*self._scripts, self])
        if not left:
            return None
        told = [f"{entry.where}{_why(script, self.calls)}" for script, entry in left[:_MOST_TOLD]]
        more = [f"and {len(left) - _MOST_TOLD} more"] if len(left) > _MOST_TOLD else []
        return FakeUnusedError(
            f"{len(left)} scripted answer{'s were' if len(left) > 1 else ' was'} never asked for",
            cause="\n".join(told + more),
            fix="take them out of the script, or let the test make the calls",
        )


def _fits(script: Script, entry: ScriptEntry, call: FakeCall) -> bool:
    try:
        return script.condition.matches(call)
    except FakeScriptError as error:
        raise with_callsite(error, entry.where) from error.__cause__


def _named(script: Script) -> str:
    return f"on({script.condition})" if str(script.condition) else "any call"


def _why(script: Script, calls: Calls) -> str:
    """What a condition waited for, and the nearest that came."""
    if not str(script.condition):
        return ""
    near = difflib.get_close_matches(script.condition.model or "", [call.model for call in calls], n=1, cutoff=0.5)
    return f" {_named(script)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _generated(call: FakeCall) -> Any:
    chat = call.chat
    if chat.response_schema is not None:
        return example(chat.response_schema)
    wanted = [tool for tool in chat.tools if chat.tool_choice in ("required", tool.name)]
    if wanted:
        return ToolCall(f"call_fake_{call.number}", wanted[0].name, example(wanted[0].parameters))
    return "generated"
