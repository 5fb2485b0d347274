"""The generateContent API of Gemini, on Vertex too, both directions. Source: google-genai 3.4 and recorded traffic."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator

from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    Headers,
    JsonObject,
    LLMMessage,
    Part,
    StopReason,
    StreamDelta,
    TokenUsage,
    Tool,
    ToolCall,
    WireReply,
)
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.framing import sse
from llm_gateway.wire.framing.json_stream import ArrayParser
from llm_gateway.wire.parts.gemini_content import (
    Calls,
    camel,
    decode_effort,
    decode_message,
    decode_parts,
    encode_contents,
    encode_effort,
    encode_parts,
    extra_thinking,
    json_schema,
)
from llm_gateway.wire.parts.google_errors import decode_error_object, read_error, write_error
from llm_gateway.wire.parts.request_body import mention_json, merge_extra
from llm_gateway.wire.usage import read_usage

__all__ = ["DIALECT", "GenerateContent"]

_FILTERED = (
    "SAFETY RECITATION LANGUAGE BLOCKLIST PROHIBITED_CONTENT SPII MODEL_ARMOR ESCALATION "
    "IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT IMAGE_RECITATION".split()
)
_FAILED = (
    "OTHER MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE "
    "MALFORMED_RESPONSE IMAGE_OTHER NO_IMAGE PUP_LIMITED_DISABLED".split()
)
_STOPS: dict[str, StopReason] = {
    "STOP": "end_turn",
    "MAX_TOKENS": "max_tokens",
    "CONTINUATION": "pause_turn",
    **dict.fromkeys(_FILTERED, "content_filter"),
    **dict.fromkeys(_FAILED, "error"),
}
_STOP_NAMES: dict[StopReason, str] = {
    "max_tokens": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "SAFETY",
    "pause_turn": "CONTINUATION",
    "error": "OTHER",
}
_NUMBERED = ("", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""Vertex writes numbers where a client requests them; above these, its API and Gemini's differ."""
_CHOICES = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
_MODES = {ours: theirs for theirs, ours in _CHOICES.items()}
_KNOWN = frozenset({"model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig"})
_KNOWN_CONFIG = frozenset({"maxOutputTokens", "temperature", "topP", "seed", "thinkingConfig", "stopSequences"})
_SCHEMAS = ("responseJsonSchema", "_responseJsonSchema", "responseSchema")
_JSON = "application/json"


