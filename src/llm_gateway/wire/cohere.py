"""
Version 2 of Cohere's chat, both directions. Source: the official SDK's types and recorded traffic.

What a model plans before it calls tools is reasoning here. Citations are left out: they repeat the text, with sources.
No reply names its model.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

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
from llm_gateway.wire.openai_chat import decode_image, image_url
from llm_gateway.wire.parts import errors
from llm_gateway.wire.parts.function_calls import decode_calls, decode_tool, encode_call, encode_tool, split_arguments
from llm_gateway.wire.parts.request_body import mention_json
from llm_gateway.wire.usage import read_usage

__all__ = ["DIALECT"]

_STOPS: dict[str, StopReason] = {
    "COMPLETE": "end_turn",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "max_tokens",
    "TOOL_CALL": "tool_use",
    "ERROR_TOXIC": "content_filter",
    "ERROR": "error",
    "TIMEOUT": "error",
}
_STOP_NAMES = {ours: theirs for theirs, ours in _STOPS.items()} | {"error": "ERROR"}
_KNOWN = frozenset(
    "model messages max_tokens temperature p seed thinking stop_sequences tools tool_choice response_format "
    "stream".split()
)


class CohereChat:
    """The dialect; see `llm_gateway.wire.base.Dialect`."""

    name = "cohere.v2.chat"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; a tool that is to be called is the only one, as the API has no word for its name."""
        optional = {
            "max_tokens": request.max_tokens,
            "temperature": request.temperature,
            "p": request.top_p,
            "seed": request.seed,
            "thinking": _encode_thinking(request.reasoning_effort),
            "stop_sequences": list(request.stop) or None,
            "tools": [encode_tool(tool) for tool in _offered(request)] or None,
            "tool_choice": _encode_choice(request.tool_choice),
            "response_format": _encode_format(request),
        }
        messages = [row for message in mention_json(request).messages for row in _encode_messages(message)]
        body: JsonObject = {"model": request.model, "messages": messages, "stream": request.stream}
        return body | {name: value for name, value in optional.items() if value is not None} | request.extra

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote."""
        form, is_off = body.get("response_format") or {}, body.get("thinking") == _OFF
        return ChatRequest(
            model=str(body.get("model") or ""),
            messages=tuple(_decode_message(one) for one in body.get("messages") or ()),
            max_tokens=body.get("max_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("p"),
            seed=body.get("seed"),
            reasoning_effort="none" if is_off else None,
            stop=tuple(body.get("stop_sequences") or ()),
            tools=tuple(decode_tool(tool["function"]) for tool in body.get("tools") or () if "function" in tool),
            tool_choice=body["tool_choice"].lower() if body.get("tool_choice") else None,
            response_schema=form.get("json_schema"),
            json_mode=form.get("type") == "json_object" and form.get("json_schema") is None,
            stream=bool(body.get("stream")),
            extra={name: value for name, value in body.items() if name not in _KNOWN}
            | ({"thinking": body["thinking"]} if body.get("thinking") and not is_off else {}),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        message = _encode_turn("assistant", reply.parts)
        content = message.pop("content", None)
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        return {
            "id": reply.id,
            "finish_reason": _STOP_NAMES.get(reply.stop_reason or "end_turn", "COMPLETE"),
            "message": {**message, "content": blocks} if blocks else message,
            "usage": _encode_usage(reply.usage or TokenUsage()),
        }

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        return ChatReply(
            parts=_decode_turn(body.get("message") or {}),
            id=body.get("id"),
            stop_reason=_STOPS.get(str(body.get("finish_reason"))),
            usage=read_usage(self.name, body),
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply; *chunks* is its text, one item for each event."""
        whole = self.encode_reply(reply)
        message = whole["message"]
        empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
        yield _event("message-start", id=reply.id, delta={"message": empty})
        if "tool_plan" in message:
            yield _event("tool-plan-delta", delta={"message": {"tool_plan": message["tool_plan"]}})
        for index, block in enumerate(message.get("content") or ()):
            yield from _block_events(index, block, chunks)
        for index, call in enumerate(message.get("tool_calls") or ()):
            yield from _call_events(index, call)
        yield _event("message-end", delta={"finish_reason": whole["finish_reason"], "usage": whole["usage"]})

    def stream_decoder(self) -> CohereStream:
        """Start reading one streamed reply."""
        return CohereStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply; it has words, and no type."""
        facts = errors.error_facts(status, headers, body)
        words = facts.message.lower()
        if "too many tokens" in words:
            return ErrorFacts("context_window", facts.message)
        if "calls / month" in words:
            return ErrorFacts("quota_exhausted", facts.message)
        return facts

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply; the API has no error types, so status and message alone show the kind."""
        return errors.error_reply(status, {"id": "injected", "message": facts.message}, facts)


