"""
The native chat of Ollama, both directions. Source: the official SDK's types and recorded traffic.

Replies have no id, and tool calls of older versions neither; a result then names its function alone. A stream is one
JSON object per line, in which calls come whole. Times and durations are constants, as this module has no clock.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator

from llm_gateway.exceptions import ProviderError
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
from llm_gateway.wire.framing.json_stream import LineParser
from llm_gateway.wire.parts import errors
from llm_gateway.wire.parts.function_calls import decode_tool, encode_tool
from llm_gateway.wire.parts.gemini_content import Calls
from llm_gateway.wire.parts.request_body import mention_json
from llm_gateway.wire.usage import read_usage

__all__ = ["DIALECT"]

_STOPS: dict[str, StopReason] = {"stop": "end_turn", "length": "max_tokens"}
_KNOWN = frozenset("model messages tools format options stream think".split())
_KNOWN_OPTIONS = frozenset({"num_predict", "temperature", "top_p", "seed", "stop"})
_EFFORTS: dict[object, ReasoningEffort] = {False: "none", "low": "low", "medium": "medium", "high": "high"}
_LEVELS: dict[ReasoningEffort, object] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
"""The nearest of its levels; a model that has none takes each as yes."""
_STEP_NS = 1_000_000
"""Duration of each step in a reply; clients divide by it, so it is not 0."""
_IMAGES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp", b"GIF8": "image/gif"}


class OllamaChat:
    """The dialect; see `llm_gateway.wire.base.Dialect`."""

    name = "ollama.chat"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """
        Write the request body; a tool that is required is the only one, as the API has no field for its name.

        Raises:
            ProviderError: (``unsupported_param``) It holds an image by URL.
        """
        extra, request = dict(request.extra), mention_json(request)
        names = {part.id: part.name for one in request.messages for part in one.parts if isinstance(part, ToolCall)}
        optional = {
            "tools": [encode_tool(tool) for tool in _offered(request)],
            "format": request.response_schema or ("json" if request.json_mode else None),
            "options": _encode_options(request) | extra.pop("options", {}),
        }
        return {
            "model": request.model,
            "messages": [row for one in request.messages for row in _encode_messages(one, names)],
            **{name: value for name, value in optional.items() if value},
            **({} if request.reasoning_effort is None else {"think": _LEVELS[request.reasoning_effort]}),
            "stream": request.stream,
            **extra,
        }

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote; one that does not say otherwise streams."""
        calls, options, form = Calls("call"), body.get("options") or {}, body.get("format")
        limit = options.get("num_predict") or 0
        effort = _EFFORTS.get(body.get("think"))
        known = _KNOWN - ({"think"} if effort is None else set())
        others = {name: value for name, value in options.items() if name not in _KNOWN_OPTIONS}
        return ChatRequest(
            model=str(body.get("model") or ""),
            messages=tuple(_decode_message(one, calls) for one in body.get("messages") or ()),
            max_tokens=limit if limit > 0 else None,
            temperature=options.get("temperature"),
            top_p=options.get("top_p"),
            seed=options.get("seed"),
            reasoning_effort=effort,
            json_mode=form == "json",
            stop=tuple(options.get("stop") or ()),
            tools=tuple(decode_tool(tool["function"]) for tool in body.get("tools") or () if "function" in tool),
            response_schema=form if isinstance(form, dict) else None,
            stream=body.get("stream") is not False,
            extra={name: value for name, value in body.items() if name not in known}
            | ({"options": others} if others else {}),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        return {**self._line(reply, reply.parts), **_ending(reply)}

    def _line(self, reply: ChatReply, parts: tuple[Part, ...]) -> JsonObject:
        message = {"role": "assistant", "content": "", **_encode_turn(parts)}
        return {"model": reply.model, "created_at": "1970-01-01T00:00:00Z", "message": message, "done": False}

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        parts = _decode_turn(body.get("message") or {}, _calls_of(body))
        stop = _STOPS.get(str(body.get("done_reason")))
        has_calls = any(isinstance(part, ToolCall) for part in parts)
        return ChatReply(
            parts=parts,
            model=body.get("model"),
            stop_reason="tool_use" if has_calls and stop == "end_turn" else stop,
            usage=read_usage(self.name, body),
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the lines of the streamed reply; *chunks* is its text, one item for each line."""
        texts = reply.text and (chunks or [reply.text])
        for part in (part for part in reply.parts if isinstance(part, ThinkingPart)):
            yield _written(self._line(reply, (part,)))
        yield from (_written(self._line(reply, (TextPart(chunk),))) for chunk in texts if chunk)
        if reply.tool_calls:
            yield _written(self._line(reply, reply.tool_calls))
        yield _written({**self._line(reply, ()), **_ending(reply)})

    def stream_decoder(self) -> OllamaStream:
        """Start reading one streamed reply."""
        return OllamaStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply, which has a message and no type."""
        return errors.error_facts(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        return errors.error_reply(status, {"error": facts.message}, facts)


DIALECT = OllamaChat()


def _calls_of(body: JsonObject) -> Calls:
    """Return a source of call ids that are unique in a conversation, as they contain the time of the reply."""
    return Calls(f"call_{re.sub(r'[^0-9]', '', str(body.get('created_at')))}")


def _encode_messages(message: LLMMessage, names: dict[str, str]) -> Iterator[JsonObject]:
    """Yield the messages for one message of ours; each tool result is a message of its own."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    for one in results:
        named = {"tool_name": names[one.tool_call_id]} if one.tool_call_id in names else {}
        yield {"role": "tool", "content": one.content, "tool_call_id": one.tool_call_id, **named}
    rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
    if rest or not results:
        yield {"role": message.role, "content": "", **_encode_turn(rest)}


def _encode_turn(parts: tuple[Part, ...]) -> JsonObject:
    row = {
        "content": "".join(part.text for part in parts if isinstance(part, TextPart)),
        "thinking": "".join(part.text for part in parts if isinstance(part, ThinkingPart)),
        "images": [_encode_image(part) for part in parts if isinstance(part, ImagePart)],
        "tool_calls": [
            {"id": call.id, "function": {"index": index, "name": call.name, "arguments": call.arguments}}
            for index, call in enumerate(part for part in parts if isinstance(part, ToolCall))
        ],
    }
    return {name: value for name, value in row.items() if value}


def _encode_image(image: ImagePart) -> str:
    if image.data is not None:
        return base64.b64encode(image.data).decode()
    raise ProviderError(
        f"ollama takes no image by address: {image.url!r}",
        kind="unsupported_param",
        provider="ollama",
        cause="its chat takes an image's bytes only",
        fix="fetch the image and give ImagePart(data=..., media_type='image/png')",
    )


def _decode_message(message: JsonObject, calls: Calls) -> LLMMessage:
    if message["role"] == "tool":
        response = {"output": str(message.get("content") or "")}
        identity, name = message.get("tool_call_id"), message.get("tool_name") or message.get("name")
        return LLMMessage("tool", (calls.result({"id": identity, "name": name, "response": response}),))
    return LLMMessage(message["role"], _decode_turn(message, calls))


def _decode_turn(message: JsonObject, calls: Calls) -> tuple[Part, ...]:
    thinking, content = message.get("thinking"), message.get("content")
    functions = [
        {"id": one.get("id"), "name": function.get("name"), "args": function.get("arguments")}
        for one in message.get("tool_calls") or ()
        for function in [one["function"]]
    ]
    return (
        *((ThinkingPart(thinking),) if thinking else ()),
        *((TextPart(content),) if content else ()),
        *(_decode_image(coded) for coded in message.get("images") or ()),
        *(calls.call(one) for one in functions),
    )


def _decode_image(coded: str) -> ImagePart:
    """Return an image; its media type is taken from its first bytes, as the API states none."""
    data = base64.b64decode(coded)
    return ImagePart(data, next((kind for start, kind in _IMAGES.items() if data.startswith(start)), None))


def _offered(request: ChatRequest) -> tuple[Tool, ...]:
    if request.tool_choice in (None, "auto", "required"):
        return request.tools
    return tuple(tool for tool in request.tools if tool.name == request.tool_choice)


def _encode_options(request: ChatRequest) -> JsonObject:
    options = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "seed": request.seed,
        "stop": list(request.stop) or None,
    }
    return {name: value for name, value in options.items() if value is not None}


def _ending(reply: ChatReply) -> JsonObject:
    usage = reply.usage or TokenUsage()
    counts = {"prompt_eval_count": usage.input_tokens, "eval_count": usage.output_tokens}
    return {
        "done": True,
        "done_reason": "length" if reply.stop_reason == "max_tokens" else "stop",
        "total_duration": 3 * _STEP_NS,
        **dict.fromkeys(("load_duration", "prompt_eval_duration", "eval_duration"), _STEP_NS),
        **{name: count for name, count in counts.items() if count is not None},
    }


def _written(line: JsonObject) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


class OllamaStream:
    """Decoder of one streamed reply; see `llm_gateway.wire.base.StreamDecoder`."""

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._lines = LineParser()
        self._body: JsonObject = {}
        self._texts = {"thinking": "", "content": ""}
        self._calls: list[ToolCall] = []
        self._ids: Calls | None = None

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        return [delta for line in self._lines.feed(data) if line.strip() for delta in self._take(json.loads(line))]

    def _take(self, event: JsonObject) -> Iterator[StreamDelta]:
        if "error" in event:
            message = str(event["error"])
            self.error = ErrorFacts(errors.kind_of(500, message=message), message)
        self._ids = self._ids or _calls_of(event)
        for part in _decode_turn(event.get("message") or {}, self._ids):
            yield self._grown(part)
        self._body.update({name: value for name, value in event.items() if name != "message"})
        self.is_finished = self.error is None and bool(event.get("done"))

    def _grown(self, part: Part) -> StreamDelta:
        match part:
            case ToolCall():
                self._calls.append(part)
                return StreamDelta(tool_call=part)
            case ThinkingPart(text):
                self._texts["thinking"] += text
                return StreamDelta(thinking=text)
            case _:
                text = getattr(part, "text", "")
                self._texts["content"] += text
                return StreamDelta(text=text)

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        thought = (ThinkingPart(self._texts["thinking"]),) if self._texts["thinking"] else ()
        text = (TextPart(self._texts["content"]),) if self._texts["content"] else ()
        return DIALECT.decode_reply({**self._body, "message": _encode_turn((*thought, *text, *self._calls))})
