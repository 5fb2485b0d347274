"""The most that a request can use: its input estimated on the safe side, its output as far as it may go."""

from __future__ import annotations

import json
import string
from dataclasses import dataclass
from typing import Any

from llm_gateway.types import JsonObject, TokenUsage
from llm_gateway.wire.identify import identify
from llm_gateway.wire.limits import most_output
from llm_gateway.wire.usage import number, text_or_none

__all__ = ["FREE", "Bound", "most_tokens", "upper_bound"]

FREE = frozenset(
    {f"{one}.count_tokens" for one in ("anthropic", "bedrock", "gemini", "openai")} | {"openai.moderations"}
)
_WRITES_NOTHING = ("embed", "rerank")
_LIMITS = (
    ("max_tokens",),
    ("max_completion_tokens",),
    ("max_output_tokens",),
    ("max_tokens_to_sample",),
    ("max_gen_len",),
    ("maxTokens",),
    ("generationConfig", "maxOutputTokens"),
    ("generation_config", "max_output_tokens"),
    ("inferenceConfig", "maxTokens"),
    ("inferenceConfig", "max_new_tokens"),
    ("textGenerationConfig", "maxTokenCount"),
    ("options", "num_predict"),
)
"""Where each API lets a request say how long its answer may be."""
_TIMES = (("n",), ("best_of",), ("generationConfig", "candidateCount"), ("num_generations",))
_IMAGE = 6_000  # more than any size and detail of an image costs at the large providers
_CONVERSE_IMAGES = ("png", "jpeg", "gif", "webp")
_FILE = 100_000  # a file that the provider keeps or fetches: some hundred pages
_SERVER_TOOL = 50_000  # a tool that the provider runs puts what it found into the input, some times over
_OVERHEAD = 1_000  # a provider's own words around a prompt
_TOOL_OVERHEAD = 1_500  # and around tools
_REFERENCES = frozenset({"file_id", "fileId", "fileUri", "file_uri", "file_url", "s3Location"})
_KEPT_THERE = ("previous_response_id", "conversation", "prompt", "cachedContent")
_WINDOW = 1_000_000
_SEARCHES = 10
_BYTES_PER_TOKEN = 2  # English has about 4, source code 3, Chinese above 2: the estimate errs on the safe side
_ONE_EACH = (string.digits + string.punctuation).encode()  # in tables of numbers each may be a token of its own


@dataclass(frozen=True, slots=True)
class Bound:
    """
    What a request can use at most.

    Attributes:
        provider: As in ``anthropic``.

        model: As requested; None where the request names none.

        usage: Tokens and searches, as the most expensive kinds that the request allows, and the requested tier.

        others: Models that may answer in its place, as OpenRouter's do.

        is_open: Whether the request sets no limit to its output, so that the model's own is taken.
    """

    provider: str
    model: str | None
    usage: TokenUsage
    is_open: bool
    others: tuple[str, ...] = ()


def upper_bound(method: str, url: str, body: bytes) -> Bound | None:
    """Return the most that the request can use; None when it is no LLM call, or a free one."""
    endpoint = identify(method, url)
    if endpoint is None or method != "POST" or endpoint.api in FREE:
        return None
    body_fields = _object(body)
    model = body_fields.get("model") if isinstance(body_fields.get("model"), str) else endpoint.model
    if any(word in endpoint.api for word in _WRITES_NOTHING):
        return Bound(endpoint.provider, model, TokenUsage(most_tokens(body_fields)), is_open=False)
    limits = [found for path in _LIMITS if (found := number(body_fields, *path)) is not None]
    limit = max(limits) if limits else None
    times = max([number(body_fields, *path) or 1 for path in _TIMES])
    most = _most_input(endpoint.api, body_fields)
    usage = TokenUsage(
        input_tokens=most,
        output_tokens=(most_output(model or "") if limit is None else limit) * times,
        web_searches=_searches(body_fields),
        service_tier=_tier(body_fields),
        **_most_expensive_input(body, most),
    )
    others = body_fields.get("models")
    named = tuple(one for one in others if isinstance(one, str)) if isinstance(others, list) else ()
    return Bound(endpoint.provider, model, usage, is_open=limit is None, others=named)


