"""What ``claude`` prints in a turn, one event a line, with all fields that the real one (2.1.329) always has."""

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
_UNTOLD = ("output_tokens_details", "service_tier", "inference_geo", "iterations", "speed")
"""What nobody knows of a request that was not answered."""
_NO_AUTOMATIC = {"fast_mode_state": "off", "fast_mode_disabled_reason": "sdk_opt_in_required"}


def line(event: JsonObject) -> bytes:
    """One event as it is printed."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def blocks(parts: Iterable[Part]) -> list[JsonObject]:
    """The content of a message, always as a list."""
    content = encode_content(tuple(parts))
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


@dataclass(slots=True)
class Events:
    """
    Writes the events of one process.

    Attributes:
        session_id: Told by each of them.

        uuids: One for each event.

        at: The time that is told, as in ``2026-11-20T23:52:16.736Z``.
    """

    session_id: str | None
    uuids: Iterator[str]
    at: str

    def init(self, model: str, cwd: str, tools: Sequence[str], servers: Sequence[str]) -> JsonObject:
        """A turn begins."""
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
        """What the process is doing: ``running``, ``requires_action`` or ``idle``; told to a host that asks for it."""
        return self._system("session_state_changed", state=state, sdk_host_only=True)

    def _system(self, subtype: str, **fields: object) -> JsonObject:
        return {"type": "system", "subtype": subtype, **fields, "session_id": self.session_id, "uuid": self._uuid()}

    def assistant(self, reply: ChatReply, block: JsonObject, request_id: str | None) -> JsonObject:
        """One block of an answer. Its usage is that of the answer's beginning, as the real one tells it."""
        kind = block["type"]
        more = {"thinking_duration_ms": 0, "thinking_display": "updates"} if kind == "thinking" else {}
        return {
            "type": "assistant",
            "message": {**_begun(reply), "content": [block], "context_management": None},
            **self._said(),
            "request_id": request_id,
            **more,
        }

    def failure(self, error: str, said: JsonObject, request_id: str) -> JsonObject:
        """What stands in place of an answer that the API refused; *said* is what the result says of it too."""
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
            "usage": {**encode_usage(NOTHING), **dict.fromkeys(_UNTOLD)},
            "content": [{"type": "text", "text": said["result"]}],
            "context_management": None,
        }
        shared = {name: said[name] for name in ("api_error_status", "api_error_type") if said.get(name) is not None}
        told = {"error": error, "request_id": request_id, "is_api_error_message": True, **shared}
        return {"type": "assistant", "message": message, **self._said(), **told}

    def user(self, content: object, **more: object) -> JsonObject:
        """What the model is told: results of tools, or a replay of what was asked."""
        return {"type": "user", "message": {"role": "user", "content": content}, **self._said(), **more}

    def _said(self) -> JsonObject:
        return {
            "parent_tool_use_id": None,
            "session_id": self.session_id,
            "uuid": self._uuid(),
            "timestamp": self.at,
        }

    def partial(self, reply: ChatReply, chunks: Iterable[str] | None, request_id: str | None) -> Iterator[JsonObject]:
        """An answer bit by bit; each block comes whole before it is said to be over."""
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

    def result(self, said: JsonObject, spent: Spent, index: int = 0) -> JsonObject:
        """A turn is over; see `result_event`."""
        return result_event(said, spent, session_id=self.session_id, uuid=self._uuid(), index=index)

    def _uuid(self) -> str:
        return next(self.uuids)


def _part(event: JsonObject, reply: ChatReply) -> Part:
    return reply.parts[event["index"]] if "index" in event else TextPart("")


def _begun(reply: ChatReply) -> JsonObject:
    """The message of an answer as it was when the answer began."""
    told = encode_usage(reply.usage or TokenUsage())
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
        "usage": {**{name: told[name] for name in names}, "output_tokens": 1},
    }
