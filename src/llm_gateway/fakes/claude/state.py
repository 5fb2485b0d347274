"""The state of one scripted run of ``claude``, and the steps of its turns."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from llm_gateway.exchange import Metering, ProcessExchange
from llm_gateway.fakes.claude import API, PROVIDER
from llm_gateway.fakes.claude.options import Options
from llm_gateway.fakes.outcome import ScriptEntry
from llm_gateway.fakes.request import FakeCall
from llm_gateway.interception.script import SessionObserver
from llm_gateway.types import JsonObject, LLMMessage, TokenUsage, Tool
from llm_gateway.wire.claude_events import Events
from llm_gateway.wire.claude_models import resolved
from llm_gateway.wire.claude_result import NOTHING, Spent

__all__ = ["Disrupt", "FindEntry", "Flow", "HostRequest", "Print", "RunState", "Step"]


@dataclass(frozen=True, slots=True)
class Print:
    """Print *event*, *wait_s* seconds after the one before."""

    event: JsonObject
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HostRequest:
    """Send *request* to the host and wait for its response, which the step comes to."""

    request: JsonObject


@dataclass(frozen=True, slots=True)
class Disrupt:
    """What is printed from here on is ``malformed``, or ends after so many chunks."""

    how: Literal["malformed", "disconnect"]
    after_chunks: int = 0


Step = Print | HostRequest | Disrupt
Flow: TypeAlias = Generator[Step, Any, Any]


FindEntry = Callable[[Callable[[int], FakeCall]], tuple[FakeCall, ScriptEntry]]
"""Notes a call, made of its number, and finds what is scripted for it."""


@dataclass
class RunState:
    """
    The state of one process.

    Attributes:
        number: Its place among the runs of the test.

        find: See `FindEntry`.

        model: As it was asked for; the host may change it.

        history: The conversation, without the system prompt.

        hooks: Of the host, by what they wait for.

        tools: Of the host.

        denials: Tools that the host refused in this turn.

        where: The line that scripted what was answered last.
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
        """A turn begins."""
        self.history.append(message)
        self.rounds, self.used = 0, NOTHING
        self.denials.clear()

    def call_model(self) -> tuple[FakeCall, ScriptEntry]:
        """Ask the script as the command line would ask the model."""
        asked = self.options.chat
        chat = replace(
            asked, model=self.model, messages=(*asked.messages, *self.history), tools=(*asked.tools, *self.tools)
        )
        call, scripted = self.find(lambda number: FakeCall(number, PROVIDER, API, chat))
        self.rounds, self.where = self.rounds + 1, scripted.where
        return call, scripted

    def record(self, call: FakeCall, usage: TokenUsage, exit_code: int) -> None:
        """Count an answer, or an error in its place; it cost nothing."""
        model = resolved(call.model)
        metering = Metering(API, API, call.model, model, usage, Decimal(0), {"source": "fake"})
        self.used += usage
        if usage != NOTHING:
            self.used_by_model[model] = self.used_by_model.get(model, NOTHING) + usage
        run = ProcessExchange(self.options.request.argv, exit_code=exit_code, metering=metering)
        self.observer.note_answer(run)

    def result_event(self, said: JsonObject) -> JsonObject:
        """The event that ends the turn; see `llm_gateway.wire.claude_result`."""
        more: JsonObject = {"num_turns": self.rounds, "permission_denials": list(self.denials), **said}
        event = self.events.result(more, Spent(self.used, self.used_by_model), self.results)
        if self.options.output == "stream-json":
            event["model_usage_since_last_result"] = event["modelUsage"]
        self.results += 1
        return event

    def init_event(self) -> JsonObject:
        """The event that begins a turn."""
        named: list[Any] = [tool.name for tool in self.tools]
        if self.options.chat.response_schema is not None:
            named.append("StructuredOutput")
        return self.events.init(resolved(self.model), self.options.cwd, named, self.options.host_servers)