def _tier(body_fields: JsonObject) -> str | None:
    if body_fields.get("speed") == "fast":
        return "fast"
    return text_or_none(body_fields.get("service_tier")) or text_or_none(body_fields.get("serviceTier"))


def _most_expensive_input(body: bytes, most: int) -> dict[str, Any]:
    """Return all input as the most expensive kind that *body* may use: a write to the cache, or audio."""
    if b"cache_control" in body or b"cachePoint" in body:
        lasts_long = b'"1h"' in body
        return {"cache_write_tokens": most, "cache_write_1h_tokens": most if lasts_long else None}
    return {"input_audio_tokens": most} if b"audio" in body else {}


def _most_input(api: str, body_fields: JsonObject) -> int:
    if api == "bedrock.agent" or any(_is_reference(body_fields.get(name)) for name in _KEPT_THERE):
        return _WINDOW
    tools = _tools(body_fields)
    served = sum(1 for tool in tools if not _is_function(tool))
    served += len(_list(body_fields, "mcp_servers")) + len(_list(body_fields, "plugins"))
    return most_tokens(body_fields) + served * _SERVER_TOOL + (_TOOL_OVERHEAD if tools else 0)


def _list(body_fields: JsonObject, name: str) -> list[Any]:
    value = body_fields.get(name)
    return value if isinstance(value, list) else []


def _tools(body_fields: JsonObject) -> list[JsonObject]:
    config = body_fields.get("toolConfig")
    given = body_fields.get("tools") or (config.get("tools") if isinstance(config, dict) else None)
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _is_function(tool: JsonObject) -> bool:
    """Return True when the caller runs *tool*, not the provider."""
    if {"input_schema", "function", "toolSpec", "functionDeclarations", "function_declarations"} & tool.keys():
        return True
    return tool.get("type") in ("function", "custom") or "parameter_definitions" in tool


def most_tokens(value: Any) -> int:
    """Estimate the most input tokens that *value*, a request body or a part of one, can be."""
    media, rest = _apart(value)
    raw = json.dumps(rest, ensure_ascii=False).encode(errors="replace")
    letters = len(raw.translate(None, _ONE_EACH))
    return len(raw) - letters + letters // _BYTES_PER_TOKEN + media + _OVERHEAD


def _apart(value: Any) -> tuple[int, Any]:
    """Return the tokens of images and files inside *value*, and *value* without the images."""
    if isinstance(value, str):
        return (_IMAGE, "") if value.startswith("data:image/") else (0, value)
    if isinstance(value, list):
        found = [_apart(one) for one in value]
        return sum(tokens for tokens, _ in found), [rest for _, rest in found]
    if not isinstance(value, dict):
        return 0, value
    if _is_image(value):
        return _IMAGE, {}
    found = [_apart(one) for one in value.values()]
    files = _FILE * (len(_REFERENCES & value.keys()) + _is_fetched(value))
    return files + sum(tokens for tokens, _ in found), dict(zip(value, (rest for _, rest in found), strict=True))


def _is_fetched(value: JsonObject) -> bool:
    """Return True when *value* is a document that the provider fetches."""
    source = value.get("source")
    return value.get("type") == "document" and isinstance(source, dict) and source.get("type") in ("url", "file")


def _is_image(value: JsonObject) -> bool:
    if value.get("format") in _CONVERSE_IMAGES and isinstance(value.get("source"), dict):
        return True
    kind = value.get("media_type") or value.get("mimeType") or value.get("mime_type")
    if isinstance(kind, str):
        return kind.startswith("image/")
    return value.get("type") in ("image", "image_url", "input_image") and "file_id" not in value


def _is_reference(value: Any) -> bool:
    """Return True when *value* refers to input that the provider stores; ``prompt`` is text in older APIs."""
    return isinstance(value, dict) or str(value).startswith(("resp_", "conv_", "cachedContents/"))


def _searches(body_fields: JsonObject) -> int | None:
    limits = [
        number(tool, "max_uses") or _SEARCHES
        for tool in [*_list(body_fields, "tools"), *_list(body_fields, "plugins")]
        if isinstance(tool, dict) and _is_search(tool)
    ]
    return sum(limits) or None


def _is_search(tool: JsonObject) -> bool:
    return "search" in str(tool.get("type")) or "google_search" in tool or tool.get("id") == "web"


def _object(body: bytes) -> JsonObject:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
