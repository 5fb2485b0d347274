"""Chat completions of OpenAI, both directions; also what most compatible hosts speak."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    Headers,
    ImagePart,
    JsonObject,
    LLMMessage,
    Part,
    ReasoningEffort,
    Role,
    StopReason,
    StreamDelta,
    TextPart,
    ThinkingPart,
    TokenUsage,
    ToolCall,
    ToolResult,
    WireReply,
)
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.framing import sse
from llm_gateway.wire.parts.errors import encode_openai_error, error_facts, error_facts_in_stream
from llm_gateway.wire.parts.function_calls import decode_calls, decode_tool, encode_call, encode_tool, split_arguments
from llm_gateway.wire.parts.request_body import mention_json, merge_extra, unknown_fields
from llm_gateway.wire.usage import UsageReader

__all__ = ["DIALECT", "OpenAIChat", "decode_image", "decode_message", "image_url"]

_STOPS: dict[str, StopReason] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "content_filter",
}
_STOP_NAMES = {"end_turn": "stop", "max_tokens": "length", "tool_use": "tool_calls", "content_filter": "content_filter"}
_KNOWN = frozenset(
    "model messages max_tokens max_completion_tokens temperature top_p seed random_seed reasoning_effort reasoning "
    "stop tools tool_choice response_format stream stream_options".split()
)
_DATA_URL = "data:"


@dataclass(frozen=True)
class OpenAIChat:
    """
    The dialect; see `llm_gateway.wire.base.Dialect`.

    Attributes:
        max_tokens_name: The host's field for the output limit.

        has_stream_options: Whether streamed requests contain ``stream_options``; some hosts always send usage.

        seed_name: The host's field for the seed.

        effort_as: The host's field for the reasoning effort: ``reasoning_effort``, ``reasoning.effort``, or
            ``reasoning_effort`` with ``thinking`` to disable it.

        reasoning_name: The field of a message for the model's reasoning, which goes back with the next turn; None for
            hosts that take none.
    """

    max_tokens_name: str = "max_completion_tokens"
    has_stream_options: bool = True
    seed_name: str = "seed"
    effort_as: Literal["reasoning_effort", "reasoning", "thinking"] = "reasoning_effort"
    reasoning_name: str | None = None
    name: str = field(default="openai.chat", init=False)

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; a stream requests its usage, which hosts leave out otherwise."""
        given = mention_json(request).messages
        messages = [row for message in given for row in _encode_messages(message, self.reasoning_name)]
        body: JsonObject = {"model": request.model, "messages": messages}
        optional = {
            self.max_tokens_name: request.max_tokens,
            "stop": list(request.stop) or None,
            "tools": [encode_tool(tool) for tool in request.tools] or None,
            "temperature": request.temperature,
            "top_p": request.top_p,
            self.seed_name: request.seed,
            "tool_choice": request.tool_choice and _encode_choice(request.tool_choice),
            "response_format": _encode_format(request),
            **self._encode_effort(request.reasoning_effort),
        }
        body.update({name: value for name, value in optional.items() if value is not None})
        if request.stream:
            body.update(
                {"stream": True} | ({"stream_options": {"include_usage": True}} if self.has_stream_options else {})
            )
        return merge_extra(body, request.extra, "reasoning")

    def _encode_effort(self, effort: ReasoningEffort | None) -> JsonObject:
        if effort is not None and self.effort_as == "reasoning":
            return {"reasoning": {"effort": effort}}
        if effort == "none" and self.effort_as == "thinking":
            return {"thinking": {"type": "disabled"}}
        return {"reasoning_effort": effort}

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote."""
        choice, stop, effort = body.get("tool_choice"), body.get("stop"), _decode_effort(body)
        form = body.get("response_format") or {}
        schema = form.get("json_schema") or {}
        return ChatRequest(
            model=str(body.get("model") or ""),
            messages=tuple(decode_message(one) for one in body.get("messages") or ()),
            max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
            temperature=body.get("temperature"),
            top_p=body.get("top_p"),
            seed=body.get("seed", body.get("random_seed")),
            reasoning_effort=effort,
            stop=(stop,) if isinstance(stop, str) else tuple(stop or ()),
            tools=tuple(decode_tool(tool["function"]) for tool in body.get("tools") or () if "function" in tool),
            tool_choice=choice["function"]["name"] if isinstance(choice, dict) else choice,
            response_schema=schema.get("schema"),
            response_schema_name=schema.get("name") or "answer",
            json_mode=form.get("type") == "json_object",
            stream=bool(body.get("stream")),
            extra=_decode_extra(body),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        calls = [encode_call(call) for call in reply.tool_calls]
        message = {"role": "assistant", "content": reply.text or None, "refusal": None}
        return {
            "id": reply.id,
            "object": "chat.completion",
            "created": 0,
            "model": reply.model,
            "choices": [
                {
                    "index": 0,
                    "message": {**message, "tool_calls": calls} if calls else message,
                    "finish_reason": _STOP_NAMES.get(reply.stop_reason or "", "stop"),
                    "logprobs": None,
                }
            ],
            "usage": _encode_usage(reply.usage),
        }

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        choice: JsonObject = next(iter(body.get("choices") or ()), {})
        reader = UsageReader(self.name)
        reader.take(body)
        message = choice.get("message") or {}
        return ChatReply(
            parts=_answer_parts(message),
            model=body.get("model"),
            id=body.get("id"),
            stop_reason="refusal" if message.get("refusal") else _STOPS.get(str(choice.get("finish_reason"))),
            usage=reader.usage,
            cost_usd=reader.stated_cost_usd,
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply; *chunks* is its text, one item for each event."""
        base = {"id": reply.id, "object": "chat.completion.chunk", "created": 0, "model": reply.model}

        usage: JsonObject = {} if reply.usage is None else {"usage": None}  # null until the last event reports it

        def event(delta: JsonObject, stop: str | None = None) -> bytes:
            choice = {"index": 0, "delta": delta, "finish_reason": stop, "logprobs": None}
            return _data({**base, "choices": [choice], **usage})

        yield event(
            {"role": "assistant", "content": "" if reply.text or not reply.tool_calls else None, "refusal": None}
        )
        yield from (event({"content": chunk}) for chunk in (chunks or [reply.text]) if chunk)
        for index, call in enumerate(reply.tool_calls):
            yield from (event({"tool_calls": [chunk]}) for chunk in _call_chunks(index, call))
        yield event({}, _STOP_NAMES.get(reply.stop_reason or "", "stop"))
        if reply.usage is not None:
            yield _data({**base, "choices": [], "usage": _encode_usage(reply.usage)})
        yield b"data: [DONE]\n\n"

    def stream_decoder(self) -> ChatStream:
        """Start reading one streamed reply."""
        return ChatStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply."""
        return error_facts(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        return encode_openai_error(status, facts)


DIALECT = OpenAIChat()


def _encode_messages(message: LLMMessage, reasoning_name: str | None = None) -> Iterator[JsonObject]:
    """Yield the messages for one message of ours; each tool result is a message of its own."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    yield from ({"role": "tool", "tool_call_id": one.tool_call_id, "content": one.content} for one in results)
    rest = [part for part in message.parts if isinstance(part, TextPart | ImagePart)]
    calls = [encode_call(part) for part in message.parts if isinstance(part, ToolCall)]
    if calls or rest or not results:
        row: JsonObject = {"role": message.role, "content": _encode_content(rest)}
        if reasoning_name is not None and (reasoning := _reasoning_text(message)):
            row[reasoning_name] = reasoning
        yield {**row, "tool_calls": calls} if calls else row


