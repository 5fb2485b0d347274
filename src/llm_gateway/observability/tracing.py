"""
Spans by OpenTelemetry's GenAI conventions: one for each call, with a child for each attempt.

The span of a call has the ``gen_ai.*`` attributes, with the tokens of all attempts. Spans of attempts have their own
tokens as ``llm_gateway.*``: a backend that adds up ``gen_ai.usage.*`` counts each token once. Prompts, answers and
messages of errors, which may quote them, are recorded only with ``capture_content``.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from llm_gateway.observability.events import (
    AttemptEnded,
    AttemptStarted,
    CallEnded,
    CallStarted,
    Event,
    FallbackHop,
    FirstContent,
)
from llm_gateway.observability.opentelemetry import (
    SCOPE,
    Export,
    ended_attributes,
    load,
    started_attributes,
    target_attributes,
)
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    Part,
    StopReason,
    TextPart,
    ThinkingPart,
    ToolCall,
    ToolResult,
)
from llm_gateway.usage import CACHE_READ, CACHE_WRITE, TokenUsage

__all__ = ["Tracing"]

_SUPPRESS_KEY = "suppress_language_model_instrumentation"
"""Key in the context with which OpenLLMetry's instrumentations of SDKs are switched off."""
_GENAI_MODULE = "opentelemetry.util.genai.invocation"
"""Module with the context key of OpenTelemetry's own instrumentations of SDKs."""
_USAGE = {
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    **{name: f"gen_ai.usage.{name.removesuffix('_tokens')}.input_tokens" for name in (CACHE_READ, CACHE_WRITE)},
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
}


@dataclass
class _Spans:
    """The open spans of one call."""

    call: Any
    attempt: Any = None
    hops: int = 0


class Tracing:
    """
    An observer that makes spans; it has no effect unless an OpenTelemetry SDK is set up.

    Args:
        tracer_provider: Receives the spans; None is OpenTelemetry's global one.

        capture_content: Whether spans contain prompts, answers, tools and the messages of errors.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """

    def __init__(self, tracer_provider: Any = None, *, capture_content: bool = False) -> None:
        self._trace, self._context = load("opentelemetry.trace"), load("opentelemetry.context")
        self._tracer = self._trace.get_tracer(SCOPE, tracer_provider=tracer_provider)
        self._capture_content = capture_content
        self._open: dict[int, _Spans] = {}

    def observe(self, event: Event) -> None:
        """Begin or end a span."""
        if isinstance(event, CallStarted):
            self._open[event.call_id] = _Spans(self._begin(event))
        elif isinstance(event, CallEnded):
            self._end(event, self._open.pop(event.started.call_id))
        else:
            self._during(event, self._open[event.call_id])

    def _during(self, event: AttemptStarted | FirstContent | AttemptEnded | FallbackHop, spans: _Spans) -> None:
        match event:
            case AttemptStarted():
                spans.attempt = self._begin_attempt(event, spans.call)
            case AttemptEnded():
                self._end_attempt(event, spans.attempt)
                spans.attempt = None
            case FirstContent(after_s=after_s):
                spans.call.set_attribute("gen_ai.response.time_to_first_chunk", after_s)
            case FallbackHop():
                spans.hops += 1
                spans.call.set_attribute("llm_gateway.fallbacks", spans.hops)

    def enter(self, call_id: int) -> object:
        """Make the span of the attempt current, and suppress the duplicate spans of an instrumented SDK."""
        spans = self._open[call_id]
        context = self._trace.set_span_in_context(spans.attempt or spans.call)
        context = self._context.set_value(_SUPPRESS_KEY, True, context)
        if genai := sys.modules.get(_GENAI_MODULE):
            context = self._context.set_value(genai.CLIENT_INFERENCE_CONTEXT_KEY, genai.InferenceData(), context)
        return self._context.attach(context)

    def leave(self, token: object) -> None:
        """Restore the previous context."""
        self._context.detach(token)

    def _begin(self, started: CallStarted) -> Any:
        attributes = started_attributes(started) | _request_options(started)
        if self._capture_content:
            attributes |= request_attributes(started.request)
        return self._tracer.start_span(
            f"chat {started.model}".rstrip(), kind=self._trace.SpanKind.CLIENT, attributes=attributes
        )

    def _begin_attempt(self, started: AttemptStarted, parent: Any) -> Any:
        attributes = target_attributes(started) | {"llm_gateway.attempt": started.number}
        context = self._trace.set_span_in_context(parent)
        return self._tracer.start_span(f"attempt {started.model}".rstrip(), context=context, attributes=attributes)

    def _end_attempt(self, ended: AttemptEnded, span: Any) -> None:
        attempt = ended.attempt
        span.set_attributes({f"llm_gateway.{name}": value for name, value in _used(attempt.usage).items()})
        if ended.reply is not None:
            span.set_attribute("gen_ai.response.model", attempt.model)
        if attempt.status is not None:
            span.set_attribute("http.response.status_code", attempt.status)
        if attempt.cost_usd is not None:
            span.set_attribute("llm_gateway.cost_usd", float(attempt.cost_usd))
        self._close(span, ended.end, ended.error, None)

    def _end(self, ended: CallEnded, spans: _Spans) -> None:
        span, reply = spans.call, ended.reply
        span.set_attributes(ended_attributes(ended))
        span.set_attributes({_USAGE[name]: value for name, value in _used(ended.usage).items()})
        if ended.cost_usd is not None:
            span.set_attribute("llm_gateway.cost_usd", float(ended.cost_usd))
        if reply is not None:
            span.set_attributes(_reply_facts(reply))
            if self._capture_content:
                span.set_attributes(reply_attributes(reply))
        self._close(span, ended.end, ended.error, ended.exception)

    def _close(self, span: Any, end: str, error: str | None, exception: BaseException | None) -> None:
        if end == "abandoned":
            span.set_attribute("llm_gateway.end", end)
        if error is not None:
            span.set_attribute("error.type", error)
            message = str(exception) if self._capture_content and exception is not None else None
            span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, message))
        span.end()


