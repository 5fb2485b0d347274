"""Readers of token usage for each API; input includes cached tokens, output includes reasoning."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from llm_gateway.record import is_cost
from llm_gateway.types import JsonObject, TokenUsage
from llm_gateway.usage import MOST_TOKENS

__all__ = ["UsageReader", "anthropic_usage", "chat_usage", "dollars", "read_usage", "responses_usage"]

_DIGITS = re.compile(r"[0-9]{1,13}")


def number(raw: Any, *path: str) -> int | None:
    """Return the count at *path* inside *raw*: a whole number of 0 or more, else None."""
    for name in path:
        raw = raw.get(name) if isinstance(raw, dict) else None
    if isinstance(raw, str):
        raw = int(raw) if _DIGITS.fullmatch(raw) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return int(raw) if 0 <= raw <= MOST_TOKENS and raw == int(raw) else None


def dollars(raw: Any) -> Decimal | None:
    """Return *raw* as US dollars; None when it is not an amount that a call can cost."""
    try:
        cost = Decimal(str(raw))
    except InvalidOperation:
        return None
    return cost if is_cost(cost) else None


def _rows(raw: Any) -> list[JsonObject]:
    """Return the objects in the array *raw*; none where it is no array."""
    return [one for one in raw if isinstance(one, dict)] if isinstance(raw, list) else []


def _sum(*parts: int | None) -> int | None:
    """Return the sum of the known *parts*; None without any, and where it is more than a call can use."""
    known = [part for part in parts if part is not None]
    return number(sum(known)) if known else None


def anthropic_usage(raw: Any) -> TokenUsage | None:
    """Read ``usage`` of the Messages API, whose input count excludes cached tokens."""
    if not isinstance(raw, dict):
        return None
    read, written = number(raw, "cache_read_input_tokens"), number(raw, "cache_creation_input_tokens")
    fresh = number(raw, "input_tokens")
    return TokenUsage(
        input_tokens=None if fresh is None else _sum(fresh, read, written),
        output_tokens=number(raw, "output_tokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=number(raw, "cache_creation", "ephemeral_1h_input_tokens"),
        reasoning_tokens=number(raw, "output_tokens_details", "thinking_tokens"),
        web_searches=number(raw, "server_tool_use", "web_search_requests"),
        service_tier="fast" if raw.get("speed") == "fast" else text_or_none(raw.get("service_tier")),
    )


_CACHED_IN_CHAT = (
    ("prompt_tokens_details", "cached_tokens"),
    ("cached_tokens",),  # Together
    ("num_cached_tokens",),  # Mistral
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("prompt_token_details", "cached_tokens"),  # OpenAI's assistants
)


def chat_usage(raw: Any, tier: Any = None) -> TokenUsage | None:
    """Read ``usage`` of chat completions; *tier* is the ``service_tier`` of the body."""
    if not isinstance(raw, dict):
        return None
    places = (number(raw, *path) for path in _CACHED_IN_CHAT)
    cached = next((count for count in places if count is not None), None)
    return TokenUsage(
        input_tokens=number(raw, "prompt_tokens"),
        output_tokens=_output(raw),
        cache_read_tokens=cached,
        cache_write_tokens=number(raw, "prompt_tokens_details", "cache_write_tokens"),
        reasoning_tokens=number(raw, "completion_tokens_details", "reasoning_tokens"),
        input_audio_tokens=number(raw, "prompt_tokens_details", "audio_tokens"),
        output_audio_tokens=number(raw, "completion_tokens_details", "audio_tokens"),
        web_searches=number(raw, "server_tool_use", "web_search_requests"),  # OpenRouter
        service_tier=text_or_none(tier),
    )


def _output(raw: JsonObject) -> int | None:
    """Return output with reasoning, which xAI leaves out of ``completion_tokens`` but not of ``total_tokens``."""
    prompt, written = number(raw, "prompt_tokens"), number(raw, "completion_tokens")
    thought = number(raw, "completion_tokens_details", "reasoning_tokens")
    if prompt is None or written is None or not thought:
        return written
    return written + thought if number(raw, "total_tokens") == prompt + written + thought else written


def responses_usage(body: JsonObject) -> TokenUsage | None:
    """Read the usage of a response; its *body* also holds the tier, and an item for each search."""
    raw = body.get("usage")
    if not isinstance(raw, dict):
        return None
    return TokenUsage(
        input_tokens=number(raw, "input_tokens"),
        output_tokens=number(raw, "output_tokens"),
        cache_read_tokens=number(raw, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=number(raw, "input_tokens_details", "cache_write_tokens"),
        reasoning_tokens=number(raw, "output_tokens_details", "reasoning_tokens"),
        web_searches=_searches(body),
        service_tier=text_or_none(body.get("service_tier")),
    )


def _searches(body: JsonObject) -> int | None:
    """Return the number of searches in a response; opening a page is not a search. None without one."""
    calls = [one for one in _rows(body.get("output")) if one.get("type") == "web_search_call"]
    return sum(_is_search(one.get("action")) for one in calls) or None


def _is_search(action: Any) -> bool:
    return not isinstance(action, dict) or action.get("type", "search") == "search"


def gemini_usage(raw: Any) -> TokenUsage | None:
    """Read ``usageMetadata`` of Gemini and Vertex, whose count of candidates excludes thoughts."""
    if not isinstance(raw, dict):
        return None
    thoughts, cached = number(raw, "thoughtsTokenCount"), number(raw, "cachedContentTokenCount")
    return TokenUsage(
        input_tokens=_sum(number(raw, "promptTokenCount"), number(raw, "toolUsePromptTokenCount")),
        output_tokens=_sum(number(raw, "candidatesTokenCount"), thoughts),
        cache_read_tokens=cached,
        reasoning_tokens=thoughts,
        input_audio_tokens=_modality(raw, "promptTokensDetails", "AUDIO"),
        output_audio_tokens=_modality(raw, "candidatesTokensDetails", "AUDIO"),
        output_image_tokens=_modality(raw, "candidatesTokensDetails", "IMAGE"),
        service_tier=text_or_none(raw.get("serviceTier")) or text_or_none(raw.get("trafficType")),
    )


def _modality(raw: JsonObject, place: str, wanted: str) -> int | None:
    return _sum(*(number(one, "tokenCount") for one in _rows(raw.get(place)) if one.get("modality") == wanted))


def interactions_usage(raw: Any) -> TokenUsage | None:
    """Read ``usage`` of Gemini's interactions, whose output count excludes thoughts."""
    if not isinstance(raw, dict):
        return None
    thoughts = number(raw, "total_thought_tokens")
    return TokenUsage(
        input_tokens=_sum(number(raw, "total_input_tokens"), number(raw, "total_tool_use_tokens")),
        output_tokens=_sum(number(raw, "total_output_tokens"), thoughts),
        cache_read_tokens=number(raw, "total_cached_tokens"),
        reasoning_tokens=thoughts,
    )


