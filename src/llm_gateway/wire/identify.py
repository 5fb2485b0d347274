"""The provider and the API of a request, by its address alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import unquote, urlsplit

from llm_gateway.catalog import PROVIDERS, ProviderEntry

__all__ = ["Endpoint", "identify", "is_llm_host"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider, one of its APIs, and the model where the address has it."""

    provider: str
    api: str
    model: str | None = None


_MODEL_PATH = re.compile(r"/(?:models|deployments|model|engines)/(?P<model>[^/:]+(?::[0-9]+)?)")
_PATHS = (
    (r"/v1/messages$", "anthropic.messages", "anthropic"),
    (r"/v1/messages/count_tokens$", "anthropic.count_tokens", "anthropic"),
    (r"/v1/complete$", "anthropic.complete", "anthropic"),
    (r"/v1/threads(/[^/]+)?/runs(/[^/]+)?(/submit_tool_outputs)?$", "openai.assistants.run", "openai"),
    (r"/v1beta/interactions$", "gemini.interactions", "gemini"),
    (r"/models/[^/]+:predict$", "vertex.predict", "vertex"),
    (r"/agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text$", "bedrock.agent", "bedrock"),
    (r"/chat/completions$", "openai.chat", "openai"),
    (r"(/v\d+(beta)?|/openai)/responses$", "openai.responses", "openai"),
    (r"/v1/responses/input_tokens$", "openai.count_tokens", "openai"),
    (r"/v1/responses/[^/]+$", "openai.responses", "openai"),
    (r"/v1/embeddings$|/deployments/[^/]+/embeddings$", "openai.embeddings", "openai"),
    (r"/v1/completions$|/deployments/[^/]+/completions$", "openai.completions", "openai"),
    (r"/v1/moderations$", "openai.moderations", "openai"),
    (r"/v1/images/(generations|edits|variations)$", "openai.images", "openai"),
    (r"/v1/audio/(speech|transcriptions|translations)$", "openai.audio", "openai"),
    (r"/v[12]/rerank$", "cohere.rerank", "cohere"),
    (r":(stream)?[gG]enerateContent$", "gemini.generate", "gemini"),
    (r":countTokens$", "gemini.count_tokens", "gemini"),
    (r":(embedContent|batchEmbedContents)$", "gemini.embed", "gemini"),
    (r"/model/[^/]+/converse$|/model/[^/]+/converse-stream$", "bedrock.converse", "bedrock"),
    (r"/model/[^/]+/count-tokens$", "bedrock.count_tokens", "bedrock"),
    (r"/model/[^/]+/invoke(-with-response-stream)?$", "bedrock.invoke", "bedrock"),
    (r"/v2/chat$", "cohere.v2.chat", "cohere"),
)
"""Ends of addresses at any host, each with its API and the provider whose format it is."""


def is_llm_host(host: str) -> bool:
    """Return whether *host* (lower case, no port) belongs to a provider."""
    return _provider_of(host) is not None


@lru_cache(maxsize=256)
def _provider_of(host: str) -> str | None:
    return next((name for name, one in PROVIDERS.items() if _is_host_of(one, host)), None)


def _is_host_of(provider: ProviderEntry, host: str) -> bool:
    is_named = any(host.endswith(one) if one[0] in ".-" else host == one for one in provider.hosts)
    return is_named or bool(provider.host_pattern and re.fullmatch(provider.host_pattern, host))


def identify(method: str, url: str) -> Endpoint | None:
    """
    Return what a request is sent to, or None where its address is not that of an LLM call.

    A provider's host counts whatever the path; any other host counts when a body is posted to a known path.
    """
    parts = urlsplit(url)
    provider = _provider_of((parts.hostname or "").lower())
    path = unquote(parts.path)
    address = f"{parts.netloc.rpartition('@')[2].lower()}{path}"
    api, default = _api_of(address) if method.upper() == "POST" or provider else (None, None)
    if provider is None and api is None:
        return None
    model = _MODEL_PATH.search(path)
    name = provider or _provider_at_port(address) or default or "unknown"
    return Endpoint(name, api or f"{provider}.other", model["model"] if model else None)


def _provider_at_port(address: str) -> str | None:
    """Return the provider that has a port of its own, whichever of its formats is called."""
    _, _, port = address.partition("/")[0].rpartition(":")
    return next((name for name, one in PROVIDERS.items() if one.port and port == str(one.port)), None)


def _api_of(address: str) -> tuple[str | None, str | None]:
    """Return the API at *address*, host and path, and the provider whose format it is."""
    return next(((api, default) for pattern, api, default in _paths() if pattern.search(address)), (None, None))


@cache
def _paths() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    """Return patterns of addresses, each with an API and a provider; a provider's own paths come first."""
    own = [(f"(?:{pattern})$", api, one.name) for one in PROVIDERS.values() for pattern, api in one.paths]
    return tuple((re.compile(pattern), api, name) for pattern, api, name in (*own, *_PATHS))
