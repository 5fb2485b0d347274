"""The Responses API of OpenAI, both directions. Source: recorded traffic and the official SDK's types."""

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
    Role,
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
from llm_gateway.wire.parts.errors import encode_openai_error, error_facts, error_facts_in_stream
from llm_gateway.wire.parts.function_calls import decode_arguments, split_arguments
from llm_gateway.wire.parts.request_body import mention_json, merge_extra, unknown_fields
from llm_gateway.wire.usage import read_usage

__all__ = ["DIALECT"]

_INCOMPLETE: dict[str, StopReason] = {"max_output_tokens": "max_tokens", "content_filter": "content_filter"}
_INCOMPLETE_NAMES = {ours: theirs for theirs, ours in _INCOMPLETE.items()}
_KNOWN = frozenset(
    {
        "model",
        "input",
        "instructions",
        "max_output_tokens",
        "temperature",
        "top_p",
        "seed",
        "reasoning",
        "tools",
        "tool_choice",
        "text",
        "stream",
        "stop",
    }
)
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})


class OpenAIResponses:
    """The dialect; see `llm_gateway.wire.base.Dialect`."""

    name = "openai.responses"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; the API has no stop sequences and no seed: they are sent as given, and refused."""
        optional = {
            "max_output_tokens": request.max_tokens,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "seed": request.seed,
            "reasoning": request.reasoning_effort and {"effort": request.reasoning_effort},
            "stop": list(request.stop) or None,
            "tools": [_encode_tool(tool) for tool in request.tools] or None,
            "tool_choice": request.tool_choice and _encode_choice(request.tool_choice),
            "text": _encode_text_format(request),
            "stream": request.stream or None,
        }
        items = [item for one in mention_json(request).messages for item in _items(one)]
        body: JsonObject = {"model": request.model, "input": items}
        body.update({name: value for name, value in optional.items() if value is not None})
        return merge_extra(body, request.extra, "reasoning", "text")

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote."""
        choice, form = body.get("tool_choice"), (body.get("text") or {}).get("format") or {}
        prompt = body.get("input")
        items = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt or []
        first = body.get("instructions")
        messages = [LLMMessage("system", (TextPart(first),))] if isinstance(first, str) else []
        return ChatRequest(
            model=str(body.get("model") or ""),
            messages=(*messages, *(message for item in items if (message := _decode_message(item)) is not None)),
            max_tokens=body.get("max_output_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            seed=body.get("seed"),
            reasoning_effort=(body.get("reasoning") or {}).get("effort"),
            stop=tuple(body.get("stop") or ()),
            tools=tuple(_decode_tool(tool) for tool in body.get("tools") or () if tool.get("type") == "function"),
            tool_choice=choice.get("name") if isinstance(choice, dict) else choice,
            response_schema=form.get("schema"),
            response_schema_name=form.get("name") or "answer",
            json_mode=form.get("type") == "json_object",
            stream=bool(body.get("stream")),
            extra={name: value for name, value in body.items() if name not in _KNOWN}
            | unknown_fields(body, reasoning="effort", text="format"),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        reason = _INCOMPLETE_NAMES.get(reply.stop_reason or "end_turn")
        return {
            "id": reply.id,
            "object": "response",
            "created_at": 0,
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "error": None,
            "instructions": None,
            "metadata": {},
            "model": reply.model,
            "output": _output(reply),
            "parallel_tool_calls": True,
            "temperature": None,
            "tool_choice": "auto",
            "tools": [],
            "top_p": None,
            "usage": _encode_usage(reply.usage),
        }

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        output = [item for item in body.get("output") or () if isinstance(item, dict)]
        parts = tuple(part for item in output for part in _decode_parts(item))
        return ChatReply(
            parts=parts,
            model=body.get("model"),
            id=body.get("id"),
            stop_reason=_stop(body, output, parts),
            usage=read_usage(self.name, body),
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply; *chunks* is its text, one item for each event."""
        whole = self.encode_reply(reply)
        begun = {**whole, "status": "in_progress", "output": [], "usage": None, "incomplete_details": None}
        events = [(f"response.{state}", {"response": begun}) for state in ("created", "in_progress")]
        for index, item in enumerate(whole["output"]):
            events += _item_events(index, item, chunks)
        events.append((f"response.{whole['status']}", {"response": whole}))
        for number, (kind, fields) in enumerate(events):
            event = {"type": kind, "sequence_number": number, **fields}
            yield sse.encode(kind, json.dumps(event, ensure_ascii=False, separators=(",", ":")))

    def stream_decoder(self) -> ResponsesStream:
        """Start reading one streamed reply."""
        return ResponsesStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply."""
        return error_facts(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        return encode_openai_error(status, facts)


DIALECT = OpenAIResponses()


def _items(message: LLMMessage) -> Iterator[JsonObject]:
    """Yield the items for one message of ours: its text and images, each tool call and each result."""
    content = [_encode_content(message.role, part) for part in message.parts if isinstance(part, TextPart | ImagePart)]
    if content:
        yield {"type": "message", "role": message.role, "content": content}
    for part in message.parts:
        match part:
            case ToolCall(identity, name, arguments):
                coded = json.dumps(arguments, ensure_ascii=False)
                yield {"type": "function_call", "call_id": identity, "name": name, "arguments": coded}
            case ToolResult(identity, text):
                yield {"type": "function_call_output", "call_id": identity, "output": text}


def _encode_content(role: Role, part: TextPart | ImagePart) -> JsonObject:
    if isinstance(part, ImagePart):
        return {"type": "input_image", "image_url": image_url(part), "detail": "auto"}
    return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}


def _decode_message(item: JsonObject) -> LLMMessage | None:
    match item.get("type", "message"):
        case "message":
            role: Role = "system" if item["role"] == "developer" else item["role"]
            return LLMMessage(role, tuple(_decode_content(item.get("content"))))
        case "function_call":
            return LLMMessage("assistant", (_decode_call(item),))
        case "function_call_output":
            output = item.get("output")
            text = output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)
            return LLMMessage("tool", (ToolResult(str(item.get("call_id")), text),))
    return None


def _decode_content(content: Any) -> Iterator[Part]:
    if isinstance(content, str):
        yield TextPart(content)
        return
    for part in content or ():
        match part.get("type"):
            case "input_text" | "output_text" | "text":
                yield TextPart(str(part.get("text") or ""))
            case "refusal":
                yield TextPart(str(part.get("refusal") or ""))
            case "input_image" if part.get("image_url"):
                yield decode_image(str(part["image_url"]))


def _decode_call(item: JsonObject) -> ToolCall:
    return ToolCall(str(item.get("call_id")), str(item.get("name")), decode_arguments(item.get("arguments")))


def _decode_parts(item: JsonObject) -> Iterator[Part]:
    match item.get("type"):
        case "message":
            yield from _decode_content(item.get("content"))
        case "function_call":
            yield _decode_call(item)
        case "reasoning":
            summary = "".join(str(part.get("text") or "") for part in item.get("summary") or ())
            if summary:
                yield ThinkingPart(summary, item.get("encrypted_content"))


def _stop(body: JsonObject, output: list[JsonObject], parts: tuple[Part, ...]) -> StopReason | None:
    if any(part.get("type") == "refusal" for item in output for part in item.get("content") or ()):
        return "refusal"
    match body.get("status"):
        case "incomplete":
            return _INCOMPLETE.get(str((body.get("incomplete_details") or {}).get("reason")))
        case "failed":
            return "error"
        case "completed":
            return "tool_use" if any(isinstance(part, ToolCall) for part in parts) else "end_turn"
    return None


def _output(reply: ChatReply) -> list[JsonObject]:
    items: list[JsonObject] = []
    thoughts = [part for part in reply.parts if isinstance(part, ThinkingPart)]
    for number, part in enumerate(thoughts):
        summary = [{"type": "summary_text", "text": part.text}]
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary, "status": None})
    if any(isinstance(part, TextPart) for part in reply.parts):
        kind = {"type": "refusal", "refusal": reply.text}
        text = {"type": "output_text", "text": reply.text, "annotations": [], "logprobs": []}
        content = [kind if reply.stop_reason == "refusal" else text]
        items.append({"type": "message", "id": "msg_0", "status": "completed", "role": "assistant", "content": content})
    for call in reply.tool_calls:
        coded = json.dumps(call.arguments, ensure_ascii=False)
        call_item = {"type": "function_call", "id": f"fc_{call.id}", "call_id": call.id, "name": call.name}
        items.append({**call_item, "arguments": coded, "status": "completed"})
    return items


