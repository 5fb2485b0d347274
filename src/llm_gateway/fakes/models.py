"""Lists of models in the format of each provider, with the names that a test uses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from llm_gateway.catalog import find
from llm_gateway.types import JsonObject
from llm_gateway.wire.limits import Limits, published

__all__ = ["model_list", "one_model"]

_CREATED_AT = datetime(2025, 1, 1, tzinfo=UTC)


def model_list(provider: str, names: Sequence[str]) -> JsonObject | list[JsonObject]:
    """Return the list of *provider* with the models *names*, or with a few usual ones where *names* is empty."""
    entries = [_entry(provider, name) for name in names or find(provider).usual_models]
    match find(provider).model_list:
        case "anthropic":
            ends = {"first_id": entries[0]["id"], "last_id": entries[-1]["id"]}
            return {"data": entries, "has_more": False, **ends}
        case "bedrock":
            return {"modelSummaries": entries}
        case "cohere" | "gemini" | "ollama":
            return {"models": entries}
        case "together":
            return entries
    return {"object": "list", "data": entries}


def one_model(provider: str, name: str) -> JsonObject:
    """Return the reply of *provider* for one model; every name exists."""
    if find(provider).model_list == "ollama":
        return _ollama_model(name)
    return _entry(provider, name.removeprefix("models/"))


def _entry(provider: str, name: str) -> JsonObject:
    return _ENTRIES.get(find(provider).model_list, _openai)(name, published(provider, name))


def _anthropic(name: str, limits: Limits) -> JsonObject:
    return {
        "type": "model",
        "id": name,
        "display_name": name,
        "created_at": _timestamp(_CREATED_AT),
        "lifecycle": "active",
        "max_input_tokens": limits.context_tokens,
        "max_tokens": limits.max_output_tokens,
        **dict.fromkeys(("capabilities", "line", "deprecated_at", "retires_at")),
    }


def _openai(name: str, _: Limits) -> JsonObject:
    return {"id": name, "object": "model", "created": int(_CREATED_AT.timestamp()), "owned_by": "fake"}


def _groq(name: str, limits: Limits) -> JsonObject:
    return {**_openai(name, limits), "active": True, "context_window": limits.context_tokens, "public_apps": None}


def _mistral(name: str, limits: Limits) -> JsonObject:
    features = {"completion_chat": True, "function_calling": True, "vision": False, "fine_tuning": False}
    window = {} if limits.context_tokens is None else {"max_context_length": limits.context_tokens}
    return {**_openai(name, limits), "name": name, "capabilities": features, "type": "base", "aliases": [], **window}


def _together(name: str, limits: Limits) -> JsonObject:
    window = {} if limits.context_tokens is None else {"context_length": limits.context_tokens}
    return {**_openai(name, limits), "type": "chat", "display_name": name, "organization": "fake", **window}


def _cohere(name: str, limits: Limits) -> JsonObject:
    features = {"endpoints": ["chat"], "features": ["tools", "json_schema"], "default_endpoints": []}
    return {
        "name": name,
        **features,
        "is_deprecated": False,
        "finetuned": False,
        "context_length": limits.context_tokens,
    }


def _gemini(name: str, limits: Limits) -> JsonObject:
    sizes = {"inputTokenLimit": limits.context_tokens, "outputTokenLimit": limits.max_output_tokens}
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": name,
        "supportedGenerationMethods": ["generateContent", "countTokens"],
        **{word: limit for word, limit in sizes.items() if limit is not None},
    }


def _bedrock(name: str, _: Limits) -> JsonObject:
    return {
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{name}",
        "modelId": name,
        "modelName": name,
        "providerName": name.partition(".")[0],
        "inputModalities": ["TEXT"],
        "outputModalities": ["TEXT"],
        "responseStreamingSupported": True,
        "customizationsSupported": [],
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }


_DETAILS = {
    "parent_model": "",
    "format": "gguf",
    "family": "fake",
    "families": ["fake"],
    "parameter_size": "1B",
    "quantization_level": "Q4_0",
}


def _ollama(name: str, _: Limits) -> JsonObject:
    return {
        "name": name,
        "model": name,
        "modified_at": _timestamp(_CREATED_AT),
        "size": 1,
        "digest": "0" * 64,
        "details": _DETAILS,
    }


def _ollama_model(_: str) -> JsonObject:
    return {
        "modelfile": "",
        "parameters": "",
        "template": "",
        "details": _DETAILS,
        "model_info": {"general.architecture": "fake"},
        "capabilities": ["completion", "tools"],
        "modified_at": _timestamp(_CREATED_AT),
    }


def _timestamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


_ENTRIES: dict[str, Callable[[str, Limits], JsonObject]] = {
    "anthropic": _anthropic,
    "bedrock": _bedrock,
    "cohere": _cohere,
    "gemini": _gemini,
    "groq": _groq,
    "mistral": _mistral,
    "ollama": _ollama,
    "together": _together,
}
