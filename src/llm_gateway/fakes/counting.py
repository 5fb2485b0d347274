"""How many tokens a request has, for those who ask the provider before: the number that the answer will tell."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from llm_gateway.types import ChatRequest, JsonObject
from llm_gateway.wire import anthropic, bedrock, gemini, openai_responses
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["tokens_of"]


def tokens_of(api: str, model: str, asked: JsonObject) -> JsonObject:
    """The reply to a request that counts its tokens, in the format of *api*."""
    return _WRITERS[api](model, asked)


def _count(request: ChatRequest, model: str) -> int:
    return estimate_tokens(dataclasses.replace(request, model=request.model or model)).tokens


def _anthropic(model: str, asked: JsonObject) -> JsonObject:
    return {"input_tokens": _count(anthropic.DIALECT.decode_request(asked), model)}


def _openai(model: str, asked: JsonObject) -> JsonObject:
    tokens = _count(openai_responses.DIALECT.decode_request(asked), model)
    return {"object": "response.input_tokens", "input_tokens": tokens}


def _gemini(model: str, asked: JsonObject) -> JsonObject:
    tokens = _count(gemini.DIALECT.decode_request(asked.get("generateContentRequest") or asked), model)
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


def _bedrock(model: str, asked: JsonObject) -> JsonObject:
    inside = asked.get("input") or {}
    return {"inputTokens": _count(bedrock.DIALECT.decode_request(inside.get("converse") or {}), model)}


_WRITERS: dict[str, Callable[[str, JsonObject], JsonObject]] = {
    "anthropic.count_tokens": _anthropic,
    "bedrock.count_tokens": _bedrock,
    "gemini.count_tokens": _gemini,
    "openai.count_tokens": _openai,
}
