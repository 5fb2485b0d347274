"""The lists of models that providers give out, decoded. What a list does not say is None."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from llm_gateway.types import JsonObject
from llm_gateway.wire.limits import published
from llm_gateway.wire.models import Detail, Lifecycle, Listing, ModelInfo, Page
from llm_gateway.wire.usage import number

__all__ = [
    "ANTHROPIC",
    "AZURE",
    "BEDROCK",
    "COHERE",
    "GEMINI",
    "MISTRAL",
    "OLLAMA",
    "OPENAI",
    "OPENROUTER",
    "TOGETHER",
    "VERTEX",
]


def _entries(body: Any, *names: str) -> list[JsonObject]:
    """
    Return the objects of the list in *body*, which is the body itself or one of its fields *names*.

    Raises:
        ValueError: *body* holds no list.
    """
    found = body if isinstance(body, list) else next((body[name] for name in names if name in body), None)
    if not isinstance(found, list):
        raise ValueError("no list of models")  # noqa: TRY004  a body of another shape, not a wrong argument
    return [one for one in found if isinstance(one, dict)]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _limit(entry: Any, *path: str) -> int | None:
    """Return a number of tokens; None for 0, which providers write for an unknown limit."""
    return number(entry, *path) or None


def _time(value: Any) -> datetime | None:
    """Return a time given as seconds or as text; None for the start of 1970, which means unknown."""
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    time = found if found.tzinfo else found.replace(tzinfo=UTC)
    return time if time.timestamp() > 0 else None


def _capabilities(listed: Iterable[Any], meaning: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    return frozenset(word for one in listed if isinstance(one, str) for word in meaning.get(one, ()))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _flags(value: Any) -> list[str]:
    return [name for name, flag in value.items() if flag] if isinstance(value, dict) else []


def _is_denied(capability: Any) -> bool:
    return isinstance(capability, dict) and capability.get("supported") is False


def _missing(listed: Any, meaning: Mapping[str, str]) -> frozenset[str] | None:
    """Return the names missing from a list of all that a model can do; None where there is no such list."""
    return frozenset(word for name, word in meaning.items() if _listed(listed) and name not in listed) or None


def _denials(value: Any) -> list[str]:
    return [name for name, flag in value.items() if flag is False] if isinstance(value, dict) else []


_CHAT = ("chat", "streaming")


def _anthropic(provider: str, body: Any) -> Page:
    entries = _entries(body, "data")
    models = tuple(_claude(provider, one) for one in entries if _text(one.get("id")))
    last = _text(body.get("last_id")) if body.get("has_more") else None
    return Page(models, f"limit=1000&after_id={quote(last)}" if last else None)


_CLAUDE = {
    "image_input": ("images",),
    "pdf_input": ("pdf",),
    "structured_outputs": ("json_schema",),
    "thinking": ("reasoning",),
}
_CLAUDE_REFUSES = {"effort": ("reasoning_effort",), "image_input": ("images",)}
_LIFECYCLES: dict[str, Lifecycle] = {"active": "active", "deprecated": "deprecated", "retired": "retired"}


def _claude(provider: str, entry: JsonObject) -> ModelInfo:
    stated = entry.get("capabilities")
    capabilities = refuses = None
    if isinstance(stated, dict):
        supported = [name for name, one in stated.items() if isinstance(one, dict) and one.get("supported")]
        refuses = _capabilities([name for name, one in stated.items() if _is_denied(one)], _CLAUDE_REFUSES) or None
        # What is on this list answers messages, streams and takes tools; the list does not repeat it.
        capabilities = _capabilities(supported, _CLAUDE) | {"chat", "streaming", "tools"}
    return ModelInfo(
        id=entry["id"],
        provider=provider,
        created=_time(entry.get("created_at")),
        context_tokens=_limit(entry, "max_input_tokens"),
        max_output_tokens=_limit(entry, "max_tokens"),
        capabilities=capabilities,
        refuses=refuses,
        lifecycle=_LIFECYCLES.get(str(entry.get("lifecycle"))),
        deprecated_at=_time(entry.get("deprecated_at")),
        retires_at=_time(entry.get("retires_at")),
        owner="anthropic",
    )


def _openai(provider: str, body: Any) -> Page:
    """Return names and owners; some servers of this format add limits, and OpenAI the date of an announced end."""
    return Page(tuple(_gpt(provider, one) for one in _entries(body, "data") if _text(one.get("id"))))


def _gpt(provider: str, entry: JsonObject) -> ModelInfo:
    limits = (_limit(entry, name) for name in ("context_length", "context_window", "max_model_len"))
    return ModelInfo(
        id=entry["id"],
        provider=provider,
        created=_time(entry.get("created")),
        context_tokens=next((one for one in limits if one is not None), None),
        max_output_tokens=_limit(entry, "max_completion_tokens"),
        retires_at=_time(entry.get("shutdown_date")),
        owner=_text(entry.get("owned_by")),
        is_fine_tuned=entry["id"].startswith("ft:") or ":ft-" in entry["id"],
    )


def _azure(provider: str, body: Any) -> Page:
    """Return deployments, with the limits of their models."""
    return Page(tuple(_deployment(provider, one) for one in _entries(body, "data") if _text(one.get("id"))))


def _deployment(provider: str, entry: JsonObject) -> ModelInfo:
    # Azure writes gpt-35-turbo where OpenAI writes gpt-3.5-turbo.
    limits = published(provider, str(entry.get("model")).replace("gpt-35", "gpt-3.5"))
    return ModelInfo(
        id=entry["id"],
        provider=provider,
        created=_time(entry.get("created_at")),
        context_tokens=limits.context_tokens,
        max_output_tokens=limits.max_output_tokens,
        owner=_text(entry.get("owner")),
        is_fine_tuned=".ft-" in str(entry.get("model")),
    )


_MISTRAL = {
    "audio": ("audio",),
    "completion_chat": _CHAT,
    "function_calling": ("tools",),
    "moderation": ("moderation",),
    "reasoning": ("reasoning",),
    "vision": ("images",),
}


_MISTRAL_REFUSES = {"function_calling": ("tools",), "vision": ("images",)}


def _mistral(provider: str, body: Any) -> Page:
    return Page(tuple(_card(provider, one) for one in _entries(body, "data") if _text(one.get("id"))))


def _card(provider: str, entry: JsonObject) -> ModelInfo:
    stated = entry.get("capabilities")
    return ModelInfo(
        id=entry["id"],
        provider=provider,
        created=_time(entry.get("created")),
        context_tokens=_limit(entry, "max_context_length"),
        capabilities=_capabilities(_flags(stated), _MISTRAL) if isinstance(stated, dict) else None,
        refuses=_capabilities(_denials(stated), _MISTRAL_REFUSES) or None,
        # Mistral's own clients read this date as the day of removal.
        retires_at=_time(entry.get("deprecation")),
        replaced_by=_text(entry.get("deprecation_replacement_model")),
        owner=_text(entry.get("owned_by")),
        is_fine_tuned=entry.get("type") == "fine-tuned",
    )


_COHERE = {
    "chat": _CHAT,
    "embed": ("embeddings",),
    "json_schema": ("json_schema",),
    "reasoning": ("reasoning",),
    "rerank": ("rerank",),
    "tools": ("tools",),
    "vision": ("images",),
}


def _cohere(provider: str, body: Any) -> Page:
    models = tuple(_command(provider, one) for one in _entries(body, "models") if _text(one.get("name")))
    token = _text(body.get("next_page_token"))
    return Page(models, f"page_size=1000&page_token={quote(token)}" if token else None)


def _command(provider: str, entry: JsonObject) -> ModelInfo:
    stated = [*_listed(entry.get("endpoints")), *_listed(entry.get("features"))]
    return ModelInfo(
        id=entry["name"],
        provider=provider,
        context_tokens=_limit(entry, "context_length"),
        capabilities=_capabilities(stated, _COHERE) if stated else None,
        refuses=_missing(entry.get("features"), {"tools": "tools", "vision": "images"}),
        lifecycle="deprecated" if entry.get("is_deprecated") is True else None,
        is_fine_tuned=entry.get("finetuned") is True,
    )


_GEMINI = {"embedContent": ("embeddings",), "generateContent": _CHAT}


def _gemini(provider: str, body: Any) -> Page:
    models = tuple(_google(provider, one) for one in _entries(body, "models") if _text(one.get("name")))
    token = _text(body.get("nextPageToken"))
    return Page(models, f"pageSize=1000&pageToken={quote(token)}" if token else None)


def _google(provider: str, entry: JsonObject) -> ModelInfo:
    methods = entry.get("supportedGenerationMethods")
    thinks = {"reasoning"} if entry.get("thinking") is True else set[str]()
    return ModelInfo(
        id=entry["name"].removeprefix("models/"),
        provider=provider,
        context_tokens=_limit(entry, "inputTokenLimit"),
        max_output_tokens=_limit(entry, "outputTokenLimit"),
        capabilities=_capabilities(methods, _GEMINI) | thinks if isinstance(methods, list) else None,
        owner="google",
        is_fine_tuned=entry["name"].startswith("tunedModels/"),
    )


def _vertex(provider: str, body: Any) -> Page:
    """Return names with their publisher in front."""
    entries = _entries(body, "publisherModels")
    names = [name.rpartition("/")[2] for one in entries if (name := _text(one.get("name")))]
    token = _text(body.get("nextPageToken"))
    return Page(
        tuple(ModelInfo(name, provider, owner="google") for name in names),
        f"pageSize=100&pageToken={quote(token)}" if token else None,
    )


_BEDROCK_IN = {"IMAGE": ("images",)}
_BEDROCK_OUT = {"EMBEDDING": ("embeddings",), "TEXT": ("chat",)}
_PHASES: dict[str, Lifecycle] = {"ACTIVE": "active", "LEGACY": "deprecated"}


def _bedrock(provider: str, body: Any) -> Page:
    return Page(
        tuple(_foundation(provider, one) for one in _entries(body, "modelSummaries") if _text(one.get("modelId")))
    )


def _foundation(provider: str, entry: JsonObject) -> ModelInfo:
    stated, phase = entry.get("outputModalities"), entry.get("modelLifecycle")
    phase = phase if isinstance(phase, dict) else {}
    is_legacy = phase.get("status") == "LEGACY"
    capabilities = None
    if isinstance(stated, list):
        capabilities = _capabilities(_listed(entry.get("inputModalities")), _BEDROCK_IN) | _capabilities(
            stated, _BEDROCK_OUT
        )
        capabilities |= {"streaming"} if entry.get("responseStreamingSupported") is True else set()
    return ModelInfo(
        id=entry["modelId"],
        provider=provider,
        created=_time(phase.get("startOfLifeTime")),
        capabilities=capabilities,
        lifecycle=_PHASES.get(str(phase.get("status"))),
        # An active model's end is the earliest day, not an announcement.
        deprecated_at=_time(phase.get("legacyTime")) if is_legacy else None,
        retires_at=_time(phase.get("endOfLifeTime")) if is_legacy else None,
        owner=_text(entry.get("providerName")),
    )


def _profiles(provider: str, body: Any) -> Page:
    """Return inference profiles, the names of models in several regions; most newer models have no other name."""
    entries = _entries(body, "inferenceProfileSummaries")
    models = tuple(_profile(provider, one) for one in entries if _text(one.get("inferenceProfileId")))
    token = _text(body.get("nextToken"))
    return Page(models, f"maxResults=1000&nextToken={quote(token, safe='')}" if token else None)


def _profile(provider: str, entry: JsonObject) -> ModelInfo:
    return ModelInfo(
        id=entry["inferenceProfileId"],
        provider=provider,
        created=_time(entry.get("createdAt")),
        lifecycle=_PHASES.get(str(entry.get("status"))),
    )


_TOGETHER = {
    "chat": _CHAT,
    "embedding": ("embeddings",),
    "moderation": ("moderation",),
    "rerank": ("rerank",),
}


def _together(provider: str, body: Any) -> Page:
    return Page(tuple(_hosted(provider, one) for one in _entries(body, "data") if _text(one.get("id"))))


def _hosted(provider: str, entry: JsonObject) -> ModelInfo:
    kind = _text(entry.get("type"))
    return ModelInfo(
        id=entry["id"],
        provider=provider,
        created=_time(entry.get("created")),
        context_tokens=_limit(entry, "context_length"),
        capabilities=_capabilities([kind], _TOGETHER) if kind in _TOGETHER else None,
        owner=_text(entry.get("organization")),
    )


_ROUTED_IN = {"audio": ("audio",), "file": ("pdf",), "image": ("images",)}
_ROUTED = {"reasoning": ("reasoning",), "structured_outputs": ("json_schema",), "tools": ("tools",)}


def _openrouter(provider: str, body: Any) -> Page:
    models = tuple(_routed(provider, one) for one in _entries(body, "data") if _text(one.get("id")))
    links = body.get("links") if isinstance(body, dict) else None
    following = _text(links.get("next")) if isinstance(links, dict) else None
    return Page(models, urlsplit(following).query if following else None)


def _routed(provider: str, entry: JsonObject) -> ModelInfo:
    shape = entry.get("architecture")
    return ModelInfo(
        id=entry["id"],
        provider=provider,
        created=_time(entry.get("created")),
        context_tokens=_limit(entry, "context_length"),
        max_output_tokens=_limit(entry, "top_provider", "max_completion_tokens"),
        capabilities=_route_capabilities(shape, entry) if isinstance(shape, dict) else None,
        refuses=_route_lacks(shape, entry) if isinstance(shape, dict) else None,
        retires_at=_time(entry.get("expiration_date")),
    )


def _route_capabilities(shape: JsonObject, entry: JsonObject) -> frozenset[str]:
    taken = _capabilities(_listed(shape.get("input_modalities")), _ROUTED_IN)
    written = _capabilities(_listed(shape.get("output_modalities")), {"text": _CHAT, "embeddings": ("embeddings",)})
    return taken | written | _capabilities(_listed(entry.get("supported_parameters")), _ROUTED)


def _route_lacks(shape: JsonObject, entry: JsonObject) -> frozenset[str] | None:
    taken = _missing(shape.get("input_modalities"), {"image": "images"})
    written = _missing(entry.get("supported_parameters"), {"tools": "tools"})
    return (taken or frozenset()) | (written or frozenset()) or None


_OLLAMA = {
    "completion": _CHAT,
    "embedding": ("embeddings",),
    "thinking": ("reasoning",),
    "tools": ("tools",),
    "vision": ("images",),
}


def _ollama(provider: str, body: Any) -> Page:
    return Page(tuple(ModelInfo(name, provider) for one in _entries(body, "models") if (name := _pulled(one))))


def _pulled(entry: JsonObject) -> str | None:
    return _text(entry.get("model")) or _text(entry.get("name"))


def _shown(model: ModelInfo, body: Any) -> ModelInfo:
    """Return the details in ``/api/show``, whose context window is under the name of the architecture."""
    stated, facts = body.get("capabilities"), body.get("model_info")
    family = facts.get("general.architecture") if isinstance(facts, dict) else None
    return ModelInfo(
        id=model.id,
        provider=model.provider,
        context_tokens=_limit(facts, f"{family}.context_length"),
        capabilities=_capabilities(stated, _OLLAMA) if isinstance(stated, list) else None,
        refuses=_missing(stated, {"thinking": "reasoning_effort", "tools": "tools", "vision": "images"}),
    )


ANTHROPIC = Listing("/v1/models?limit=1000", _anthropic)
AZURE = Listing("/openai/deployments?api-version=2023-03-15-preview", _azure)
"""The last version of the API that lists deployments to callers; later ones list them to managers only."""
BEDROCK = Listing("/foundation-models", _bedrock, also=Listing("/inference-profiles?maxResults=1000", _profiles))
COHERE = Listing("/v1/models?page_size=1000", _cohere, leaves="/compatibility/v1")
OPENAI = Listing("/models", _openai)
GEMINI = Listing("/models?pageSize=1000", _gemini)
MISTRAL = Listing("/models", _mistral)
OLLAMA = Listing(
    "/api/tags", _ollama, leaves="/v1", detail=Detail("/api/show", lambda model: {"model": model.id}, _shown)
)
OPENROUTER = Listing("/models?limit=500", _openrouter)
TOGETHER = Listing("/models", _together)
VERTEX = Listing("/v1beta1/publishers/google/models?pageSize=100", _vertex)