def converse_usage(raw: Any, tier: Any = None) -> TokenUsage | None:
    """Read ``usage`` of Converse and Nova, whose input excludes cached tokens; *tier* is the body's ``serviceTier``."""
    if not isinstance(raw, dict):
        return None
    read, written = number(raw, "cacheReadInputTokens"), number(raw, "cacheWriteInputTokens")
    fresh = number(raw, "inputTokens")
    return TokenUsage(
        input_tokens=None if fresh is None else _sum(fresh, read, written),
        output_tokens=number(raw, "outputTokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=_cache_writes_1h(raw.get("cacheDetails")),
        service_tier=text_or_none(tier.get("type")) if isinstance(tier, dict) else None,
    )


def _cache_writes_1h(details: Any) -> int | None:
    return _sum(*(number(one, "inputTokens") for one in _rows(details) if one.get("ttl") == "1h"))


def invoke_usage(body: JsonObject) -> TokenUsage | None:
    """Read the usage of Bedrock's invoke: the model's own, else Bedrock's metrics at the end of a stream."""
    usage = body.get("usage")
    if isinstance(usage, dict):
        return _model_usage(usage)
    if "prompt_token_count" in body:  # Llama
        return TokenUsage(number(body, "prompt_token_count"), number(body, "generation_token_count"))
    if "inputTextTokenCount" in body:  # Titan
        written = _sum(*(number(one, "tokenCount") for one in _rows(body.get("results"))))
        return TokenUsage(number(body, "inputTextTokenCount"), written)
    metrics = body.get("amazon-bedrock-invocationMetrics")
    return TokenUsage(number(metrics, "inputTokenCount"), number(metrics, "outputTokenCount"))


def _model_usage(usage: JsonObject) -> TokenUsage | None:
    if "inputTokens" in usage:
        return converse_usage(usage)
    return chat_usage(usage) if "prompt_tokens" in usage else anthropic_usage(usage)


def cohere_usage(raw: Any) -> TokenUsage | None:
    """Read ``meta`` (v1) or ``usage`` (v2) of Cohere: tokens, or billed units where it reports no tokens."""
    if not isinstance(raw, dict):
        return None
    counted = raw.get("tokens") or raw.get("billed_units")
    return TokenUsage(
        input_tokens=number(counted, "input_tokens"),
        output_tokens=number(counted, "output_tokens"),
        cache_read_tokens=number(raw, "cached_tokens"),
    )


def ollama_usage(body: JsonObject) -> TokenUsage:
    """Read the counts in a reply of Ollama, which excludes a prompt that it had evaluated before."""
    return TokenUsage(number(body, "prompt_eval_count"), number(body, "eval_count"))


def input_only(raw: Any) -> TokenUsage | None:
    """Read ``usage`` of APIs without output text: embeddings and rankings."""
    if not isinstance(raw, dict):
        return None
    prompt = number(raw, "prompt_tokens")
    return TokenUsage(number(raw, "total_tokens") if prompt is None else prompt, number(raw, "completion_tokens"))


def _traces(body: JsonObject) -> TokenUsage | None:
    """Return the sum over the model calls in the traces of an agent; None without traces."""
    total: TokenUsage | None = None
    for raw in _rows(body.get("traces")):
        one = converse_usage(raw)
        total = one if total is None or one is None else total + one
    return total


def _predictions(body: JsonObject) -> TokenUsage | None:
    """Return the sum over the embedded texts, which Vertex counts one by one."""
    counts = (number(one, "embeddings", "statistics", "token_count") for one in _rows(body.get("predictions")))
    return TokenUsage(_sum(*counts))


def text_or_none(raw: Any) -> str | None:
    """Return *raw* if it is text that is not empty."""
    return raw if isinstance(raw, str) and raw else None


def _chat(body: JsonObject) -> TokenUsage | None:
    return chat_usage(body.get("usage"), body.get("service_tier"))


def _of(name: str, read: Callable[[Any], TokenUsage | None]) -> Callable[[JsonObject], TokenUsage | None]:
    return lambda body: read(body.get(name))


READERS: dict[str, Callable[[JsonObject], TokenUsage | None]] = {
    "alephalpha.complete": lambda body: TokenUsage(
        number(body, "num_tokens_prompt_total"), number(body, "num_tokens_generated")
    ),
    "anthropic.messages": _of("usage", anthropic_usage),
    "bedrock.agent": _traces,
    "bedrock.converse": lambda body: converse_usage(body.get("usage"), body.get("serviceTier")),
    "bedrock.invoke": invoke_usage,
    "cohere.v1.chat": _of("meta", cohere_usage),
    "cohere.v1.generate": _of("meta", cohere_usage),
    "cohere.v2.chat": _of("usage", cohere_usage),
    "cohere.v2.embed": _of("meta", cohere_usage),
    "gemini.embed": _of("usageMetadata", gemini_usage),
    "gemini.generate": _of("usageMetadata", gemini_usage),
    "gemini.interactions": _of("usage", interactions_usage),
    "ollama.chat": ollama_usage,
    "ollama.embed": ollama_usage,
    "ollama.generate": ollama_usage,
    "openai.assistants.run": _chat,
    "openai.chat": _chat,
    "openai.completions": _chat,
    "openai.embeddings": _of("usage", input_only),
    "openai.responses": responses_usage,
    "openai.responses.compact": responses_usage,
    "openai.responses.get": responses_usage,
    "vertex.predict": _predictions,
    "voyage.embeddings": _of("usage", input_only),
    "voyage.rerank": _of("usage", input_only),
}
"""Reader of a whole reply body, by API."""


_SERVED = ("model", "modelVersion", "model_version")
"""Fields with the model that answered; Gemini and Aleph Alpha have their own."""
_NOT_KEPT = frozenset({"choices", "delta", "content", "candidates"})
_NESTED = ("response", "delta", "x_groq", "interaction")
# Path to the usage of one model call in a trace of an agent; None is any name, as steps have different ones.
_TRACED = ("trace", None, "modelInvocationOutput", "metadata", "usage")


def read_usage(api: str, body: JsonObject) -> TokenUsage | None:
    """Return the usage in a whole reply *body* of *api*; None where it reports none."""
    reader = UsageReader(api)
    reader.take(body)
    return reader.usage


class UsageReader:
    """
    Reader of model, usage and stated cost of one reply of *api*, fed with its JSON objects.

    These are one body, or the events of a stream. It is the only reader of usage, and never raises on junk.
    """

    def __init__(self, api: str) -> None:
        self._api = api
        self._merges = api.startswith(("anthropic.", "bedrock.invoke"))
        self._body: JsonObject = {}

    def take(self, event: JsonObject) -> None:
        """Take the next object of the reply."""
        if self._api == "bedrock.agent":
            if (traced := _at(event, *_TRACED)) is not None:
                self._body.setdefault("traces", []).append(traced)
            return
        kind = str(event.get("type"))
        whole = event.get("message") if kind == "message_start" else event.get("response")
        if isinstance(whole, dict) and kind.startswith(("message_start", "response.")):
            self._body.update(whole)
            return
        before = self._body.get("usage")
        self._body.update({name: one for name, one in event.items() if one is not None and name not in _NOT_KEPT})
        if self._merges and isinstance(usage := event.get("usage"), dict):  # a later event has only what has changed
            known = {name: one for name, one in usage.items() if one is not None}
            self._body["usage"] = {**(before if isinstance(before, dict) else {}), **known}
        self._take_nested(event)

    def _take_nested(self, event: JsonObject) -> None:
        """Copy fields that are nested in the events of some APIs to where whole replies have them."""
        for place in _NESTED:
            value = event.get(place)
            if isinstance(value, dict):
                self._body.update({name: value[name] for name in ("usage", "meta", "model") if value.get(name)})

    @property
    def model(self) -> str | None:
        """Return the model that answered, as the provider names it; None without one."""
        return next((name for place in _SERVED if (name := text_or_none(self._body.get(place))) is not None), None)

    @property
    def usage(self) -> TokenUsage | None:
        """Return the usage so far; None where none is reported, or the API has no reader."""
        reader = READERS.get(self._api)
        usage = reader(self._body) if reader else None
        return usage if usage is not None and usage != TokenUsage(service_tier=usage.service_tier) else None

    @property
    def stated_cost_usd(self) -> Decimal | None:
        """Return the US dollars in the usage; the catalogue lists the providers whose figure is the cost."""
        usage = self._body.get("usage")
        return dollars(usage.get("cost")) if isinstance(usage, dict) else None


def _at(value: Any, *path: str | None) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name) if name else next(iter(value.values()), None)
    return value