class GenerateContent:
    """
    The dialect; see `llm_gateway.wire.base.Dialect`.

    Model and streaming are part of the URL, not of the body. The thought signature of a part becomes a `ThinkingPart`
    without text in front of it, and is written back to the same part.
    """

    name = "gemini.generate"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; lists and objects that *extra* has too are joined."""
        request = mention_json(request)
        system = [part for message in request.messages if message.role == "system" for part in message.parts]
        body = {
            "contents": encode_contents(request.messages),
            "systemInstruction": {"parts": encode_parts(tuple(system), {})} if system else None,
            "tools": [{"functionDeclarations": [_encode_tool(tool) for tool in request.tools]}]
            if request.tools
            else None,
            "toolConfig": request.tool_choice and {"functionCallingConfig": _encode_choice(request.tool_choice)},
            "generationConfig": _encode_config(request) or None,
        }
        return _joined({name: value for name, value in body.items() if value is not None}, request.extra)

    def decode_request(self, body: JsonObject) -> ChatRequest:
        """Read a request body that any client wrote; field names may be in camel case or snake case."""
        body = camel(body)
        system = body.get("systemInstruction")
        calls = Calls("call")
        messages = [LLMMessage("system", decode_parts(camel(system).get("parts"), calls))] if system else []
        messages += [decode_message(one, calls) for one in body.get("contents") or ()]
        config = camel(body.get("generationConfig") or {})
        choice = _decode_choice(camel(body.get("toolConfig") or {}))
        return ChatRequest(
            model=str(body.get("model") or "").removeprefix("models/"),
            messages=tuple(messages),
            max_tokens=config.get("maxOutputTokens"),
            temperature=config.get("temperature"),
            top_p=config.get("topP"),
            seed=config.get("seed"),
            reasoning_effort=decode_effort(config),
            stop=tuple(config.get("stopSequences") or ()),
            tools=tuple(_decode_tools(body.get("tools") or ())),
            tool_choice=choice,
            response_schema=_decode_schema(config),
            json_mode=config.get("responseMimeType") == _JSON and _decode_schema(config) is None,
            extra=_decode_extra(body, config, choice),
        )

    def encode_reply(self, reply: ChatReply) -> JsonObject:
        """Write the reply body of a call that did not stream."""
        return self._body(reply, encode_parts(reply.parts, {}), reply.stop_reason, _encode_usage(reply.usage))

    def _body(
        self, reply: ChatReply, parts: list[JsonObject], stop: StopReason | None, usage: JsonObject | None
    ) -> JsonObject:
        ended = {} if stop is None else {"finishReason": _STOP_NAMES.get(stop, "STOP")}
        body = {
            "candidates": [{"content": {"parts": parts, "role": "model"}, **ended, "index": 0}],
            "usageMetadata": usage,
            "modelVersion": reply.model,
            "responseId": reply.id,
        }
        return {name: value for name, value in body.items() if value is not None}

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the reply body of a call that did not stream."""
        candidate: JsonObject = next(iter(body.get("candidates") or ()), {})
        content = candidate.get("content") or {}
        parts = decode_parts(content.get("parts"), _calls_of(body))
        return ChatReply(
            parts=parts,
            model=body.get("modelVersion"),
            id=body.get("responseId"),
            stop_reason=_decode_stop(body, candidate, parts),
            usage=read_usage(self.name, body),
        )

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply; *chunks* is its text, one item for each event."""
        whole = [one for part in encode_parts(reply.parts, {}) for one in _part_chunks(part, chunks)]
        for number, one in enumerate(whole, 1):
            yield _data(self._body(reply, [one], None, _so_far(reply.usage, number / (len(whole) + 1))))
        yield _data(self._body(reply, [{"text": ""}], reply.stop_reason or "end_turn", _encode_usage(reply.usage)))

    def stream_decoder(self) -> GenerateStream:
        """Start reading one streamed reply."""
        return GenerateStream()

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply."""
        return read_error(status, headers, body)

    def encode_error(self, status: int, facts: ErrorFacts) -> WireReply:
        """Write an error reply."""
        return write_error(status, facts)


DIALECT = GenerateContent()


def _calls_of(body: JsonObject) -> Calls:
    """Return a source of call ids that are unique among the replies of a conversation."""
    return Calls(f"call_{body.get('responseId') or ''}")


def _joined(body: JsonObject, extra: JsonObject) -> JsonObject:
    made = dict(body)
    for name, value in extra.items():
        ours = body.get(name)
        if isinstance(ours, dict) and isinstance(value, dict):
            made[name] = merge_extra(ours, value, "thinkingConfig")
        else:
            made[name] = [*ours, *value] if isinstance(ours, list) and isinstance(value, list) else value
    return made


def _encode_tool(tool: Tool) -> JsonObject:
    schema = {"parametersJsonSchema": tool.parameters} if tool.parameters else {}
    return {"name": tool.name, "description": tool.description, **schema}


def _encode_choice(choice: str) -> JsonObject:
    if choice in _MODES:
        return {"mode": _MODES[choice]}
    return {"mode": "ANY", "allowedFunctionNames": [choice]}


def _encode_config(request: ChatRequest) -> JsonObject:
    config = {
        "maxOutputTokens": request.max_tokens,
        "temperature": request.temperature,
        "topP": request.top_p,
        "seed": request.seed,
        "thinkingConfig": encode_effort(request.reasoning_effort),
        "stopSequences": list(request.stop) or None,
        "responseMimeType": _JSON if request.json_mode or request.response_schema is not None else None,
        "responseJsonSchema": request.response_schema,
    }
    return {name: value for name, value in config.items() if value is not None}


