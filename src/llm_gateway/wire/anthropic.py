"""The Messages API of Anthropic, both directions. Source: the API of version 2026-10-21 and recorded traffic."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator
from typing import Any

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    Headers,
    ImagePart,
    JsonObject,
    LLMMessage,
    Part,
    ReasoningEffort,
    StopReason,
    StreamDelta,
    TextPart,
    ThinkingPart,
    TokenUsage,
    Tool,
    ToolCall,
    ToolResult,
    WireReply,
)
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.framing import sse
from llm_gateway.wire.parts.errors import error_facts, error_facts_in_stream, error_reply
from llm_gateway.wire.parts.function_calls import as_arguments, split_arguments
from llm_gateway.wire.parts.request_body import json_mode_as_message, merge_extra, unknown_fields
from llm_gateway.wire.usage import UsageReader, read_usage

__all__ = [
    "DEFAULT_MAX_TOKENS",
    "DIALECT",
    "decode_content",
    "decode_effort",
    "encode_content",
    "encode_effort",
    "extra_thinking",
]

DEFAULT_MAX_TOKENS = 4096
"""The API requires a limit; this is used where the caller sets none."""
_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
    "model_context_window_exceeded": "context_window",
}
_STOP_NAMES = {ours: theirs for theirs, ours in _STOPS.items()}
_ERRORS: dict[ErrorKind, str] = {
    "auth": "authentication_error",
    "permission": "permission_error",
    "not_found": "not_found_error",
    "rate_limited": "rate_limit_error",
    "quota_exhausted": "billing_error",
    "overloaded": "overloaded_error",
    "timeout": "timeout_error",
    "server": "api_error",
}
_KNOWN = frozenset(
    "model messages system max_tokens temperature top_p seed "
    "stop_sequences tools tool_choice output_config output_format thinking stream".split()
)


class AnthropicMessages:
    """The dialect; see `llm_gateway.wire.base.Dialect`."""

    name = "anthropic.messages"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; the API has no JSON mode, so a system message requests it, and no seed."""
        request = json_mode_as_message(request)
        system = [message.text for message in request.messages if message.role == "system"]
        body: JsonObject = {
            "model": request.model,
            "max_tokens": request.max_tokens or DEFAULT_MAX_TOKENS,
            "messages": [_encode_message(one) for one in request.messages if one.role != "system"],
        }
        optional = {
            "system": "\n\n".join(system),
            "stop_sequences": list(request.stop),
            "tools": [_encode_tool(tool) for tool in request.tools],
        }
        body.update({name: value for name, value in optional.items() if value})
        settings = {"temperature": request.temperature, "top_p": request.top_p, "seed": request.seed}
        body.update({name: value for name, value in settings.items() if value is not None})
        if request.tool_choice is not None:
            body["tool_choice"] = _encode_choice(request.tool_choice)
        body.update(encode_effort(request.reasoning_effort))
        if request.response_schema is not None:
            form = {"format": {"type": "json_schema", "schema": request.response_schema}}
            body["output_config"] = body.get("output_config", {}) | form
        return merge_extra({**body, **({"stream": True} if request.stream else {})}, request.extra, "output_config")

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote."""
        system = body.get("system")
        messages = [LLMMessage("system", decode_content(system))] if system else []
        messages += [LLMMessage(one["role"], decode_content(one.get("content"))) for one in body.get("messages") or ()]
        # output_format was its name in the beta, and still is what litellm writes.
        form = (body.get("output_config") or {}).get("format") or body.get("output_format") or {}
        return ChatRequest(
            model=str(body.get("model") or ""),
            messages=tuple(messages),
            max_tokens=body.get("max_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            seed=body.get("seed"),
            reasoning_effort=decode_effort(body),
            stop=tuple(body.get("stop_sequences") or ()),
            tools=tuple(_decode_tool(tool) for tool in body.get("tools") or () if "input_schema" in tool),
            tool_choice=_decode_choice(body.get("tool_choice") or {}),
            response_schema=form.get("schema"),
            stream=bool(body.get("stream")),
            extra={name: value for name, value in body.items() if name not in _KNOWN} | extra_thinking(body),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        return {
            "id": reply.id,
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [_encode_part(part) for part in reply.parts],
            "stop_reason": _STOP_NAMES.get(reply.stop_reason) if reply.stop_reason else None,
            "stop_sequence": None,
            "usage": _encode_usage(reply.usage),
        }

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        return ChatReply(
            parts=decode_content(body.get("content")),
            model=body.get("model"),
            id=body.get("id"),
            stop_reason=_STOPS.get(str(body.get("stop_reason"))),
            usage=read_usage(self.name, body),
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply; *chunks* is its text, one item for each event."""
        whole = self.encode_reply(reply)
        start = {**whole, "content": [], "stop_reason": None, "usage": {**whole["usage"], "output_tokens": 1}}
        yield _event("message_start", message=start)
        for index, (part, block) in enumerate(zip(reply.parts, whole["content"], strict=True)):
            yield from _block_events(index, part, block, chunks)
        delta = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage=whole["usage"])
        yield _event("message_stop")

    def stream_decoder(self) -> MessagesStream:
        """Start reading one streamed reply."""
        return MessagesStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply."""
        return error_facts(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        error = {"type": facts.type or _ERRORS.get(facts.kind, "invalid_request_error"), "message": facts.message}
        body = {"type": "error", "error": error, "request_id": "req_injected"}
        return error_reply(status, body, facts, ("request-id", "req_injected"))


DIALECT = AnthropicMessages()
_ADAPTIVE, _OFF = {"type": "adaptive"}, {"type": "disabled"}


def encode_effort(effort: ReasoningEffort | None) -> JsonObject:
    """Return the fields that set the effort: ``minimal`` is the API's lowest level, ``none`` disables thinking."""
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": _OFF}
    return {"thinking": _ADAPTIVE, "output_config": {"effort": "low" if effort == "minimal" else effort}}


