"""One run of ``claude``, answered from a script: input lines in, output out. No process, no thread."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable
from typing import Any

from llm_gateway.exceptions import FakeScriptError, GatewayError
from llm_gateway.fakes.callsite import user_function_error, with_callsite
from llm_gateway.fakes.claude.options import Options
from llm_gateway.fakes.claude.printer import Printer
from llm_gateway.fakes.claude.state import Disrupt, FindEntry, Flow, HostRequest, Print, RunState
from llm_gateway.fakes.claude.tools import list_host_tools
from llm_gateway.fakes.claude.turn import end_interrupted_turn, turn
from llm_gateway.interception.claude.shim.exits import MISS
from llm_gateway.interception.script import Output, SessionObserver
from llm_gateway.types import JsonObject, LLMMessage, ProcessRequest, TextPart
from llm_gateway.wire import claude_control as control
from llm_gateway.wire.anthropic import content_in
from llm_gateway.wire.claude_models import VERSION, resolved

__all__ = ["ClaudeSession"]

_NO_PROMPT = "Error: Input must be provided either through stdin or as a prompt argument when using --print"


class ClaudeSession:
    """
    A run; see `llm_gateway.interception.script.ProcessSession`.

    Args:
        request: How it was started.

        number: Its place among the runs of the test.

        find: Finds what is scripted for a call.

        observer: Notified of each answer and each failure.
    """

    def __init__(self, request: ProcessRequest, number: int, find: FindEntry, observer: SessionObserver) -> None:
        self.exit_code: int | None = None
        self._options = Options(request)
        self._printer = Printer(self._options)
        self._state = RunState(self._options, number, find, observer)
        self._observer = observer
        self._flow: Flow | None = None
        self._jobs: deque[Callable[[], Flow]] = deque()
        self._waits_for: str | None = None
        self._input = b""
        self._is_over = False
        self._code = 0
        if {"-v", "--version"} & set(request.argv):
            self._printer.print(f"{VERSION} (Claude Code)")
            self.exit_code = 0
        elif self._options.usage_error is not None:
            self._refuse(self._options.usage_error)

    def output(self) -> list[Output]:
        """What it has written since it was asked last."""
        return self._printer.take_output()

    def feed(self, data: bytes) -> None:
        """Take input; no bytes are its end."""
        if self.exit_code is not None:
            return
        try:
            self._take(data)
        except FakeScriptError as error:
            self._fail(with_callsite(error, self._state.where))
        except GatewayError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  nobody but the test should hear of it
            self._fail(with_callsite(user_function_error(error), self._state.where))

    def _fail(self, error: GatewayError) -> None:
        self._printer.error(self._observer.note_failure(error))
        self.exit_code = MISS

    def _refuse(self, text: str) -> None:
        self._printer.error(text)
        self.exit_code = 1

    def _take(self, data: bytes) -> None:
        self._input += data
        self._is_over = not data
        if self._options.is_conversation:
            *lines, self._input = [*self._input.split(b"\n"), b""] if self._is_over else self._input.split(b"\n")
            for line in lines:
                self._hear(line)
        elif self._is_over:
            self._begin(self._options.prompt_text(self._input))
        self._go_on(None)

    def _begin(self, prompt: str) -> None:
        if not prompt:
            self._refuse(_NO_PROMPT)
        self._jobs.append(lambda: turn(self._state, LLMMessage("user", (TextPart(prompt),))))

    def _hear(self, line: bytes) -> None:
        """Take one line of a conversation."""
        if not line.strip() or self.exit_code is not None:
            return
        try:
            said = json.loads(line)
            kind = said["type"]
        except (ValueError, LookupError, TypeError):
            self._refuse(f"Error parsing streaming input line (type=unknown, {len(line)} chars): SyntaxError")
            return
        match kind:
            case "user":
                message = LLMMessage("user", content_in(said["message"]["content"]))
                self._jobs.append(lambda: turn(self._state, message))
            case "control_request":
                self._control(said["request_id"], said["request"])
            case "control_response":
                self._answered(said["response"])

    def _control(self, request_id: object, request: JsonObject) -> None:
        """The host wants something else than an answer."""
        answer: JsonObject = {}
        match request.get("subtype"):
            case "initialize":
                self._state.hooks = request.get("hooks") or {}
                self._jobs.append(lambda: self._greeted(request_id))
                return
            case "interrupt":
                self._interrupt()
            case "set_model":
                self._state.model = request.get("model") or "default"
                answer = {"model": resolved(self._state.model)}
        self._printer.event(control.answered(request_id, answer))

    def _greeted(self, request_id: object) -> Flow:
        """Shake hands with the host, and with the servers of tools that it is."""
        for server in self._options.host_servers:
            yield HostRequest({"subtype": "mcp_message", "server_name": server, "message": control.HANDSHAKE})
        left: JsonObject = {"pending_permission_requests": [], "pending_user_dialog_requests": []}
        yield Print(control.answered(request_id, control.initialized(os.getpid()), **left))
        yield from list_host_tools(self._state)

    def _interrupt(self) -> None:
        if self._flow is None:
            return
        self._flow.close()
        self._waits_for = None
        self._flow = end_interrupted_turn(self._state)

    def _answered(self, response: JsonObject) -> None:
        if response.get("request_id") == self._waits_for:
            self._waits_for = None
            self._go_on(response.get("response") or {"error": response.get("error")})

    def _go_on(self, answer: Any) -> None:
        """Do what can be done before more is heard."""
        while self.exit_code is None and self._waits_for is None:
            if self._flow is None:
                if not self._jobs:
                    break
                self._flow = self._jobs.popleft()()
            try:
                step = self._flow.send(answer)
            except StopIteration as end:
                self._ended(end.value)
            else:
                self._do(step)
            answer = None
        if self._is_over and self.exit_code is None:
            self.exit_code = self._code if self._waits_for is None else 1  # nobody is left to answer

    def _do(self, step: Print | HostRequest | Disrupt) -> None:
        match step:
            case Print(event, wait_s):
                self._printer.event(event, wait_s)
            case HostRequest(request):
                self._waits_for = next(self._state.events.uuids)
                asked = {"type": "control_request", "request_id": self._waits_for, "request": request}
                self._printer.event(asked)
            case Disrupt("disconnect", after_chunks):
                self._printer.stop_after(after_chunks)
            case Disrupt():
                self._printer.malform_next()

    def _ended(self, code: int | None) -> None:
        self._flow = None
        self._code = self._code if code is None else code
        if self._code < 0:
            self._printer.check_stopped()
            self.exit_code = self._code
        elif not self._options.is_conversation:
            self.exit_code = self._code