def _decode_tools(tools: Iterable[JsonObject]) -> Iterator[Tool]:
    for tool in tools:
        for raw in camel(tool).get("functionDeclarations") or ():
            made = camel(raw)
            schema = made.get("parametersJsonSchema") or json_schema(made.get("parameters") or {})
            yield Tool(str(made.get("name")), str(made.get("description") or ""), schema)


def _decode_choice(config: JsonObject) -> str | None:
    """Return ``auto``, ``none``, ``required`` or a tool's name; None for modes that only this API has."""
    calling = camel(config.get("functionCallingConfig") or {})
    names = calling.get("allowedFunctionNames") or []
    if len(names) == 1 and calling.get("mode") == "ANY":
        return str(names[0])
    return None if names else _CHOICES.get(str(calling.get("mode")))


def _decode_schema(config: JsonObject) -> JsonObject | None:
    name = next((name for name in _SCHEMAS if config.get(name)), None)
    if name is None:
        return None
    return json_schema(config[name]) if name == "responseSchema" else config[name]


def _decode_extra(body: JsonObject, config: JsonObject, choice: str | None) -> JsonObject:
    """Return the fields that `ChatRequest` has none for: tools that Google runs, modes and settings of this API."""
    is_json = config.get("responseMimeType") == _JSON or _decode_schema(config) is not None
    known = _KNOWN_CONFIG | ({"responseMimeType", *_SCHEMAS} if is_json else frozenset())
    settings = {name: value for name, value in config.items() if name not in known}
    others = {
        "tools": [tool for tool in body.get("tools") or () if "functionDeclarations" not in camel(tool)],
        "toolConfig": {
            name: value
            for name, value in camel(body.get("toolConfig") or {}).items()
            if choice is None or name != "functionCallingConfig"
        },
        "generationConfig": settings | extra_thinking(config),
    }
    return {name: value for name, value in body.items() if name not in _KNOWN} | {
        name: value for name, value in others.items() if value
    }


def _decode_stop(body: JsonObject, candidate: JsonObject, parts: tuple[Part, ...]) -> StopReason | None:
    reason = _reason(candidate)
    if reason == "STOP" and any(isinstance(part, ToolCall) for part in parts):
        return "tool_use"
    if not reason and _is_blocked(body):
        return "content_filter"
    return _STOPS.get(reason)


def _reason(candidate: JsonObject) -> str:
    """Return the finish reason of a candidate; empty while it has none."""
    reason = candidate.get("finishReason") or ""
    if isinstance(reason, int):
        return _NUMBERED[reason] if reason < len(_NUMBERED) else str(reason)
    return "" if reason == "FINISH_REASON_UNSPECIFIED" else str(reason)


def _is_blocked(body: JsonObject) -> bool:
    """Return True when the prompt was blocked, so that there is no candidate at all."""
    return bool((body.get("promptFeedback") or {}).get("blockReason"))


def _encode_usage(usage: TokenUsage | None) -> JsonObject | None:
    if usage is None:
        return None
    thoughts, output = usage.reasoning_tokens, usage.output_tokens
    counts = {
        "promptTokenCount": usage.input_tokens,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "candidatesTokenCount": None if output is None else output - (thoughts or 0),
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": usage.total_tokens,
        "promptTokensDetails": _modalities(
            TEXT=None if usage.input_tokens is None else usage.input_tokens - (usage.input_audio_tokens or 0),
            AUDIO=usage.input_audio_tokens,
        ),
        "candidatesTokensDetails": _modalities(AUDIO=usage.output_audio_tokens, IMAGE=usage.output_image_tokens),
        "serviceTier": usage.service_tier,
    }
    return {name: value for name, value in counts.items() if value is not None}