def _request_options(started: CallStarted) -> dict[str, Any]:
    """Return the attributes of a request that spans have and metrics have not."""
    request = started.request
    found = {
        "gen_ai.conversation.id": started.session_id,
        "gen_ai.output.type": "json" if request.json_mode or request.response_schema is not None else None,
        "gen_ai.request.max_tokens": request.max_tokens,
        "gen_ai.request.stream": started.verb == "stream" or None,
        "gen_ai.request.reasoning.level": request.reasoning_effort,
        "gen_ai.request.seed": request.seed,
        "gen_ai.request.temperature": request.temperature,
        "gen_ai.request.top_p": request.top_p,
        "gen_ai.request.stop_sequences": request.stop or None,
        **_extra(request),
    }
    return {name: value for name, value in found.items() if value is not None}


def _extra(request: ChatRequest) -> dict[str, Any]:
    names = ("frequency_penalty", "presence_penalty", "seed", "top_k", "top_p")
    options = {name: request.extra.get(name) for name in names}
    return {f"gen_ai.request.{name}": value for name, value in options.items() if isinstance(value, int | float)}


def _used(usage: TokenUsage | None) -> dict[str, int]:
    """Return the reported tokens, by their names in `TokenUsage`."""
    known = {name: getattr(usage, name, None) for name in _USAGE}
    return {name: value for name, value in known.items() if value is not None}


def _reply_facts(reply: ChatReply) -> dict[str, Any]:
    reasons = None if reply.stop_reason is None else (finish_reason(reply.stop_reason),)
    found = {"gen_ai.response.id": reply.id, "gen_ai.response.finish_reasons": reasons}
    return {name: value for name, value in found.items() if value is not None}


def configured(export: Export, *, capture_content: bool = False) -> Tracing:
    """Return the observer for ``LLM_TRACING``; a program that has set up OpenTelemetry keeps its own exporters."""
    _set_up(export)
    return Tracing(capture_content=capture_content)


@functools.cache
def _set_up(export: Export) -> None:
    """Set up the export, once in a process, unless the program has done so."""
    trace, sdk = load("opentelemetry.trace"), load("opentelemetry.sdk.trace")
    if isinstance(trace.get_tracer_provider(), sdk.TracerProvider):
        return
    exports, provider = load("opentelemetry.sdk.trace.export"), sdk.TracerProvider()
    if export == "console":
        provider.add_span_processor(exports.SimpleSpanProcessor(exports.ConsoleSpanExporter()))
    else:
        otlp = load("opentelemetry.exporter.otlp.proto.http.trace_exporter")
        provider.add_span_processor(exports.BatchSpanProcessor(otlp.OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_call"}


def finish_reason(reason: StopReason) -> str:
    """Return the conventions' word for *reason*, or our own where they have none."""
    return _REASONS.get(reason, reason)


def request_attributes(request: ChatRequest) -> dict[str, str]:
    """Return the attributes with the conversation, the system prompt and the tools."""
    system = [part for one in request.messages if one.role == "system" for part in one.parts]
    messages = [one for one in request.messages if one.role != "system"]
    found = {
        "gen_ai.system_instructions": _parts(system),
        "gen_ai.input.messages": [{"role": one.role, "parts": _parts(one.parts)} for one in messages],
        "gen_ai.tool.definitions": [
            {"type": "function", "name": one.name, "description": one.description, "parameters": one.parameters}
            for one in request.tools
        ],
    }
    return {name: json.dumps(value, ensure_ascii=False) for name, value in found.items() if value}


def reply_attributes(reply: ChatReply) -> dict[str, str]:
    """Return the attribute with the answer."""
    message: dict[str, Any] = {"role": "assistant", "parts": _parts(reply.parts)}
    if reply.stop_reason is not None:
        message["finish_reason"] = finish_reason(reply.stop_reason)
    return {"gen_ai.output.messages": json.dumps([message], ensure_ascii=False)}


def _parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    return [_part(one) for one in parts]


def _part(part: Part) -> dict[str, Any]:
    match part:
        case TextPart(text):
            return {"type": "text", "content": text}
        case ThinkingPart(text):
            return {"type": "reasoning", "content": text}
        case ToolCall(id_, name, arguments):
            return {"type": "tool_call", "id": id_, "name": name, "arguments": arguments}
        case ToolResult(id_, content):
            return {"type": "tool_call_response", "id": id_, "response": content}
        case ImagePart(None, media_type, url):
            return {"type": "uri", "modality": "image", "mime_type": media_type, "uri": url}
        case ImagePart(data, media_type):  # too large for any backend: only its size is recorded
            return {"type": "blob", "modality": "image", "mime_type": media_type, "size": len(data or b"")}