def decode_effort(body: JsonObject) -> ReasoningEffort | None:
    """Return the level that *body* sets, with or without ``thinking``; None without one."""
    effort = (body.get("output_config") or {}).get("effort")
    return effort or ("none" if body.get("thinking") == _OFF else None)


def extra_thinking(body: JsonObject) -> JsonObject:
    """Return the settings of thinking and output that an effort level does not cover, such as token budgets."""
    thinking, effort = body.get("thinking"), decode_effort(body)
    is_covered = thinking is None or thinking == (_OFF if effort == "none" else _ADAPTIVE if effort else None)
    return unknown_fields(body, output_config="format effort") | ({} if is_covered else {"thinking": thinking})


def _encode_message(message: LLMMessage) -> JsonObject:
    role = "user" if message.role == "tool" else message.role
    return {"role": role, "content": encode_content(message.parts)}


def encode_content(parts: tuple[Part, ...]) -> Any:
    """Return the content of a message: a single text as a string, else a list of blocks."""
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    return [_encode_part(part) for part in parts]


def _encode_part(part: Part) -> JsonObject:
    match part:
        case TextPart(text):
            return {"type": "text", "text": text}
        case ThinkingPart(text, signature):
            return {"type": "thinking", "thinking": text, "signature": signature or ""}
        case ToolCall(identity, name, arguments):
            return {"type": "tool_use", "id": identity, "name": name, "input": arguments}
        case ToolResult(identity, content, is_error):
            failed = {"is_error": True} if is_error else {}
            return {"type": "tool_result", "tool_use_id": identity, "content": content, **failed}
        case ImagePart(data, media_type, url):
            if data is None:
                return {"type": "image", "source": {"type": "url", "url": url}}
            coded = base64.b64encode(data).decode()
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": coded}}


def decode_content(content: Any) -> tuple[Part, ...]:
    """Return the parts of a message's content, a string or a list of blocks; unsupported blocks are left out."""
    if isinstance(content, str):
        return (TextPart(content),)
    blocks = [block for block in content or () if isinstance(block, dict)]
    return tuple(part for block in blocks if (part := _decode_part(block)) is not None)


def _decode_part(block: JsonObject) -> Part | None:
    match block.get("type"):
        case "text":
            return TextPart(str(block.get("text") or ""))
        case "thinking":
            return ThinkingPart(str(block.get("thinking") or ""), block.get("signature") or None)
        case "tool_use":
            return ToolCall(str(block.get("id")), str(block.get("name")), as_arguments(block.get("input")))
        case "tool_result":
            texts = "".join(one.text for one in decode_content(block.get("content")) if isinstance(one, TextPart))
            return ToolResult(str(block.get("tool_use_id")), texts, bool(block.get("is_error")))
        case "image":
            source = block.get("source") or {}
            data = base64.b64decode(source["data"]) if "data" in source else None
            return ImagePart(data, source.get("media_type"), source.get("url"))
    return None


def _encode_tool(tool: Tool) -> JsonObject:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.parameters}