def _part_chunks(part: JsonObject, chunks: Iterable[str] | None) -> list[JsonObject]:
    return [{"text": chunk} for chunk in chunks if chunk] if chunks and part.keys() == {"text"} else [part]


def _so_far(usage: TokenUsage | None, share: float) -> JsonObject | None:
    """Return the usage after *share* of the stream was sent; the API reports a running total in each event."""
    if usage is None or usage.output_tokens is None:
        return _encode_usage(usage)
    thought = usage.reasoning_tokens or 0
    written = thought + int((usage.output_tokens - thought) * share)
    return _encode_usage(dataclasses.replace(usage, output_tokens=written))


def _modalities(**counts: int | None) -> list[JsonObject] | None:
    rows = [{"modality": name, "tokenCount": count} for name, count in counts.items() if count is not None]
    return rows or None


def _data(payload: JsonObject) -> bytes:
    return sse.encode(None, json.dumps(payload, ensure_ascii=False, separators=(",", ":")))


class GenerateStream:
    """
    Decoder of one streamed reply; see `llm_gateway.wire.base.StreamDecoder`.

    Events come as server-sent ones (``?alt=sse``) or as the items of one JSON array. Each event holds the usage
    so far, so the last one counts.
    """

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._head = b""
        self._parser: sse.SseParser | ArrayParser | None = None
        self._body: JsonObject = {}
        self._parts: list[JsonObject] = []
        self._ended: JsonObject = {}
        self._calls: Calls | None = None

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        return [delta for event in self._events(data) for delta in self._take(json.loads(event))]

    def _events(self, data: bytes) -> list[str]:
        if self._parser is None:
            self._head += data
            if not (start := self._head.lstrip()):
                return []
            self._parser, data = ArrayParser() if start.startswith(b"[") else sse.SseParser(), self._head
        found = self._parser.feed(data)
        return [one if isinstance(one, str) else one.data for one in found]

    def _take(self, event: JsonObject) -> Iterator[StreamDelta]:
        if isinstance(event.get("error"), dict):
            self.error = decode_error_object(event["error"])
        kept = ("modelVersion", "responseId", "usageMetadata", "promptFeedback")
        self._body.update({name: event[name] for name in kept if event.get(name)})
        for candidate in event.get("candidates") or ():
            if not candidate.get("index"):
                yield from self._candidate(candidate)
        self.is_finished = self.is_finished or _is_blocked(event)

    def _candidate(self, candidate: JsonObject) -> Iterator[StreamDelta]:
        for part in (candidate.get("content") or {}).get("parts") or ():
            yield from self._part(camel(part))
        if _reason(candidate):
            self.is_finished, self._ended = True, {"finishReason": candidate["finishReason"]}

    def _part(self, part: JsonObject) -> Iterator[StreamDelta]:
        if isinstance(part.get("functionCall"), dict):
            call = self._call(part["functionCall"])
            self._parts.append({**part, "functionCall": {**part["functionCall"], "id": call.id}})
            yield StreamDelta(tool_call=call)
            return
        text = part.get("text")
        if isinstance(text, str) and "thoughtSignature" not in part and self._is_more(part):
            self._parts[-1]["text"] += text
        else:
            self._parts.append(dict(part))
        if text:
            yield StreamDelta(thinking=text) if part.get("thought") else StreamDelta(text=text)

    def _call(self, raw: JsonObject) -> ToolCall:
        self._calls = self._calls or _calls_of(self._body)
        return self._calls.call(raw)

    def _is_more(self, part: JsonObject) -> bool:
        """Return True when *part* continues the text of the last part; a part with a signature never does."""
        last = self._parts[-1] if self._parts else {}
        return "text" in last and "thoughtSignature" not in last and part.get("thought") == last.get("thought")

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        candidate = {"content": {"parts": self._parts}, **self._ended}
        return DIALECT.decode_reply({**self._body, "candidates": [candidate]})
