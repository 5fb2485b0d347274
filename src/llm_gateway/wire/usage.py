"""Token usage as each API reports it, in one shape: input with cached tokens, output with reasoning."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from llm_gateway.types import JsonObject, TokenUsage

__all__ = ["anthropic_usage", "chat_usage", "responses_usage"]


_MOST_TOKENS = 10**12
_MOST_USD = 10**6
"""More than any call can use and cost; what is above is not believed."""


def number(raw: Any, *path: str) -> int | None:
    """The whole number at *path* inside *raw*, or None when nothing stands there that can be a count."""
    for name in path:
        raw = raw.get(name) if isinstance(raw, dict) else None
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        count = int(raw)
    except (ValueError, OverflowError):
        return None
    return count if 0 <= count <= _MOST_TOKENS else None


def dollars(raw: Any) -> Decimal | None:
    """The US dollars that *raw* says, or None where it says none that a call can cost."""
    try:
        cost = None if isinstance(raw, bool) else Decimal(str(raw))
    except InvalidOperation:
        return None
    return cost if cost is not None and cost.is_finite() and 0 <= cost <= _MOST_USD else None


def _sum(*parts: int | None) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def anthropic_usage(raw: Any) -> TokenUsage | None:
    """``usage`` of the Messages API, whose own input count leaves cached tokens out."""
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
        service_tier="fast" if raw.get("speed") == "fast" else word(raw.get("service_tier")),
    )


_CACHED_IN_CHAT = (
    ("prompt_tokens_details", "cached_tokens"),
    ("cached_tokens",),  # Together
    ("num_cached_tokens",),  # Mistral
    ("prompt_cache_hit_tokens",),  # DeepSeek
    ("prompt_token_details", "cached_tokens"),  # OpenAI's assistants
)


def chat_usage(raw: Any, tier: Any = None) -> TokenUsage | None:
    """``usage`` of chat completions and of the hosts that speak it, which say the *tier* beside it."""
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
        service_tier=word(tier),
    )


def _output(raw: JsonObject) -> int | None:
    """Output with reasoning: xAI leaves it out of the count of the completion, as its total tells."""
    asked, written = number(raw, "prompt_tokens"), number(raw, "completion_tokens")
    thought = number(raw, "completion_tokens_details", "reasoning_tokens")
    if asked is None or written is None or not thought:
        return written
    return written + thought if number(raw, "total_tokens") == asked + written + thought else written


def responses_usage(raw: Any, body: Any = None) -> TokenUsage | None:
    """``usage`` of the Responses API; its *body* holds the tier, and one item for each search."""
    if not isinstance(raw, dict):
        return None
    return TokenUsage(
        input_tokens=number(raw, "input_tokens"),
        output_tokens=number(raw, "output_tokens"),
        cache_read_tokens=number(raw, "input_tokens_details", "cached_tokens"),
        cache_write_tokens=number(raw, "input_tokens_details", "cache_write_tokens"),
        reasoning_tokens=number(raw, "output_tokens_details", "reasoning_tokens"),
        web_searches=_searches(body),
        service_tier=word(body.get("service_tier")) if isinstance(body, dict) else None,
    )


def _searches(body: Any) -> int | None:
    """How many searches a response ran; opening a page it found is no search of its own."""
    items = body.get("output") if isinstance(body, dict) else None
    if not isinstance(items, list):
        return None
    calls = [one for one in items if isinstance(one, dict) and one.get("type") == "web_search_call"]
    return sum((one.get("action") or {}).get("type", "search") == "search" for one in calls) or None


def gemini_usage(raw: Any) -> TokenUsage | None:
    """``usageMetadata`` of Gemini and Vertex, whose count of candidates leaves thoughts out; streams repeat it."""
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
        service_tier=word(raw.get("serviceTier")) or word(raw.get("trafficType")),
    )


def _modality(raw: JsonObject, place: str, wanted: str) -> int | None:
    rows = [one for one in raw.get(place) or () if isinstance(one, dict)]
    return _sum(*(number(one, "tokenCount") for one in rows if one.get("modality") == wanted))


def interactions_usage(raw: Any) -> TokenUsage | None:
    """``usage`` of Gemini's interactions, which leaves thoughts out of its output too."""
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
    """``usage`` of Bedrock's converse and of Nova, whose input leaves cached tokens out; its *tier* is beside it."""
    if not isinstance(raw, dict):
        return None
    read, written = number(raw, "cacheReadInputTokens"), number(raw, "cacheWriteInputTokens")
    fresh = number(raw, "inputTokens")
    return TokenUsage(
        input_tokens=None if fresh is None else _sum(fresh, read, written),
        output_tokens=number(raw, "outputTokens"),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_1h_tokens=_written_for_an_hour(raw.get("cacheDetails")),
        service_tier=word(tier.get("type")) if isinstance(tier, dict) else None,
    )