def _reasoning_text(message: LLMMessage) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, ThinkingPart))


def _encode_content(parts: list[TextPart | ImagePart]) -> Any:
    if all(isinstance(part, TextPart) for part in parts):
        return "".join(part.text for part in parts if isinstance(part, TextPart)) if parts else None
    return [_encode_content_part(part) for part in parts]


def _encode_content_part(part: TextPart | ImagePart) -> JsonObject:
    if isinstance(part, TextPart):
        return {"type": "text", "text": part.text}
    return {"type": "image_url", "image_url": {"url": image_url(part)}}


def image_url(part: ImagePart) -> str:
    """Return the URL of an image; bytes become a ``data:`` URL."""
    return part.url or f"data:{part.media_type};base64,{base64.b64encode(part.data or b'').decode()}"


def _call_chunks(index: int, call: ToolCall) -> Iterator[JsonObject]:
    """Yield a tool call as it is streamed: its name, then its arguments in chunks."""
    whole = encode_call(call)
    yield {"index": index, **whole, "function": {"name": call.name, "arguments": ""}}
    for chunk in split_arguments(whole["function"]["arguments"]):
        yield {"index": index, "function": {"arguments": chunk}}


def _encode_choice(choice: str) -> Any:
    return choice if choice in ("auto", "none", "required") else {"type": "function", "function": {"name": choice}}


_OFF = {"type": "disabled"}


def _decode_effort(body: JsonObject) -> ReasoningEffort | None:
    """Return the reasoning effort, in any of the fields that hosts have for it."""
    if body.get("thinking") == _OFF:
        return "none"
    reasoning = body.get("reasoning")
    return body.get("reasoning_effort") or (reasoning.get("effort") if isinstance(reasoning, dict) else None)


def _decode_extra(body: JsonObject) -> JsonObject:
    extra = {name: value for name, value in body.items() if name not in _KNOWN}
    if extra.get("thinking") == _OFF:
        del extra["thinking"]
    return extra | unknown_fields(body, reasoning="effort")