def _item_events(index: int, item: JsonObject, chunks: Iterable[str] | None) -> list[tuple[str, JsonObject]]:
    at = {"output_index": index}
    blank: JsonObject = {"content": [], "summary": [], "arguments": "", "status": "in_progress"}
    empty = {name: blank.get(name, value) for name, value in item.items()}
    events: list[tuple[str, JsonObject]] = [("response.output_item.added", {**at, "item": empty})]
    inside = {**at, "item_id": item["id"]}
    if item["type"] == "message" and "text" in item["content"][0]:
        events += _text_events(inside, item["content"][0], chunks)
    elif item["type"] == "function_call":
        chunks = split_arguments(item["arguments"])
        events += [("response.function_call_arguments.delta", {**inside, "delta": chunk}) for chunk in chunks]
        done = {**inside, "arguments": item["arguments"], "name": item["name"]}
        events.append(("response.function_call_arguments.done", done))
    elif item["type"] == "reasoning":
        text = item["summary"][0]["text"]
        events.append(("response.reasoning_summary_text.delta", {**inside, "summary_index": 0, "delta": text}))
    return [*events, ("response.output_item.done", {**at, "item": item})]


def _text_events(
    inside: JsonObject, content: JsonObject, chunks: Iterable[str] | None
) -> Iterator[tuple[str, JsonObject]]:
    where = {**inside, "content_index": 0}
    yield "response.content_part.added", {**where, "part": {**content, "text": ""}}
    for chunk in chunks or [content["text"]]:
        yield "response.output_text.delta", {**where, "delta": chunk, "logprobs": []}
    yield "response.output_text.done", {**where, "text": content["text"], "logprobs": []}
    yield "response.content_part.done", {**where, "part": content}


