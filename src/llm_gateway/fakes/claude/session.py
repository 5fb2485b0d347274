"""A scripted run of ``claude``, without a process or a thread: input lines in, output out."""

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
from llm_gateway.interception.claude.shim.stdio import EXIT_MISS
from llm_gateway.interception.script import Output, SessionObserver
from llm_gateway.types import JsonObject, LLMMessage, ProcessRequest, TextPart
from llm_gateway.wire.anthropic import decode_content
from llm_gateway.wire.claude import control
from llm_gateway.wire.claude.arguments import VERSION, resolve_model

__all__ = ["ClaudeSession"]

_NO_PROMPT = "Error: Input must be provided either through stdin or as a prompt argument when using --print"


class ClaudeSession:
    """
    One scripted run; see `llm_gateway.interception.script.ProcessSession`.

    Args:
        request: Arguments, environment and working directory.

        number: Position among the runs of the test.

        find: Returns the entry that answers a call.

        observer: Notified of each answer and each failure.
    """

    def __init__(self, request: ProcessRequest, number: int, find: FindEntry, observer: SessionObserver) -> None:
        self.exit_code: int | None = None
        self._options = Options(request)
        self._printer = Printer(self._options)
        self._state = RunState(self._options, number, find, observer)
        self._observer = observer
        self._flow: Flow | None = None
        self._queue: deque[Callable[[], Flow]] = deque()
        self._awaited_id: str | None = None
        self._input = b""
        self._is_input_complete = False
        self._code = 0
        if {"-v", "--version"} & set(request.argv):
            self._printer.print(f"{VERSION} (Claude Code)")
            self.exit_code = 0
        elif self._options.usage_error is not None:
            self._exit_with_error(self._options.usage_error)

    def output(self) -> list[Output]:
        """Return the output written since the last call."""
        return self._printer.take_output()

    def feed(self, data: bytes) -> None:
        """Take input; empty bytes are its end."""
        if self.exit_code is not None:
            return
        try:
            self._take(data)
        except FakeScriptError as error:
            self._fail(with_callsite(error, self._state.where))
        except GatewayError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001  it fails the test, not the code under test
            self._fail(with_callsite(user_function_error(error), self._state.where))

    def _fail(self, error: GatewayError) -> None:
        self._printer.error(self._observer.note_failure(error))
        self.exit_code = EXIT_MISS

    def _exit_with_error(self, text: str) -> None:
        self._printer.error(text)
        self.exit_code = 1

    def _take(self, data: bytes) -> None:
        self._input += data
        self._is_input_complete = not data
        if self._options.is_conversation:
            rest = [b""] if self._is_input_complete else []
            *lines, self._input = [*self._input.split(b"\n"), *rest]
            for line in lines:
                self._take_line(line)
        elif self._is_input_complete:
            self._begin(self._options.prompt_text(self._input))
        self._advance(None)

    def _begin(self, prompt: str) -> None:
        if not prompt:
            self._exit_with_error(_NO_PROMPT)
        self._queue.append(lambda: turn(self._state, LLMMessage("user", (TextPart(prompt),))))

    def _take_line(self, line: bytes) -> None:
        """Take one JSON line of the input."""
        if not line.strip() or self.exit_code is not None:
            return
        try:
            message = json.loads(line)
            kind = message["type"]
        except (ValueError, LookupError, TypeError):
            self._exit_with_error(f"Error parsing streaming input line (type=unknown, {len(line)} chars): SyntaxError")
            return
        match kind:
            case "user":
                prompt = LLMMessage("user", decode_content(message["message"]["content"]))
                self._queue.append(lambda: turn(self._state, prompt))
            case "control_request":
                self._handle_request(message["request_id"], message["request"])
            case "control_response":
                self._handle_response(message["response"])

    def _handle_request(self, request_id: object, request: JsonObject) -> None:
        """Answer a control request of the host."""
        answer: JsonObject = {}
        match request.get("subtype"):
            case "initialize":
                self._state.hooks = request.get("hooks") or {}
                self._queue.append(lambda: self._handshake(request_id))
                return
            case "interrupt":
                self._interrupt()
            case "set_model":
                self._state.model = request.get("model") or "default"
                answer = {"model": resolve_model(self._state.model)}
        self._printer.event(control.answered(request_id, answer))

    def _handshake(self, request_id: object) -> Flow:
        """Answer the handshake of the host, and begin one with each of its MCP servers."""
        for server in self._options.host_servers:
            yield HostRequest({"subtype": "mcp_message", "server_name": server, "message": control.HANDSHAKE})
        pending: JsonObject = {"pending_permission_requests": [], "pending_user_dialog_requests": []}
        yield Print(control.answered(request_id, control.initialized(os.getpid()), **pending))
        yield from list_host_tools(self._state)

    def _interrupt(self) -> None:
        if self._flow is None:
            return
        self._flow.close()
        self._awaited_id = None
        self._flow = end_interrupted_turn(self._state)

    def _handle_response(self, response: JsonObject) -> None:
        if response.get("request_id") == self._awaited_id:
            self._awaited_id = None
            self._advance(response.get("response") or {"error": response.get("error")})

    def _advance(self, answer: Any) -> None:
        """Perform steps until a step awaits a response of the host, or until no turn is left."""
        while self.exit_code is None and self._awaited_id is None:
            if self._flow is None:
                if not self._queue:
                    break
                self._flow = self._queue.popleft()()
            try:
                step = self._flow.send(answer)
            except StopIteration as end:
                self._end_flow(end.value)
            else:
                self._perform(step)
            answer = None
        if self._is_input_complete and self.exit_code is None:
            self.exit_code = self._code if self._awaited_id is None else 1  # the host can no longer respond

    def _perform(self, step: Print | HostRequest | Disrupt) -> None:
        match step:
            case Print(event, wait_s):
                self._printer.event(event, wait_s)
            case HostRequest(request):
                self._awaited_id = next(self._state.events.uuids)
                event = {"type": "control_request", "request_id": self._awaited_id, "request": request}
                self._printer.event(event)
            case Disrupt("disconnect", after_chunks):
                self._printer.stop_after(after_chunks)
            case Disrupt():
                self._printer.malform_next()

    def _end_flow(self, code: int | None) -> None:
        self._flow = None
        self._code = self._code if code is None else code
        if self._code < 0:
            self._printer.check_stopped()
            self.exit_code = self._code
        elif not self._options.is_conversation:
            self.exit_code = self._code