def _encode_format(request: ChatRequest) -> JsonObject | None:
    if request.response_schema is None:
        return {"type": "json_object"} if request.json_mode else None
    schema = {"name": request.response_schema_name, "schema": request.response_schema, "strict": True}
    return {"type": "json_schema", "json_schema": schema}


def _encode_usage(usage: TokenUsage | None) -> JsonObject | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def decode_message(message: JsonObject) -> LLMMessage:
    """Return one message of a request."""
    role: Role = "system" if message["role"] == "developer" else message["role"]
    if role == "tool":
        return LLMMessage("tool", (ToolResult(str(message.get("tool_call_id")), _decode_text(message.get("content"))),))
    return LLMMessage(role, _decode_content(message.get("content")) + decode_calls(message))


def _decode_content(content: Any) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (TextPart(content),)
    parts: list[Part] = []
    for item in content or ():
        if item.get("type") == "text":
            parts.append(TextPart(str(item.get("text") or "")))
        elif item.get("type") == "image_url":
            parts.append(decode_image(str(item["image_url"]["url"])))
    return tuple(parts)


def _decode_text(content: Any) -> str:
    """Return the text of a chunk, which is a list of blocks for reasoning models of Mistral."""
    return "".join(part.text for part in _decode_content(content) if isinstance(part, TextPart))


def decode_image(url: str) -> ImagePart:
    """Return the image at *url*, which may be a ``data:`` URL."""
    if not url.startswith(_DATA_URL):
        return ImagePart(url=url)
    head, _, coded = url.removeprefix(_DATA_URL).partition(",")
    return ImagePart(base64.b64decode(coded), head.removesuffix(";base64"))


def _answer_parts(message: JsonObject) -> tuple[Part, ...]:
    text, reasoning = message.get("content") or message.get("refusal"), _decode_reasoning(message)
    thinking: tuple[Part, ...] = (ThinkingPart(reasoning),) if reasoning else ()
    return thinking + (_decode_content(text) if text else ()) + decode_calls(message)


def _decode_reasoning(message: JsonObject) -> str:
    """Return the reasoning of a message or a delta, in either of the fields that hosts have for it."""
    found = (message.get(name) for name in ("reasoning_content", "reasoning"))
    return next((text for text in found if isinstance(text, str) and text), "")


def _data(payload: JsonObject) -> bytes:
    return sse.encode(None, json.dumps(payload, ensure_ascii=False, separators=(",", ":")))


class ChatStream:
    """Decoder of one streamed completion; see `llm_gateway.wire.base.StreamDecoder`."""

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._parser = sse.SseParser()
        self._body: JsonObject = {}
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, JsonObject] = {}
        self._stop: str | None = None
        self._reader = UsageReader("openai.chat")

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        deltas: list[StreamDelta] = []
        for event in self._parser.feed(data):
            if event.data == "[DONE]":
                self.is_finished = True
            else:
                deltas += self._take(json.loads(event.data))
        return deltas

    def _take(self, chunk: JsonObject) -> Iterator[StreamDelta]:
        if "error" in chunk:
            error = chunk["error"] if isinstance(chunk["error"], dict) else {"message": str(chunk["error"])}
            self.error = error_facts_in_stream(error, "an error without a message")
        self._body.update({name: chunk[name] for name in ("id", "model") if chunk.get(name)})
        self._reader.take(chunk)
        for choice in chunk.get("choices") or ():
            yield from self._choice(choice)

    def _choice(self, choice: JsonObject) -> Iterator[StreamDelta]:
        delta = choice.get("delta") or {}
        if reasoning := _decode_reasoning(delta):
            self._reasoning.append(reasoning)
            yield StreamDelta(thinking=reasoning)
        if text := _decode_text(delta.get("content")):
            self._text.append(text)
            yield StreamDelta(text=text)
        for call in delta.get("tool_calls") or ():
            self._grow(call)
        if choice.get("finish_reason"):
            self._stop = choice["finish_reason"]
            yield from (StreamDelta(tool_call=call) for call in decode_calls(self._message()))

    def _grow(self, call: JsonObject) -> None:
        known = self._calls.setdefault(call.get("index", 0), {"function": {"name": "", "arguments": ""}})
        function = call.get("function") or {}
        known["id"] = call.get("id") or known.get("id")
        known["function"]["name"] += function.get("name") or ""
        known["function"]["arguments"] += function.get("arguments") or ""

    def _message(self) -> JsonObject:
        return {
            "reasoning_content": "".join(self._reasoning),
            "content": "".join(self._text),
            "tool_calls": [call for _, call in sorted(self._calls.items())],
        }

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        whole = {**self._body, "choices": [{"message": self._message(), "finish_reason": self._stop}]}
        usage, cost_usd = self._reader.usage, self._reader.stated_cost_usd
        return dataclasses.replace(DIALECT.decode_reply(whole), usage=usage, cost_usd=cost_usd)