def _written_for_an_hour(details: Any) -> int | None:
    rows = [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []
    return _sum(*(number(one, "inputTokens") for one in rows if one.get("ttl") == "1h"))


def invoke_usage(body: JsonObject) -> TokenUsage | None:
    """A reply of Bedrock's invoke: the model's own usage, else what Bedrock counted at the end of a stream."""
    usage = body.get("usage")
    if isinstance(usage, dict):
        return _usage_of_a_family(usage)
    if "prompt_token_count" in body:  # Llama
        return TokenUsage(number(body, "prompt_token_count"), number(body, "generation_token_count"))
    if "inputTextTokenCount" in body:  # Titan
        results = [one for one in body.get("results") or () if isinstance(one, dict)]
        return TokenUsage(number(body, "inputTextTokenCount"), _sum(*(number(one, "tokenCount") for one in results)))
    metrics = body.get("amazon-bedrock-invocationMetrics")
    return TokenUsage(number(metrics, "inputTokenCount"), number(metrics, "outputTokenCount"))


def _usage_of_a_family(usage: JsonObject) -> TokenUsage | None:
    if "inputTokens" in usage:
        return converse_usage(usage)
    return chat_usage(usage) if "prompt_tokens" in usage else anthropic_usage(usage)


def cohere_usage(raw: Any) -> TokenUsage | None:
    """``meta`` (v1) or ``usage`` (v2) of Cohere: real tokens, and billed ones only where nothing else is told."""
    if not isinstance(raw, dict):
        return None
    counted = raw.get("tokens") or raw.get("billed_units")
    return TokenUsage(
        input_tokens=number(counted, "input_tokens"),
        output_tokens=number(counted, "output_tokens"),
        cache_read_tokens=number(raw, "cached_tokens"),
    )


def ollama_usage(body: JsonObject) -> TokenUsage:
    """The counts at the top of Ollama's own replies; a prompt that it had evaluated before is not counted."""
    return TokenUsage(number(body, "prompt_eval_count"), number(body, "eval_count"))


def input_only(raw: Any) -> TokenUsage | None:
    """``usage`` of APIs that write no text: embeddings and rankings."""
    if not isinstance(raw, dict):
        return None
    asked = number(raw, "prompt_tokens")
    return TokenUsage(number(raw, "total_tokens") if asked is None else asked, number(raw, "completion_tokens"))


def _traces(body: JsonObject) -> TokenUsage | None:
    """The sum over the models that an agent called, where the reply carries its traces."""
    total: TokenUsage | None = None
    for raw in body.get("traces") or ():
        one = converse_usage(raw)
        total = one if total is None or one is None else total + one
    return total


def _predictions(body: JsonObject) -> TokenUsage | None:
    """Vertex counts for each text that was embedded."""
    rows = [one for one in body.get("predictions") or () if isinstance(one, dict)]
    return TokenUsage(_sum(*(number(one, "embeddings", "statistics", "token_count") for one in rows)))


def word(raw: Any) -> str | None:
    """*raw* where it is text."""
    return raw if isinstance(raw, str) and raw else None


def _chat(body: JsonObject) -> TokenUsage | None:
    return chat_usage(body.get("usage"), body.get("service_tier"))


def _responses(body: JsonObject) -> TokenUsage | None:
    return responses_usage(body.get("usage"), body)


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
    "openai.responses": _responses,
    "openai.responses.compact": _responses,
    "openai.responses.get": _responses,
    "vertex.predict": _predictions,
    "voyage.embeddings": _of("usage", input_only),
    "voyage.rerank": _of("usage", input_only),
}
"""From a whole reply body to its usage, by API."""
