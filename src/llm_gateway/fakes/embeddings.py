"""Embeddings without a model: each text has a unit vector, near to the vectors of texts that share its words."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Callable
from typing import Any

from llm_gateway.fakes.usage import estimate_text_tokens
from llm_gateway.types import JsonObject

__all__ = ["embeddings_reply", "vector"]

_SIZES = (
    (r"3-large|gemini-embedding", 3072),
    (r"3-small|ada-002|embed-v4|codestral-embed", 1536),
    (r"light-v3|minilm", 384),
    (r"mistral-embed|embed-.*-v3|mxbai|voyage|bge-(m3|large)", 1024),
)
_DEFAULT_SIZE = 768
_NULL_FIELDS = dict.fromkeys(("prompt_audio_seconds", "request_count", "prompt_token_details"))
"""Fields that Mistral sends as null."""
_PLACES_PER_WORD = 8
"""Number of components of a vector that one word changes."""
_STEP_NS = 1_000_000


def vector(text: str, size: int) -> list[float]:
    """Return the unit vector of *text*; it is deterministic, and nearer to another one the more words both share."""
    sums = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        for (place,) in struct.iter_unpack("<I", digest[: 4 * _PLACES_PER_WORD]):
            sums[place // 2 % size] += 1.0 if place % 2 else -1.0
    length = math.sqrt(sum(one * one for one in sums))
    return [one / length for one in sums] if length else [1.0, *sums[1:]]


def embeddings_reply(api: str, model: str, body: JsonObject) -> JsonObject:
    """Return the reply to a request for embeddings, in the format of *api*."""
    return _WRITERS[api](model, body)


def _size(model: str, *requested: Any) -> int:
    """Return the requested size, or else the usual one of *model*."""
    named = (size for pattern, size in _SIZES if re.search(pattern, model, re.IGNORECASE))
    return next((one for one in requested if isinstance(one, int)), next(named, _DEFAULT_SIZE))


def _texts(given: Any) -> list[str]:
    """Return the texts of an input, which is a text, a list of texts, or a list of tokens."""
    many = given if isinstance(given, list) and not all(isinstance(one, int) for one in given) else [given]
    return [one if isinstance(one, str) else str(one) for one in many]


def _openai(model: str, body: JsonObject) -> JsonObject:
    texts = _texts(body.get("input"))
    size = _size(model, body.get("dimensions"), body.get("output_dimension"))
    is_base64 = body.get("encoding_format") == "base64"
    made = [vector(text, size) for text in texts]
    data = [
        {"object": "embedding", "index": index, "embedding": _base64(one) if is_base64 else one}
        for index, one in enumerate(made)
    ]
    tokens = sum(map(estimate_text_tokens, texts))
    usage = {"prompt_tokens": tokens, "total_tokens": tokens, "completion_tokens": 0, **_NULL_FIELDS}
    return {"id": "fake", "object": "list", "data": data, "model": model, "usage": usage}


def _base64(made: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(made)}f", *made)).decode()


def _gemini(model: str, body: JsonObject) -> JsonObject:
    many = body.get("requests")
    rows = many if many is not None else [body]
    texts = ["".join(part.get("text") or "" for part in row["content"]["parts"]) for row in rows]
    size = _size(model, *(row.get("outputDimensionality") for row in rows))
    made = [{"values": vector(text, size)} for text in texts]
    answer = {"embedding": made[0]} if many is None else {"embeddings": made}
    return {**answer, "usageMetadata": {"promptTokenCount": sum(map(estimate_text_tokens, texts))}}


def _vertex(model: str, body: JsonObject) -> JsonObject:
    size = _size(model, (body.get("parameters") or {}).get("outputDimensionality"))
    texts = [str(one.get("content")) for one in body.get("instances") or ()]
    counts = [{"truncated": False, "token_count": estimate_text_tokens(text)} for text in texts]
    rows = zip(texts, counts, strict=True)
    made = [{"embeddings": {"values": vector(text, size), "statistics": count}} for text, count in rows]
    return {"predictions": made, "metadata": {"billableCharacterCount": sum(map(len, texts))}}


def _cohere_2(model: str, body: JsonObject) -> JsonObject:
    """Return a reply of version 2, which always groups vectors by type."""
    return _cohere(model, {**body, "embedding_types": body.get("embedding_types") or ["float"]})


def _cohere(model: str, body: JsonObject) -> JsonObject:
    inputs = [block.get("text", "") for one in body.get("inputs") or () for block in one.get("content") or ()]
    texts = [*_texts(body.get("texts") or []), *inputs]
    made = [vector(text, _size(model, body.get("output_dimension"))) for text in texts]
    kinds = body.get("embedding_types")
    typed = {kind: [_base64(one) for one in made] if kind == "base64" else made for kind in kinds or ()}
    return {
        "id": "fake",
        "response_type": "embeddings_by_type" if kinds else "embeddings_floats",
        "embeddings": typed or made,
        "texts": texts,
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"input_tokens": sum(map(estimate_text_tokens, texts))},
        },
    }


def _ollama(model: str, body: JsonObject) -> JsonObject:
    size = _size(model, body.get("dimensions"))
    if "prompt" in body:  # the older of its two endpoints
        return {"embedding": vector(str(body["prompt"]), size)}
    texts = _texts(body.get("input"))
    return {
        "model": model,
        "embeddings": [vector(text, size) for text in texts],
        "total_duration": 2 * _STEP_NS,
        "load_duration": _STEP_NS,
        "prompt_eval_count": sum(map(estimate_text_tokens, texts)),
    }


_WRITERS: dict[str, Callable[[str, JsonObject], JsonObject]] = {
    "cohere.v1.embed": _cohere,
    "cohere.v2.embed": _cohere_2,
    "gemini.embed": _gemini,
    "ollama.embed": _ollama,
    "openai.embeddings": _openai,
    "vertex.predict": _vertex,
    "voyage.embeddings": _openai,
}
