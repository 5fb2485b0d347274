"""
Converse, the API of Bedrock for all models, both directions. Source: botocore's own model of it and recorded traffic.

The model and whether to stream are in the address, and no reply names the model or itself: bodies have neither.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable, Iterator
from typing import Any

from llm_gateway.exceptions import ProviderError
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    Headers,
    ImagePart,
    JsonObject,
    LLMMessage,
    Part,
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
from llm_gateway.wire.framing import eventstream
from llm_gateway.wire.parts import bedrock_errors
from llm_gateway.wire.parts.bedrock_model_fields import decode_effort, encode_model_fields, extra_model_fields
from llm_gateway.wire.parts.function_calls import as_arguments, decode_arguments, split_arguments
from llm_gateway.wire.parts.request_body import json_mode_as_message, unknown_fields
from llm_gateway.wire.usage import read_usage

__all__ = ["DIALECT"]

_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
    "model_context_window_exceeded": "context_window",
}
_STOP_NAMES = {ours: theirs for theirs, ours in _STOPS.items()} | {"error": "malformed_model_output"}
_OF_THE_MODEL = "additionalModelRequestFields"
_KNOWN = frozenset({"messages", "system", "inferenceConfig", "toolConfig", "outputConfig", _OF_THE_MODEL})
_IN_METADATA = ("usage", "serviceTier", "metrics")


class BedrockConverse:
    """The dialect; see `llm_gateway.wire.base.Dialect`."""

    name = "bedrock.converse"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """
        Write the request body; the API has no JSON mode, so a system message requests it.

        Raises:
            ProviderError: (``unsupported_param``) It holds a setting that the API has no field for.
        """
        request, extra = json_mode_as_message(request), dict(request.extra)
        body: JsonObject = {"messages": _encode_messages(request.messages)}
        optional = {
            "system": [
                block for one in request.messages if one.role == "system" for block in _encode_content(one.parts)
            ],
            "inferenceConfig": _encode_inference(request) | extra.pop("inferenceConfig", {}),
            "toolConfig": _encode_tools(request),
            "outputConfig": _encode_format(request) | extra.pop("outputConfig", {}),
            _OF_THE_MODEL: encode_model_fields(request) | extra.pop(_OF_THE_MODEL, {}),
        }
        return {**body, **{name: value for name, value in optional.items() if value}, **extra}

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote; its model is empty, and it never streams."""
        system = _decode_content(body.get("system"))
        messages = [LLMMessage("system", system)] if system else []
        messages += [LLMMessage(one["role"], _decode_content(one.get("content"))) for one in body.get("messages") or ()]
        settings, tools = body.get("inferenceConfig") or {}, body.get("toolConfig") or {}
        form = _at(body, "outputConfig", "textFormat", "structure", "jsonSchema")
        return ChatRequest(
            model="",
            messages=tuple(messages),
            max_tokens=settings.get("maxTokens"),
            temperature=settings.get("temperature"),
            top_p=settings.get("topP"),
            seed=_at(body, _OF_THE_MODEL).get("seed"),
            reasoning_effort=decode_effort(_at(body, _OF_THE_MODEL)),
            stop=tuple(settings.get("stopSequences") or ()),
            tools=tuple(_decode_tool(tool["toolSpec"]) for tool in tools.get("tools") or () if "toolSpec" in tool),
            tool_choice=_decode_choice(tools.get("toolChoice") or {}),
            response_schema=json.loads(form["schema"]) if "schema" in form else None,
            response_schema_name=form.get("name") or "answer",
            extra=_decode_extra(body),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        return {
            "output": {"message": {"role": "assistant", "content": _encode_content(reply.parts)}},
            "stopReason": _STOP_NAMES.get(reply.stop_reason or "end_turn", "end_turn"),
            **_encode_usage(reply.usage or TokenUsage()),
            "metrics": {"latencyMs": 0},
        }

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        return ChatReply(
            parts=_decode_content(_at(body, "output", "message").get("content")),
            stop_reason=_STOPS.get(str(body.get("stopReason"))),
            usage=read_usage(self.name, body),
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the frames of the streamed reply; *chunks* is its text, one item for each event."""
        whole = self.encode_reply(reply)
        yield _event("messageStart", {"role": "assistant"})
        for index, block in enumerate(whole["output"]["message"]["content"]):
            yield from _block_events(index, block, chunks)
        yield _event("messageStop", {"stopReason": whole["stopReason"]})
        yield _event("metadata", {name: whole[name] for name in _IN_METADATA if name in whole})

    def stream_decoder(self) -> ConverseStream:
        """Start reading one streamed reply."""
        return ConverseStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply."""
        return bedrock_errors.error_facts(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        return bedrock_errors.error_reply(status, facts)


DIALECT = BedrockConverse()


def _at(body: Any, *path: str) -> JsonObject:
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else {}


def _encode_messages(messages: tuple[LLMMessage, ...]) -> list[JsonObject]:
    """Return the turns; the API rejects two turns of one role in a row, so those are merged."""
    turns = [one for one in messages if one.role != "system"]
    sides = itertools.groupby(turns, key=lambda one: "user" if one.role == "tool" else one.role)
    return [
        {"role": side, "content": [block for one in run for block in _encode_content(one.parts)]} for side, run in sides
    ]


def _encode_content(parts: tuple[Part, ...]) -> list[JsonObject]:
    """Return the blocks of a turn without empty text, which the API rejects and some models write with tool calls."""
    return [_encode_part(part) for part in parts if part != TextPart("")]


def _encode_part(part: Part) -> JsonObject:
    match part:
        case TextPart(text):
            return {"text": text}
        case ThinkingPart(text, signature):
            signed = {"signature": signature} if signature else {}
            return {"reasoningContent": {"reasoningText": {"text": text, **signed}}}
        case ToolCall(identity, name, arguments):
            return {"toolUse": {"toolUseId": identity, "name": name, "input": arguments}}
        case ToolResult(identity, content, is_error):
            failed = {"status": "error"} if is_error else {}
            return {"toolResult": {"toolUseId": identity, "content": [{"text": content}], **failed}}
        case ImagePart():
            return {"image": _encode_image(part)}


def _encode_image(image: ImagePart) -> JsonObject:
    form = {"image/jpg": "jpeg"}.get(image.media_type or "", (image.media_type or "").removeprefix("image/"))
    if image.data is not None:
        return {"format": form, "source": {"bytes": base64.b64encode(image.data).decode()}}
    raise ProviderError(
        f"bedrock takes no image by address: {image.url!r}",
        kind="unsupported_param",
        provider="bedrock",
        cause="its Converse API takes an image's bytes only",
        fix="fetch the image and give ImagePart(data=..., media_type='image/png')",
    )


def _decode_content(content: Any) -> tuple[Part, ...]:
    """Return the parts of a turn; other blocks are left out, and calls of tools that the provider runs itself."""
    return tuple(part for block in content or () if (part := _decode_part(block)) is not None)


def _decode_part(block: JsonObject) -> Part | None:
    match block:
        case {"text": str(text)}:
            return TextPart(text) if text else None
        case {"citationsContent": {"content": list(cited)}}:
            return TextPart("".join(map(_decode_text, cited)))
        case {"reasoningContent": {"reasoningText": dict(thought)}}:
            return ThinkingPart(str(thought.get("text") or ""), thought.get("signature") or None)
        case {"toolUse": dict(call)} if call.get("type") != "server_tool_use":
            return ToolCall(str(call.get("toolUseId")), str(call.get("name")), as_arguments(call.get("input")))
        case {"toolResult": dict(result)} if "type" not in result:
            texts = "".join(map(_decode_text, result.get("content") or ()))
            return ToolResult(str(result.get("toolUseId")), texts, result.get("status") == "error")
    return _decode_image(block.get("image"))


def _decode_image(image: Any) -> Part | None:
    match image:
        case {"format": form, "source": {"bytes": str(coded)}}:
            return ImagePart(base64.b64decode(coded), f"image/{form}")
    return None


def _decode_text(block: JsonObject) -> str:
    return json.dumps(block["json"], ensure_ascii=False) if "json" in block else str(block.get("text") or "")


def _encode_inference(request: ChatRequest) -> JsonObject:
    settings = {
        "maxTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "stopSequences": list(request.stop) or None,
    }
    return {name: value for name, value in settings.items() if value is not None}


def _decode_extra(body: JsonObject) -> JsonObject:
    """Return the fields that `ChatRequest` has none for, at their own depth."""
    extra = {name: value for name, value in body.items() if name not in _KNOWN}
    rest = unknown_fields(body, inferenceConfig="maxTokens temperature topP stopSequences", outputConfig="textFormat")
    fields = extra_model_fields(_at(body, _OF_THE_MODEL))
    return extra | rest | ({_OF_THE_MODEL: fields} if fields else {})


def _encode_tools(request: ChatRequest) -> JsonObject:
    """Return the tools; the API has no choice ``none``, so then the model gets no tools at all."""
    if request.tool_choice == "none":
        _reject_none_with_calls(request)
        return {}
    if not request.tools and request.tool_choice is None:
        return {}
    choice = {"toolChoice": _encode_choice(request.tool_choice)} if request.tool_choice else {}
    return {"tools": [_encode_tool(tool) for tool in request.tools], **choice}


def _reject_none_with_calls(request: ChatRequest) -> None:
    if any(isinstance(part, ToolCall | ToolResult) for message in request.messages for part in message.parts):
        raise ProviderError(
            "bedrock takes no tool_choice 'none' in a conversation that holds calls of tools",
            kind="unsupported_param",
            provider="bedrock",
            cause="its Converse API requires the tools of those calls, and has no choice 'none'",
            fix="leave tool_choice out, or leave the calls and their results out of the messages",
        )


def _encode_tool(tool: Tool) -> JsonObject:
    described = {"description": tool.description} if tool.description else {}
    return {"toolSpec": {"name": tool.name, **described, "inputSchema": {"json": tool.parameters}}}


def _decode_tool(tool: JsonObject) -> Tool:
    return Tool(str(tool.get("name")), str(tool.get("description") or ""), _at(tool, "inputSchema", "json"))


def _encode_choice(choice: str) -> JsonObject:
    if choice == "auto":
        return {"auto": {}}
    return {"any": {}} if choice == "required" else {"tool": {"name": choice}}


def _decode_choice(choice: JsonObject) -> str | None:
    match choice:
        case {"tool": {"name": str(name)}}:
            return name
        case {"any": _}:
            return "required"
        case {"auto": _}:
            return "auto"
    return None


def _encode_format(request: ChatRequest) -> JsonObject:
    if request.response_schema is None:
        return {}
    schema = {"name": request.response_schema_name, "schema": json.dumps(request.response_schema, ensure_ascii=False)}
    return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}


def _encode_usage(usage: TokenUsage) -> JsonObject:
    """Return the fields of usage and tier; three counts are required, and input excludes cached tokens."""
    cached = {"cacheReadInputTokens": usage.cache_read_tokens, "cacheWriteInputTokens": usage.cache_write_tokens}
    reported = {name: count for name, count in cached.items() if count is not None}
    fresh = None if usage.input_tokens is None else usage.input_tokens - sum(reported.values())
    stated: JsonObject = {
        "inputTokens": fresh,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
        "serverToolUsage": {},
        **reported,
    }
    if usage.cache_write_1h_tokens is not None:
        stated["cacheDetails"] = [{"ttl": "1h", "inputTokens": usage.cache_write_1h_tokens}]
    return {"usage": stated} | ({"serviceTier": {"type": usage.service_tier}} if usage.service_tier else {})


def _event(kind: str, payload: JsonObject) -> bytes:
    headers = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    padded = {**payload, "p": "abcdefgh"}  # the API hides the length of the text
    return eventstream.encode(headers, json.dumps(padded, ensure_ascii=False, separators=(",", ":")).encode())


def _block_events(index: int, block: JsonObject, chunks: Iterable[str] | None) -> Iterator[bytes]:
    place = {"contentBlockIndex": index}
    if call := block.get("toolUse"):
        start = {"toolUse": {"toolUseId": call["toolUseId"], "name": call["name"]}}
        yield _event("contentBlockStart", {"start": start, **place})
    for delta in _deltas(block, chunks):
        yield _event("contentBlockDelta", {"delta": delta, **place})
    yield _event("contentBlockStop", place)


def _deltas(block: JsonObject, chunks: Iterable[str] | None) -> Iterator[JsonObject]:
    match block:
        case {"text": text}:
            yield from ({"text": chunk} for chunk in (chunks or [text]))
        case {"toolUse": call}:
            chunks = ["", *split_arguments(json.dumps(call["input"], ensure_ascii=False))]
            yield from ({"toolUse": {"input": chunk}} for chunk in chunks)
        case {"reasoningContent": {"reasoningText": thought}}:
            yield from ({"reasoningContent": {name: value}} for name, value in thought.items())


class ConverseStream:
    """Decoder of one streamed reply; see `llm_gateway.wire.base.StreamDecoder`."""

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._parser = eventstream.FrameParser()
        self._body: JsonObject = {}
        self._blocks: dict[int, JsonObject] = {}

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        deltas = [self._take(frame.texts, frame.payload) for frame in self._parser.feed(data)]
        return [delta for delta in deltas if delta is not None]

    def _take(self, headers: dict[str, str], payload: bytes) -> StreamDelta | None:
        if headers.get(":message-type") != "event":
            self.error = bedrock_errors.error_facts_in_stream(headers, payload)
            return None
        event: JsonObject = json.loads(payload)
        match headers.get(":event-type"):
            case "contentBlockStart":
                self._blocks[event["contentBlockIndex"]] = {name: dict(one) for name, one in event["start"].items()}
            case "contentBlockDelta":
                return self._grow(self._blocks.setdefault(event["contentBlockIndex"], {}), event["delta"])
            case "contentBlockStop":
                return self._close(self._blocks.get(event["contentBlockIndex"]) or {})
            case "messageStop":
                self._body["stopReason"] = event.get("stopReason")
            case "metadata":  # the last one: the usage comes after the answer
                self._body |= event
                self.is_finished = True
        return None

    def _grow(self, block: JsonObject, delta: JsonObject) -> StreamDelta | None:
        match delta:
            case {"text": str(text)}:
                block["text"] = block.get("text", "") + text
                return StreamDelta(text=text) if text else None
            case {"toolUse": {"input": str(partial)}}:
                block["partial"] = block.get("partial", "") + partial
            case {"reasoningContent": dict(chunk)} if "redactedContent" not in chunk:
                thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {})
                thought.update({name: thought.get(name, "") + str(value) for name, value in chunk.items()})
                return StreamDelta(thinking=chunk["text"]) if chunk.get("text") else None
        return None

    def _close(self, block: JsonObject) -> StreamDelta | None:
        if "toolUse" not in block:
            return None
        block["toolUse"]["input"] = decode_arguments(block.pop("partial", ""))
        part = _decode_part(block)
        return StreamDelta(tool_call=part) if isinstance(part, ToolCall) else None

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        blocks = [block for _, block in sorted(self._blocks.items())]
        return DIALECT.decode_reply({**self._body, "output": {"message": {"content": blocks}}})
