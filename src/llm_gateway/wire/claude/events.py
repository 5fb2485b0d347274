"""Events that ``claude`` prints in a turn, one JSON object a line, with all fields of version 2.1.329."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from llm_gateway.types import ChatReply, JsonObject, Part, TextPart, ThinkingPart, TokenUsage
from llm_gateway.wire import anthropic
from llm_gateway.wire.anthropic import encode_content
from llm_gateway.wire.claude.arguments import VERSION
from llm_gateway.wire.claude.result import NOTHING, Spent, encode_usage, result_event
from llm_gateway.wire.framing.reply import objects

__all__ = ["Events", "blocks", "line"]

_CHARACTERS = 4
_STREAM = (("content-type", "text/event-stream"),)
_UNKNOWN = ("output_tokens_details", "service_tier", "inference_geo", "iterations", "speed")
"""Fields of usage that are unknown for a request without an answer."""
_NO_AUTOMATIC = {"fast_mode_state": "off", "fast_mode_disabled_reason": "sdk_opt_in_required"}


def line(event: JsonObject) -> bytes:
    """Return *event* as it is printed: one line of JSON."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def blocks(parts: Iterable[Part]) -> list[JsonObject]:
    """Return the content of a message, always as a list."""
    content = encode_content(tuple(parts))
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@dataclass(slots=True)
class Events:
    """
    Writer of the events of one process.

    Attributes:
        session_id: In each event.

        uuids: One for each event, in order.

        at: The time in each event, as in ``2026-11-20T23:52:16.736Z``.
    """

    session_id: str | None
    uuids: Iterator[str]
    at: str

    def init(self, model: str, cwd: str, tools: Sequence[str], servers: Sequence[str]) -> JsonObject:
        """Return the event that begins a turn."""
        return self._system(
            "init",
            cwd=cwd,
            tools=list(tools),
            mcp_servers=[{"name": name, "status": "connected", "source": "sdk"} for name in servers],
            model=model,
            permissionMode="default",
            slash_commands=[],
            apiKeySource="ANTHROPIC_API_KEY",
            claude_code_version=VERSION,
            output_style="default",
            agents=[],
            skills=[],
            plugins=[],
            capabilities=[],
            analytics_disabled=True,
            product_feedback_disabled=True,
            served_by_anthropic=False,
            original_cwd=cwd,
            additional_directories=[],
            **_NO_AUTOMATIC,
            per_turn_effort_active=True,
            ultrathink_available=False,
            ultrathink_typed_raises=False,
            view_mode="default",
        )

    def state(self, state: str) -> JsonObject:
        """Return the event for a change of *state*: ``running``, ``requires_action`` or ``idle``."""
        return self._system("session_state_changed", state=state, sdk_host_only=True)

    def _system(self, subtype: str, **fields: object) -> JsonObject:
        return {"type": "system", "subtype": subtype, **fields, "session_id": self.session_id, "uuid": self._uuid()}

    def assistant(self, reply: ChatReply, block: JsonObject, request_id: str | None) -> JsonObject:
        """Return one block of an answer; its usage is that of the answer's beginning, as the command prints it."""
        kind = block["type"]
        more = {"thinking_duration_ms": 0, "thinking_display": "updates"} if kind == "thinking" else {}
        return {
            "type": "assistant",
            "message": {**_begun(reply), "content": [block], "context_management": None},
            **self._origin(),
            "request_id": request_id,
            **more,
        }

    def failure(self, error: str, fields: JsonObject, request_id: str) -> JsonObject:
        """Return the event that replaces an answer after an API error; *fields* are those of the result."""
        message = {
            "diagnostics": None,
            "id": self._uuid(),
            "container": None,
            "model": "<synthetic>",
            "role": "assistant",
            "stop_details": None,
            "stop_reason": "stop_sequence",
            "stop_sequence": "",
            "type": "message",
            "usage": {**encode_usage(NOTHING), **dict.fromkeys(_UNKNOWN)},
            "content": [{"type": "text", "text": fields["result"]}],
            "context_management": None,
        }
        shared = {name: fields[name] for name in ("api_error_status", "api_error_type") if fields.get(name) is not None}
        details = {"error": error, "request_id": request_id, "is_api_error_message": True, **shared}
        return {"type": "assistant", "message": message, **self._origin(), **details}

    def user(self, content: object, **more: object) -> JsonObject:
        """Return the event for input of the model: tool results, or a repeated prompt."""
        return {"type": "user", "message": {"role": "user", "content": content}, **self._origin(), **more}

    def _origin(self) -> JsonObject:
        return {
            "parent_tool_use_id": None,
            "session_id": self.session_id,
            "uuid": self._uuid(),
            "timestamp": self.at,
        }

    def partial(self, reply: ChatReply, chunks: Iterable[str] | None, request_id: str | None) -> Iterator[JsonObject]:
        """Yield the events of a streamed answer; each block is repeated as a whole before its stop event."""
        yield self._system("status", status="requesting")
        for event in objects(_STREAM, b"".join(anthropic.DIALECT.encode_stream(reply, chunks=chunks))):
            if event["type"] == "content_block_stop":
                yield self.assistant(reply, blocks(reply.parts[event["index"] : event["index"] + 1])[0], request_id)
            if event["type"] != "ping":
                yield from self._streamed(event, reply)

    def _streamed(self, event: JsonObject, reply: ChatReply) -> Iterator[JsonObject]:
        kind, part = event["type"], _part(event, reply)
        if kind == "content_block_delta" and "thinking" in event["delta"]:
            tokens = -(-len(event["delta"]["thinking"]) // _CHARACTERS)
            yield self._system("thinking_tokens", estimated_tokens=tokens, estimated_tokens_delta=tokens)
        event = {**event, "message": {**_begun(reply), "content": []}} if kind == "message_start" else event
        shown = {"thinking_display": "updates"} if kind == "message_start" or isinstance(part, ThinkingPart) else {}
        yield {
            "type": "stream_event",
            "event": event,
            "session_id": self.session_id,
            "parent_tool_use_id": None,
            "uuid": self._uuid(),
            **({"ttft_ms": 0} if kind == "message_start" else {}),
            **shown,
            "api_message_id": reply.id,
        }

    def result(self, fields: JsonObject, spent: Spent, index: int = 0) -> JsonObject:
        """Return the event that ends a turn; see `result_event`."""
        return result_event(fields, spent, session_id=self.session_id, uuid=self._uuid(), index=index)

    def _uuid(self) -> str:
        return next(self.uuids)


def _part(event: JsonObject, reply: ChatReply) -> Part:
    return reply.parts[event["index"]] if "index" in event else TextPart("")


def _begun(reply: ChatReply) -> JsonObject:
    """Return the message of an answer as it was when the answer began."""
    usage = encode_usage(reply.usage or TokenUsage())
    names = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "cache_creation",
        "service_tier",
        "inference_geo",
    )
    return {
        "id": reply.id,
        "type": "message",
        "role": "assistant",
        "model": reply.model,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**{name: usage[name] for name in names}, "output_tokens": 1},
    }
