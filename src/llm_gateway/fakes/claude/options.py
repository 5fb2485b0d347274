"""How a run of ``claude`` was started: what it reads and prints, and what is wrong with that."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from llm_gateway.types import ChatRequest, JsonObject, ProcessRequest
from llm_gateway.wire.claude_arguments import flag, prompt
from llm_gateway.wire.claude_cli import DIALECT

__all__ = ["Options"]

_ALLOWED = ("--allowedTools", "--allowed-tools")


@dataclass(frozen=True)
class Options:
    """The arguments and the environment of *request*, as the command line understands them."""

    request: ProcessRequest

    def _has(self, name: str) -> bool:
        return name in self.request.argv

    def _value(self, name: str) -> str | None:
        return flag(self.request.argv, name)

    @cached_property
    def output(self) -> str:
        """``text``, ``json`` or ``stream-json``."""
        return self._value("--output-format") or "text"

    @cached_property
    def is_conversation(self) -> bool:
        """Whether it reads JSON lines, each as it comes."""
        return self._value("--input-format") == "stream-json"

    @property
    def is_verbose(self) -> bool:
        """Whether ``json`` is an array of all events."""
        return self._has("--verbose")

    @property
    def has_partial_messages(self) -> bool:
        """Whether answers are printed bit by bit."""
        return self._has("--include-partial-messages")

    @property
    def replays_user_messages(self) -> bool:
        """Whether what is asked is printed as well."""
        return self._has("--replay-user-messages")

    @property
    def asks_for_permission(self) -> bool:
        """Whether the host is asked before a tool is used."""
        return self._value("--permission-prompt-tool") == "stdio"

    @property
    def reports_state(self) -> bool:
        """Whether the host wants to know what the process is doing."""
        return self.request.env.get("CLAUDE_CODE_SDK_READS_SESSION_STATE") == "1"

    @property
    def session_id(self) -> str | None:
        """The session that was asked for."""
        return self._value("--session-id") or self._value("--resume") or self._value("-r")

    @property
    def model(self) -> str:
        """As it was asked for; ``default`` where it was not."""
        return self._value("--model") or "default"

    @property
    def max_turns(self) -> int | None:
        """How often the model may be asked for one input."""
        most = self._value("--max-turns")
        return int(most) if most is not None else None

    @property
    def max_tokens(self) -> int | None:
        """The limit of tokens of an answer."""
        most = self.request.env.get("CLAUDE_CODE_MAX_OUTPUT_TOKENS", "")
        return int(most) if most.isdigit() else None

    @cached_property
    def cwd(self) -> str:
        """Where it runs."""
        return self.request.cwd or str(Path.cwd())

    @property
    def host_servers(self) -> tuple[str, ...]:
        """The servers of tools that the host itself is."""
        try:
            known: JsonObject = json.loads(self._value("--mcp-config") or "{}").get("mcpServers", {})
        except (ValueError, AttributeError):
            return ()  # a file, whose servers are started by the real one only
        return tuple(name for name, server in known.items() if server.get("type") == "sdk")

    def allows(self, tool: str) -> bool:
        """Whether nobody has to be asked about *tool*."""
        if self._has("--dangerously-skip-permissions") or self._value("--permission-mode") == "bypassPermissions":
            return True
        named = " ".join(filter(None, map(self._value, _ALLOWED))).replace(",", " ").split()
        return any(tool == name.partition("(")[0] or tool.startswith(f"{name}__") for name in named)

    @cached_property
    def chat(self) -> ChatRequest:
        """What the arguments ask for, without any message but the system prompt."""
        chat = DIALECT.decode_request(self.request.argv, b"")
        system = tuple(message for message in chat.messages if message.role == "system")
        return replace(chat, messages=system, max_tokens=self.max_tokens)

    def prompt_text(self, stdin: bytes) -> str:
        """The prompt of a run that is no conversation."""
        said = [prompt(self.request.argv), stdin.decode("utf-8", "replace").rstrip("\n")]
        return "\n".join(word for word in said if word)

    @cached_property
    def usage_error(self) -> str | None:
        """What the command line says to arguments that it does not take; None where they are fine."""
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
