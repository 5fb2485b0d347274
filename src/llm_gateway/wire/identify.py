"""Which provider and API a request speaks to, told from its address alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit

__all__ = ["Endpoint", "identify", "is_llm_host", "providers"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A provider, one of its APIs, and the model where the address names it."""

    provider: str
    api: str
    model: str | None = None


_HOSTS = {
    "api.anthropic.com": "anthropic",
    "api.openai.com": "openai",
    "generativelanguage.googleapis.com": "gemini",
    "aiplatform.googleapis.com": "vertex",
    "aiplatform.eu.rep.googleapis.com": "vertex",
    "aiplatform.us.rep.googleapis.com": "vertex",
    "api.groq.com": "groq",
    "api.together.xyz": "together",
    "api.together.ai": "together",
    "api-inference.together.ai": "together",
    "api.mistral.ai": "mistral",
    "api.eu.mistral.ai": "mistral",
    "api.us.mistral.ai": "mistral",
    "codestral.mistral.ai": "mistral",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "openrouter.ai": "openrouter",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "xai",
    "api.cerebras.ai": "cerebras",
    "api.fireworks.ai": "fireworks",
    "api.perplexity.ai": "perplexity",
    "router.huggingface.co": "huggingface",
    "api-inference.huggingface.co": "huggingface",
    "api.voyageai.com": "voyage",
    "api.replicate.com": "replicate",
    "api.writer.com": "writer",
    "api.z.ai": "zai",
    "api.moonshot.ai": "moonshot",
    "api.moonshot.cn": "moonshot",
    "dashscope.aliyuncs.com": "dashscope",
    "api.aleph-alpha.com": "alephalpha",
    "gateway.pydantic.dev": "pydantic-gateway",
    "api.portkey.ai": "portkey",
}
_SUFFIXES = (
    (".openai.azure.com", "azure"),
    (".services.ai.azure.com", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".inference.ai.azure.com", "azure"),
    ("-aiplatform.googleapis.com", "vertex"),
    (".api.openai.com", "openai"),
    (".huggingface.cloud", "huggingface"),
)
_BEDROCK_HOST = re.compile(r"bedrock(-[a-z-]+)?\.[a-z0-9-]+\.(amazonaws\.com|api\.aws)|.*\.bedrock.*\.amazonaws\.com")
_OLLAMA_PORT = ":11434"
_MODEL_PATH = re.compile(r"/(?:models|deployments|model|engines)/(?P<model>[^/:]+(?::[0-9]+)?)")
_PATHS: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), api, default)
    for pattern, api, default in (
        (r"/v1/messages$", "anthropic.messages", "anthropic"),
        (r"/v1/messages/count_tokens$", "anthropic.count_tokens", "anthropic"),
        (r"/v1/complete$", "anthropic.complete", "anthropic"),
        (r"voyageai\.com/v1/embeddings$", "voyage.embeddings", "voyage"),
        (r"voyageai\.com/v1/rerank$", "voyage.rerank", "voyage"),
        (r"cohere\.(com|ai)/v1/chat$", "cohere.v1.chat", "cohere"),
        (r"cohere\.(com|ai)/v1/generate$", "cohere.v1.generate", "cohere"),
        (r"cohere\.(com|ai)/v[12]/embed$", "cohere.v2.embed", "cohere"),
        (r"aleph-alpha\.com/complete$", "alephalpha.complete", "alephalpha"),
        (r"/v1/threads(/[^/]+)?/runs(/[^/]+)?(/submit_tool_outputs)?$", "openai.assistants.run", "openai"),
        (r"/v1beta/interactions$", "gemini.interactions", "gemini"),
        (r"/models/[^/]+:predict$", "vertex.predict", "vertex"),
        (r"/agents/[^/]+/agentAliases/[^/]+/sessions/[^/]+/text$", "bedrock.agent", "bedrock"),
        (r"/chat/completions$|api\.writer\.com/v1/chat$", "openai.chat", "openai"),
        (r"(/v\d+(beta)?|/openai|deepseek\.com)/responses$", "openai.responses", "openai"),
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
        (r"(ollama[^/]*|:11434)/api/chat$", "ollama.chat", "ollama"),
        (r"(ollama[^/]*|:11434)/api/generate$", "ollama.generate", "ollama"),
        (r"(ollama[^/]*|:11434)/api/embed(dings)?$", "ollama.embed", "ollama"),
    )
)


@lru_cache(maxsize=1)
def providers() -> frozenset[str]:
    """Every provider that an address may tell."""
    by_path = (default for _, _, default in _PATHS)
    return frozenset({*_HOSTS.values(), *(provider for _, provider in _SUFFIXES), *by_path})


def is_llm_host(host: str) -> bool:
    """Whether *host* (lower case, no port) is a provider's."""
    return _provider_of(host) is not None


@lru_cache(maxsize=256)
def _provider_of(host: str) -> str | None:
    if host in _HOSTS:
        return _HOSTS[host]
    if _BEDROCK_HOST.fullmatch(host):
        return "bedrock"
    return next((provider for suffix, provider in _SUFFIXES if host.endswith(suffix)), None)


def identify(method: str, url: str) -> Endpoint | None:
    """
    What a request speaks to, or None when nothing tells that it is an LLM call.

    A known host counts whatever the path; any other host counts when it is sent a body on a known path.
    """
    parts = urlsplit(url)
    provider = _provider_of((parts.hostname or "").lower())
    path = unquote(parts.path)
    where = f"{parts.netloc.rpartition('@')[2].lower()}{path}"
    api, default = _api_of(where) if method.upper() == "POST" or provider else (None, None)
    if provider is None and api is None:
        return None
    if where.partition("/")[0].endswith(_OLLAMA_PORT):
        default = "ollama"  # whichever of its formats it is asked in
    model = _MODEL_PATH.search(path)
    return Endpoint(provider or default or "unknown", api or f"{provider}.other", model["model"] if model else None)


def _api_of(where: str) -> tuple[str | None, str | None]:
    return next(((api, default) for pattern, api, default in _PATHS if pattern.search(where)), (None, None))
