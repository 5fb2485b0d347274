"""The responder that answers the calls of one test from scripts."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from llm_gateway.exceptions import FakeError, FakeMissError, FakeScriptError, FakeUnusedError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.auxiliary import AuxiliaryCall, answer_auxiliary, identify_auxiliary
from llm_gateway.fakes.calls import Calls, Condition, check_provider, requests_object_of
from llm_gateway.fakes.callsite import with_callsite
from llm_gateway.fakes.claude import PROVIDER
from llm_gateway.fakes.http_reply import build_exchange
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
_MAX_SHOWN = 3
_MAX_NESTED = 8  # below the recursion limit: an SDK takes about forty frames for a call


class FakeLLM(Script):
    """
    Scripted answers of every model that a test calls, at wire level: the code under test keeps its SDK and retries.

    Answers scripted for a condition (`on`) come before those scripted for any call. The test fails, with the request
    shown, for a call without a scripted answer, and for a scripted answer without a call.

    Attributes:
        calls: The calls so far.

        other_calls: Calls of auxiliary endpoints, which need no script: lists of models, counts of tokens, embeddings.
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
        Return a script for the calls that match every argument; the first such script with an answer left answers.

        Args:
            provider: Name of the provider, as in ``openai``.

            model: Name of the model, or a pattern as in ``claude-*``.

            contains: Text in any message, or in the system prompt.

            tool_result: Text in a result that a tool has just returned; True matches any result.

            match: A function of the `FakeCall` that returns whether the call matches.

        Raises:
            FakeScriptError: There is no such provider.
        """
        if provider is not None:
            check_provider(provider, "on(provider=...)")
        return self._add_script(Condition(provider, model, contains, tool_result, match))

    def _add_script(self, condition: Condition) -> Script:
        script = Script(condition)
        self._scripts.append(script)
        return script

    def set_response(self, response_model: type[M], instance: M) -> Self:
        """Answer every call that requests an object of *response_model* with *instance*, any number of times."""
        self._add_script(Condition(match=requests_object_of(response_model))).reply(instance, times=None)
        return self

    def from_cassette(self, path: str | Path) -> Conversation:
        """
        Answer with the recorded replies of a cassette, in recorded order, whatever the request.

        Returns:
            The turns, each of which can be edited: ``conversation[1].reply("something else")``. A turn that is not
            edited is sent byte for byte.

        Raises:
            CassetteReadError: The file is missing or unreadable.
            FakeScriptError: The cassette contains an exchange that is no chat over HTTP.
        """
        conversation = Conversation(path)
        self._scripts.extend(conversation)
        return conversation

    def generate(self) -> Self:
        """Answer calls without a scripted answer with an example of the requested schema, or with a text."""
        self._generates = True
        return self

    def only(self, *providers: str) -> Self:
        """Answer only calls of *providers*, leave others to the cassette; raise FakeScriptError for unknown names."""
        self._providers = frozenset(check_provider(name, "only(...)") for name in providers)
        return self

    @property
    def last(self) -> FakeCall:
        """Return the last call."""
        return self.calls.last

    def assert_called_once(self) -> FakeCall:
        """Return the only call; raise AssertionError, with all calls shown, when there were more or none."""
        __tracebackhide__ = True
        return self.calls.assert_called_once()

    def wants(self, request: WireRequest) -> bool:
        """Return whether this fake answers *request*, of which it reads method and URL."""
        found = identify(request.method, request.url) or identify_auxiliary(request)
        return found is not None and (self._providers is None or found.provider in self._providers)

    def answer(self, request: WireRequest) -> HttpExchange:
        """
        Return the exchange that answers *request*.

        Raises:
            FakeMissError: No answer is scripted for it.
            FakeScriptError: The API has no format for the scripted answer, or a function of the script failed.
        """
        if (other := identify_auxiliary(request)) is not None:
            return self._answer_auxiliary(other, request)
        depth = getattr(self._nested, "depth", 0)
        if depth == _MAX_NESTED:
            raise FakeScriptError(
                f"{depth} answers of fake_llm wait for each other",
                cause="a function that answers, or that is a condition, calls the model itself, again and again",
                fix='script the inner call first: fake_llm.on(contains="...").reply("...")',
            )
        self._nested.depth = depth + 1
        try:
            return self._answer_chat(request)
        finally:
            self._nested.depth = depth

    def _answer_chat(self, request: WireRequest) -> HttpExchange:
        call, scripted = self._register(lambda number: decode_request(number, request))
        try:
            exchange = build_exchange(scripted, call, request)
        except FakeScriptError as error:
            raise with_callsite(error, scripted.where) from error.__cause__
        exchange.record = unbilled_record(exchange, call.provider, call.api, call.model)
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
        """Return whether this fake answers runs of ``claude``."""
        return self._providers is None or PROVIDER in self._providers

    def start_process(self, request: ProcessRequest, observer: SessionObserver) -> ProcessSession:
        """Start the session that answers a run of ``claude``."""
        from llm_gateway.fakes.claude.session import ClaudeSession

        with self._lock:
            self._runs += 1
        return ClaudeSession(request, self._runs, self._register, observer)

    def _register(self, make: Callable[[int], FakeCall]) -> tuple[FakeCall, ScriptEntry]:
        """Append the call that *make* builds from its number, and return it with the entry that answers it."""
        with self._lock:
            call = make(len(self.calls) + 1)
            self.calls.add(call)
            return call, self._find_entry(call)

    def _find_entry(self, call: FakeCall) -> ScriptEntry:
        for script in [*self._scripts, self]:
            entry = script.next_entry()
            if entry is not None and _matches(script, entry, call):
                entry.used += 1
                return entry
        if self._generates:
            return ScriptEntry(Answer(_generate(call)), "fake_llm.generate()")
        raise self._miss_error(call)

    def _miss_error(self, call: FakeCall) -> FakeMissError:
        scripts = [*self._scripts, self]
        waiting = [f"{entry.where} waits for {_describe(script)}" for script, entry in pending(scripts)]
        used = sum(entry.used for script in scripts for entry in script.entries)
        empty = [
            f"{script.where} scripts no answer for {_describe(script)}" for script in self._scripts if script.is_empty
        ]
        given = "the one scripted answer was" if used == 1 else f"all {used} scripted answers were"
        cause = "\n".join((empty + waiting)[:_MAX_SHOWN]) or (
            f"{given} given before" if used else "nothing is scripted"
        )
        return FakeMissError(
            f"fake_llm has no answer for call {call}",
            cause=cause,
            fix='to script it: fake_llm.reply("...") before the call',
        )

    def unused(self) -> FakeError | None:
        """Return the error for scripted answers that no call used; None when all were used."""
        left = pending([*self._scripts, self])
        if not left:
            return None
        lines = [f"{entry.where}{_condition_hint(script, self.calls)}" for script, entry in left[:_MAX_SHOWN]]
        more = [f"and {len(left) - _MAX_SHOWN} more"] if len(left) > _MAX_SHOWN else []
        return FakeUnusedError(
            f"{len(left)} scripted answer{'s were' if len(left) > 1 else ' was'} never used",
            cause="\n".join(lines + more),
            fix="take them out of the script, or let the test make the calls",
        )


def _matches(script: Script, entry: ScriptEntry, call: FakeCall) -> bool:
    try:
        return script.condition.matches(call)
    except FakeScriptError as error:
        raise with_callsite(error, entry.where) from error.__cause__


def _describe(script: Script) -> str:
    return f"on({script.condition})" if str(script.condition) else "any call"


def _condition_hint(script: Script, calls: Calls) -> str:
    """Return the condition of *script*, with the nearest model among *calls*; nothing where it has no condition."""
    if not str(script.condition):
        return ""
    near = difflib.get_close_matches(script.condition.model or "", [call.model for call in calls], n=1, cutoff=0.5)
    return f" {_describe(script)}" + (f"; did you mean {near[0]!r}?" if near else "")


def _generate(call: FakeCall) -> Any:
    chat = call.chat
    if chat.response_schema is not None:
        return example(chat.response_schema)
    wanted = [tool for tool in chat.tools if chat.tool_choice in ("required", tool.name)]
    if wanted:
        return ToolCall(f"call_fake_{call.number}", wanted[0].name, example(wanted[0].parameters))
    return "generated"