DIALECT = CohereChat()
_OFF, _ON = {"type": "disabled"}, {"type": "enabled"}


def _encode_thinking(effort: ReasoningEffort | None) -> JsonObject | None:
    """Return the field that disables thinking; the API has no levels."""
    return None if effort is None else _OFF if effort == "none" else _ON


def _encode_format(request: ChatRequest) -> JsonObject | None:
    if request.response_schema is None:
        return {"type": "json_object"} if request.json_mode else None
    return {"type": "json_object", "json_schema": request.response_schema}


def _encode_messages(message: LLMMessage) -> Iterator[JsonObject]:
    """Yield the messages for one message of ours; each tool result is a message of its own."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    yield from ({"role": "tool", "tool_call_id": one.tool_call_id, "content": one.content} for one in results)
    rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    if rest or not results:
        yield _encode_turn(message.role, rest)


def _encode_turn(role: str, parts: tuple[Part, ...]) -> JsonObject:
    """Return one turn; reasoning in a turn with tool calls is their plan."""
    calls = [part for part in parts if isinstance(part, ToolCall)]
    plan = "".join(part.text for part in parts if calls and isinstance(part, ThinkingPart))
    apart = (ToolCall, ThinkingPart) if calls else ToolCall
    content: list[Part] = [part for part in parts if not isinstance(part, apart)]
    row = {
        "content": _encode_content(content),
        "tool_plan": plan,
        "tool_calls": [encode_call(call) for call in calls],
    }
    return {"role": role, **{name: value for name, value in row.items() if value}}


def _encode_content(parts: list[Part]) -> Any:
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return parts[0].text
    return [block for part in parts for block in _encode_block(part)]


def _encode_block(part: Part) -> Iterator[JsonObject]:
    match part:
        case TextPart(text):
            yield {"type": "text", "text": text}
        case ThinkingPart(text):
            yield {"type": "thinking", "thinking": text}
        case ImagePart():
            yield {"type": "image_url", "image_url": {"url": image_url(part)}}


def _decode_message(message: JsonObject) -> LLMMessage:
    if message["role"] == "tool":
        texts = "".join(part.text for part in _decode_content(message.get("content")) if isinstance(part, TextPart))
        return LLMMessage("tool", (ToolResult(str(message.get("tool_call_id")), texts),))
    return LLMMessage(message["role"], _decode_turn(message))


def _decode_turn(message: JsonObject) -> tuple[Part, ...]:
    plan = message.get("tool_plan")
    thought = (ThinkingPart(plan),) if plan else ()
    return (*thought, *_decode_content(message.get("content")), *decode_calls(message))


def _decode_content(content: Any) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    return tuple(part for block in content or () if (part := _decode_block(block)) is not None)


def _decode_block(block: JsonObject) -> Part | None:
    match block:
        case {"text": str(text)} if text:
            return TextPart(text)
        case {"thinking": str(thought)} if thought:
            return ThinkingPart(thought)
        case {"image_url": {"url": str(url)}}:
            return decode_image(url)
        case {"document": {"data": data}}:  # what a tool found, which is text or an object
            return TextPart(data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))
    return None


def _offered(request: ChatRequest) -> tuple[Tool, ...]:
    if request.tool_choice in (None, "auto", "none", "required"):
        return request.tools
    return tuple(tool for tool in request.tools if tool.name == request.tool_choice)


def _encode_choice(choice: str | None) -> str | None:
    if choice in (None, "auto"):
        return None
    return "NONE" if choice == "none" else "REQUIRED"


def _encode_usage(usage: TokenUsage) -> JsonObject:
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {"billed_units": counts, "tokens": counts, "cached_tokens": usage.cache_read_tokens}


def _event(kind: str, **fields: Any) -> bytes:
    return sse.encode(kind, json.dumps({"type": kind, **fields}, ensure_ascii=False, separators=(",", ":")))


def _block_events(index: int, block: JsonObject, chunks: Iterable[str] | None) -> Iterator[bytes]:
    kind = block["type"]
    parts = chunks if kind == "text" and chunks is not None else [block[kind]]
    yield _event("content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}})
    yield from (_event("content-delta", index=index, delta={"message": {"content": {kind: chunk}}}) for chunk in parts)
    yield _event("content-end", index=index)


def _call_events(index: int, call: JsonObject) -> Iterator[bytes]:
    arguments = call["function"]["arguments"]
    start = {**call, "function": {**call["function"], "arguments": ""}}
    yield _event("tool-call-start", index=index, delta={"message": {"tool_calls": start}})
    for chunk in split_arguments(arguments):
        more = {"function": {"arguments": chunk}}
        yield _event("tool-call-delta", index=index, delta={"message": {"tool_calls": more}})
    yield _event("tool-call-end", index=index)


class CohereStream:
    """Decoder of one streamed reply; see `llm_gateway.wire.base.StreamDecoder`."""

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._parser = sse.SseParser()
        self._body: JsonObject = {}
        self._plan = ""
        self._blocks: dict[int, JsonObject] = {}
        self._calls: dict[int, JsonObject] = {}

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        events = (event.data for event in self._parser.feed(data) if event.data != "[DONE]")
        deltas = [self._take(json.loads(event)) for event in events]
        return [delta for delta in deltas if delta is not None]

    def _take(self, event: JsonObject) -> StreamDelta | None:
        delta = event.get("delta") or {}
        message, index = delta.get("message") or {}, event.get("index") or 0
        match event.get("type"):
            case "message-start":
                self._body["id"] = event.get("id")
            case "tool-plan-delta":
                self._plan += message["tool_plan"]
                return StreamDelta(thinking=message["tool_plan"])
            case "content-start" | "content-delta":
                return self._grow(self._blocks.setdefault(index, {}), message["content"])
            case "tool-call-start":
                self._calls[index] = {**message["tool_calls"], "function": dict(message["tool_calls"]["function"])}
            case "tool-call-delta":
                self._calls[index]["function"]["arguments"] += message["tool_calls"]["function"]["arguments"]
            case "tool-call-end":
                (call,) = _decode_turn({"tool_calls": [self._calls[index]]})
                return StreamDelta(tool_call=call) if isinstance(call, ToolCall) else None
            case "message-end":
                self._end(delta)
        return None

    def _grow(self, block: JsonObject, content: JsonObject) -> StreamDelta | None:
        text, thinking = content.get("text") or "", content.get("thinking") or ""
        for name, chunk in (("text", text), ("thinking", thinking)):
            if chunk:
                block[name] = block.get(name, "") + chunk
        return StreamDelta(text=text, thinking=thinking) if text or thinking else None

    def _end(self, delta: JsonObject) -> None:
        self._body |= {"finish_reason": delta.get("finish_reason"), "usage": delta.get("usage")}
        if delta.get("error"):
            reason = str(delta.get("finish_reason"))
            self.error = ErrorFacts("timeout" if reason == "TIMEOUT" else "server", str(delta["error"]), reason)
        self.is_finished = self.error is None

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        content = [block for _, block in sorted(self._blocks.items())]
        calls = [call for _, call in sorted(self._calls.items())]
        message = {"content": content, "tool_plan": self._plan, "tool_calls": calls}
        return DIALECT.decode_reply({**self._body, "message": message})
