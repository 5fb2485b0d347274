"""The command-line options of a run of ``claude``, and the errors in them."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from llm_gateway.types import ChatRequest, JsonObject, ProcessRequest
from llm_gateway.wire.claude.arguments import flag, prompt
from llm_gateway.wire.claude_cli import DIALECT

__all__ = ["Options"]

_ALLOWED = ("--allowedTools", "--allowed-tools")


@dataclass(frozen=True)
class Options:
    """The options in the arguments and the environment of *request*."""

    request: ProcessRequest

    def _has(self, name: str) -> bool:
        return name in self.request.argv

    def _value(self, name: str) -> str | None:
        return flag(self.request.argv, name)

    @cached_property
    def output(self) -> str:
        """Return the output format: ``text``, ``json`` or ``stream-json``."""
        return self._value("--output-format") or "text"

    @cached_property
    def is_conversation(self) -> bool:
        """Return whether the run reads messages as JSON lines from its input."""
        return self._value("--input-format") == "stream-json"

    @property
    def is_verbose(self) -> bool:
        """Return whether the output format ``json`` prints an array of all events."""
        return self._has("--verbose")

    @property
    def has_partial_messages(self) -> bool:
        """Return whether answers are printed in chunks, as they arrive."""
        return self._has("--include-partial-messages")

    @property
    def replays_user_messages(self) -> bool:
        """Return whether the messages of the user are printed as well."""
        return self._has("--replay-user-messages")

    @property
    def has_permission_prompts(self) -> bool:
        """Return whether the host decides on the use of each tool."""
        return self._value("--permission-prompt-tool") == "stdio"

    @property
    def reports_state(self) -> bool:
        """Return whether the run reports to the host whether it is running or idle."""
        return self.request.env.get("CLAUDE_CODE_SDK_READS_SESSION_STATE") == "1"

    @property
    def session_id(self) -> str | None:
        """Return the requested session; None where a new one begins."""
        return self._value("--session-id") or self._value("--resume") or self._value("-r")

    @property
    def model(self) -> str:
        """Return the requested model; ``default`` where none is requested."""
        return self._value("--model") or "default"

    @property
    def max_turns(self) -> int | None:
        """Return how many calls of the model one input may cause; None is no limit."""
        most = self._value("--max-turns")
        return int(most) if most is not None else None

    @property
    def max_tokens(self) -> int | None:
        """Return the limit of output tokens of an answer; None where none is set."""
        most = self.request.env.get("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "")
        return int(most) if most.isdigit() else None

    @cached_property
    def cwd(self) -> str:
        """Return the working directory of the run."""
        return self.request.cwd or str(Path.cwd())

    @property
    def host_servers(self) -> tuple[str, ...]:
        """Return the names of the MCP servers that run inside the host."""
        try:
            servers: JsonObject = json.loads(self._value("--mcp-config") or "{}").get("mcpServers", {})
        except (ValueError, AttributeError):
            return ()  # the option names a file, whose servers only the real command starts
        return tuple(name for name, server in servers.items() if server.get("type") == "sdk")

    def allows(self, tool: str) -> bool:
        """Return whether *tool* may be used without a decision of the host."""
        if self._has("--dangerously-skip-permissions") or self._value("--permission-mode") == "bypassPermissions":
            return True
        named = " ".join(filter(None, map(self._value, _ALLOWED))).replace(",", " ").split()
        return any(tool == name.partition("(")[0] or tool.startswith(f"{name}__") for name in named)

    @cached_property
    def chat(self) -> ChatRequest:
        """Return the request in the arguments, with the system prompt as its only message."""
        chat = DIALECT.decode_request(self.request.argv, b"")
        system = tuple(message for message in chat.messages if message.role == "system")
        return replace(chat, messages=system, max_tokens=self.max_tokens)

    def prompt_text(self, stdin: bytes) -> str:
        """Return the prompt of a run that reads no JSON lines: the argument, then the text on *stdin*."""
        texts = [prompt(self.request.argv), stdin.decode("utf-8", "replace").rstrip("\n")]
        return "\n".join(text for text in texts if text)

    @cached_property
    def usage_error(self) -> str | None:
        """Return the message with which ``claude`` rejects its arguments; None where they are valid."""
        turns, schema = self._value("--max-turns"), self._value("--json-schema")
        if turns is not None and not turns.isdigit():
            return f"error: option '--max-turns <turns>' argument {turns!r} is invalid. must be a number"
        if schema is not None and not _is_json(schema):
            return "Error: --json-schema is not valid JSON"
        if self.is_conversation and self.output != "stream-json":
            return "Error: --input-format=stream-json requires output-format=stream-json."
        if self.output == "stream-json" and not self.is_verbose:
            return "Error: When using --print, --output-format=stream-json requires --verbose"
        return None


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