def _decode_tool(tool: JsonObject) -> Tool:
    return Tool(str(tool.get("name")), str(tool.get("description") or ""), tool["input_schema"])


def _encode_choice(choice: str) -> JsonObject:
    if choice in ("auto", "none"):
        return {"type": choice}
    return {"type": "any"} if choice == "required" else {"type": "tool", "name": choice}


def _decode_choice(choice: JsonObject) -> str | None:
    kind = choice.get("type")
    return {"any": "required", "tool": choice.get("name")}.get(str(kind), kind)


def _encode_usage(usage: TokenUsage | None) -> JsonObject:
    usage = usage or TokenUsage()
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    fresh = None if usage.input_tokens is None else usage.input_tokens - (read or 0) - (written or 0)
    counts = {
        "input_tokens": fresh,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens is None:
        return counts
    return {**counts, "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens}}


def _event(kind: str, **fields: Any) -> bytes:
    return sse.encode(kind, json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":")))


def _block_events(index: int, part: Part, block: JsonObject, chunks: Iterable[str] | None) -> Iterator[bytes]:
    blank: JsonObject = {"text": "", "thinking": "", "input": {}, "signature": ""}
    empty = {name: blank.get(name, value) for name, value in block.items()}
    yield _event("content_block_start", index=index, content_block=empty)
    if index == 0:
        yield _event("ping")  # as the API does; a client must not treat every event as content
    for delta in _deltas(part, chunks):
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _deltas(part: Part, chunks: Iterable[str] | None) -> Iterator[JsonObject]:
    match part:
        case TextPart(text):
            yield from ({"type": "text_delta", "text": chunk} for chunk in (chunks or [text]))
        case ThinkingPart(text, signature):
            yield {"type": "thinking_delta", "thinking": text}
            if signature:
                yield {"type": "signature_delta", "signature": signature}
        case ToolCall(_, _, arguments):
            for chunk in ["", *split_arguments(json.dumps(arguments, ensure_ascii=False))]:
                yield {"type": "input_json_delta", "partial_json": chunk}


class MessagesStream:
    """Decoder of one streamed message; see `llm_gateway.wire.base.StreamDecoder`."""

    _API = "anthropic.messages"

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._parser = sse.SseParser()
        self._message: JsonObject = {}
        self._blocks: dict[int, JsonObject] = {}
        self._reader = UsageReader(self._API)

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        deltas = [self._take(json.loads(event.data)) for event in self._parser.feed(data) if event.data]
        return [delta for delta in deltas if delta is not None]

    def _take(self, event: JsonObject) -> StreamDelta | None:
        match event.get("type"):
            case "message_start":
                self._message = dict(event.get("message") or {})
                self._reader.take(event)
            case "content_block_start":
                self._blocks[event["index"]] = {**event["content_block"], "partial": ""}
            case "content_block_delta":
                return self._grow(self._blocks.setdefault(event["index"], {"partial": ""}), event["delta"])
            case "content_block_stop":
                return self._close(self._blocks.get(event["index"]) or {})
            case "message_delta":
                self._end(event)
            case "message_stop":
                self.is_finished = True
                self._reader.take(event)
            case "error":
                self._fail(event.get("error") or {})
        return None

    def _grow(self, block: JsonObject, delta: JsonObject) -> StreamDelta | None:
        match delta.get("type"):
            case "text_delta":
                block["text"] = block.get("text", "") + delta["text"]
                return StreamDelta(text=delta["text"])
            case "thinking_delta":
                block["thinking"] = block.get("thinking", "") + delta["thinking"]
                return StreamDelta(thinking=delta["thinking"])
            case "signature_delta":
                block["signature"] = block.get("signature", "") + delta["signature"]
            case "input_json_delta":
                block["partial"] += delta["partial_json"]
        return None

    def _close(self, block: JsonObject) -> StreamDelta | None:
        if block.get("type") != "tool_use":
            return None
        if block["partial"]:
            block["input"] = json.loads(block["partial"])
        part = _decode_part(block)
        return StreamDelta(tool_call=part) if isinstance(part, ToolCall) else None

    def _end(self, event: JsonObject) -> None:
        self._message["stop_reason"] = (event.get("delta") or {}).get("stop_reason")
        self._reader.take(event)

    def _fail(self, error: JsonObject) -> None:
        self.error = error_facts_in_stream(error, "an error without a message")

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        blocks = [block for _, block in sorted(self._blocks.items())]
        return dataclasses.replace(DIALECT.decode_reply({**self._message, "content": blocks}), usage=self._reader.usage)
