"""The state of one scripted run of ``claude``, and the steps that its turns yield. See `llm_gateway.flow`."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from llm_gateway.exchange import ProcessExchange
from llm_gateway.fakes.claude import API, PROVIDER
from llm_gateway.fakes.claude.options import Options
from llm_gateway.fakes.outcome import ScriptEntry
from llm_gateway.fakes.request import FakeCall
from llm_gateway.interception.script import SessionObserver
from llm_gateway.record import CallRecord
from llm_gateway.types import JsonObject, LLMMessage, TokenUsage, Tool
from llm_gateway.wire.claude.arguments import resolve_model
from llm_gateway.wire.claude.events import Events
from llm_gateway.wire.claude.result import NOTHING, Spent

__all__ = ["Disrupt", "FindEntry", "Flow", "HostRequest", "Print", "RunState", "Step"]


@dataclass(frozen=True, slots=True)
class Print:
    """A step that prints *event*, *wait_s* seconds after the previous one."""

    event: JsonObject
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HostRequest:
    """A step that sends the control request *request* to the host; its result is the response."""

    request: JsonObject


@dataclass(frozen=True, slots=True)
class Disrupt:
    """A step after which the output is ``malformed``, or ends after *after_chunks* chunks."""

    kind: Literal["malformed", "disconnect"]
    after_chunks: int = 0


Step = Print | HostRequest | Disrupt
Flow: TypeAlias = Generator[Step, Any, Any]


FindEntry = Callable[[Callable[[int], FakeCall]], tuple[FakeCall, ScriptEntry]]
"""Appends the call that its argument builds from a number; returns it with the entry that answers it."""


@dataclass
class RunState:
    """
    The state of one run, from turn to turn.

    Attributes:
        options: The options of the command line.

        number: Position among the runs of the test.

        find: See `FindEntry`.

        observer: Notified of each answer.

        model: The requested model; the host may change it.

        history: The conversation, without the system prompt.

        hooks: Hooks of the host, by the name of their event.

        tools: Tools of the host.

        denials: Tools that the host did not permit in this turn.

        where: The line of the test that scripted the last answer.

        rounds: Number of calls of the model in this turn.

        results: Number of turns that have ended.

        used: Usage of this turn.

        used_by_model: Usage of the run, by model.
    """

    options: Options
    number: int
    find: FindEntry
    observer: SessionObserver
    model: str = ""
    history: list[LLMMessage] = field(default_factory=list)
    hooks: dict[str, list[JsonObject]] = field(default_factory=dict)
    tools: list[Tool] = field(default_factory=list)
    denials: list[JsonObject] = field(default_factory=list)
    where: str = ""
    rounds: int = 0
    results: int = 0
    used: TokenUsage = NOTHING
    used_by_model: dict[str, TokenUsage] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.model = self.options.model
        uuids = (str(uuid.UUID(int=self.number << 64 | count, version=4)) for count in itertools.count())
        first = next(uuids)
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.id = self.options.session_id or first
        self.events = Events(self.id, uuids, now)

    def begin_turn(self, message: LLMMessage) -> None:
        """Append *message* and reset what is counted by turn."""
        self.history.append(message)
        self.rounds, self.used = 0, NOTHING
        self.denials.clear()

    def call_model(self) -> tuple[FakeCall, ScriptEntry]:
        """Append a call of the model with the whole history, and return it with the entry that answers it."""
        base = self.options.chat
        chat = replace(
            base, model=self.model, messages=(*base.messages, *self.history), tools=(*base.tools, *self.tools)
        )
        call, scripted = self.find(lambda number: FakeCall(number, PROVIDER, API, chat))
        self.rounds, self.where = self.rounds + 1, scripted.where
        return call, scripted

    def record(self, call: FakeCall, usage: TokenUsage, exit_code: int) -> None:
        """Count the usage of the answer to *call*, and notify the observer; a scripted answer has no cost."""
        model = resolve_model(call.model)
        record = CallRecord(
            provider=API,
            api=API,
            model_requested=call.model,
            model_served=model,
            usage=usage,
            cost_usd=Decimal(0),
            price={"source": "fake"},
        )
        self.used += usage
        if usage != NOTHING:
            self.used_by_model[model] = self.used_by_model.get(model, NOTHING) + usage
        run = ProcessExchange(self.options.request.argv, exit_code=exit_code, record=record)
        self.observer.note_answer(run)

    def result_event(self, fields: JsonObject) -> JsonObject:
        """Return the event that ends the turn, with *fields* added; see `llm_gateway.wire.claude.result`."""
        counts: JsonObject = {"num_turns": self.rounds, "permission_denials": list(self.denials)}
        event = self.events.result({**counts, **fields}, Spent(self.used, self.used_by_model), self.results)
        if self.options.output == "stream-json":
            event["model_usage_since_last_result"] = event["modelUsage"]
        self.results += 1
        return event

    def init_event(self) -> JsonObject:
        """Return the event that begins a turn."""
        names: list[Any] = [tool.name for tool in self.tools]
        if self.options.chat.response_schema is not None:
            names.append("StructuredOutput")
        return self.events.init(resolve_model(self.model), self.options.cwd, names, self.options.host_servers)