def _encode_tool(tool: Tool) -> JsonObject:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _decode_tool(tool: JsonObject) -> Tool:
    return Tool(str(tool.get("name")), str(tool.get("description") or ""), tool.get("parameters") or {})


def _encode_choice(choice: str) -> Any:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "name": choice}


def _encode_text_format(request: ChatRequest) -> JsonObject | None:
    if request.response_schema is None:
        return {"format": {"type": "json_object"}} if request.json_mode else None
    schema = {"name": request.response_schema_name, "schema": request.response_schema, "strict": True}
    return {"format": {"type": "json_schema", **schema}}


def _encode_usage(usage: TokenUsage | None) -> JsonObject | None:
    """Return the usage; the format requires each count, so an unknown detail is written as 0."""
    if usage is None:
        return None
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens or 0,
            "cache_write_tokens": usage.cache_write_tokens or 0,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": usage.total_tokens,
    }


class ResponsesStream:
    """Decoder of one streamed response; see `llm_gateway.wire.base.StreamDecoder`."""

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._parser = sse.SseParser()
        self._response: JsonObject = {}
        self._items: dict[int, JsonObject] = {}
        self._texts: dict[int, str] = {}

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        events = [json.loads(event.data) for event in self._parser.feed(data) if event.data.startswith("{")]
        return [delta for event in events if (delta := self._take(event)) is not None]

    def _take(self, event: JsonObject) -> StreamDelta | None:
        kind = str(event.get("type"))
        if isinstance(event.get("response"), dict):
            self._response = event["response"]
        if kind in _ENDS:
            self._end(kind)
        match kind:
            case "response.output_text.delta" | "response.refusal.delta":
                index = event.get("output_index", 0)
                self._texts[index] = self._texts.get(index, "") + event["delta"]
                return StreamDelta(text=event["delta"])
            case "response.reasoning_summary_text.delta":
                return StreamDelta(thinking=event["delta"])
            case "response.output_item.done":
                return self._done(event.get("output_index", 0), event.get("item") or {})
            case "error":
                self._fail(event.get("error") or event)
        return None

    def _done(self, index: int, item: JsonObject) -> StreamDelta | None:
        self._items[index] = item
        return StreamDelta(tool_call=_decode_call(item)) if item.get("type") == "function_call" else None

    def _end(self, kind: str) -> None:
        self.is_finished = True
        if kind == "response.failed":
            self._fail(self._response.get("error") or {})

    def _fail(self, error: JsonObject) -> None:
        self.error = error_facts_in_stream(error, "the response failed")

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        if self._response.get("output"):
            return DIALECT.decode_reply(self._response)
        partial = {
            index: {"type": "message", "content": [{"type": "output_text", "text": text}]}
            for index, text in self._texts.items()
        }
        output = [item for _, item in sorted({**partial, **self._items}.items())]
        return DIALECT.decode_reply({**self._response, "output": output})
