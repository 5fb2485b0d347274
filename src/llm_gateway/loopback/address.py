"""Where on the server each provider is, which variables say so to its SDKs, and whom a request is meant for. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from llm_gateway.types import Headers
from llm_gateway.wire.identify import identify

__all__ = ["PROVIDERS", "Provider", "candidates", "provider_at", "variables"]


@dataclass(frozen=True, slots=True)
class Provider:
    """
    A provider that can be asked under its name: ``http://127.0.0.1:1234/openai/v1/chat/completions``.

    Attributes:
        origin: Where it really is; a host that depends on who asks has ``{region}`` or ``{resource}`` in it.

        variables: What SDKs read their base address from, each with the path that the SDK expects in it.
    """

    origin: str
    variables: Mapping[str, str] = field(default_factory=dict)


# The second of two variables is litellm's, or of an older SDK. Left out: ANTHROPIC_FOUNDRY_BASE_URL, with which the
# SDK refuses to take a resource's name, and what no SDK reads: the servers of mistralai are named in its calls.
PROVIDERS = {
    "anthropic": Provider("https://api.anthropic.com", {"ANTHROPIC_BASE_URL": ""}),
    "openai": Provider("https://api.openai.com", {"OPENAI_BASE_URL": "/v1", "OPENAI_API_BASE": "/v1"}),
    "azure": Provider("https://{resource}.openai.azure.com", {"AZURE_OPENAI_ENDPOINT": "", "AZURE_API_BASE": ""}),
    "gemini": Provider("https://generativelanguage.googleapis.com", {"GOOGLE_GEMINI_BASE_URL": ""}),
    "vertex": Provider(
        "https://{region}-aiplatform.googleapis.com", {"GOOGLE_VERTEX_BASE_URL": "", "ANTHROPIC_VERTEX_BASE_URL": "/v1"}
    ),
    "bedrock": Provider(
        "https://bedrock-runtime.{region}.amazonaws.com",
        {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": "", "ANTHROPIC_BEDROCK_BASE_URL": ""},
    ),
    "groq": Provider("https://api.groq.com", {"GROQ_BASE_URL": "", "GROQ_API_BASE": "/openai/v1"}),
    "mistral": Provider("https://api.mistral.ai", {"MISTRAL_API_BASE": "/v1"}),
    "cohere": Provider("https://api.cohere.com", {"CO_API_URL": ""}),
    "together": Provider("https://api.together.ai", {"TOGETHER_BASE_URL": ""}),
    "ollama": Provider("http://localhost:11434", {"OLLAMA_HOST": "", "OLLAMA_API_BASE": "", "OLLAMA_BASE_URL": "/v1"}),
    "openrouter": Provider("https://openrouter.ai", {"OPENROUTER_API_BASE": "/api/v1"}),
    "deepseek": Provider("https://api.deepseek.com", {"DEEPSEEK_API_BASE": ""}),
    "xai": Provider("https://api.x.ai", {"XAI_API_BASE": "/v1"}),
    "fireworks": Provider("https://api.fireworks.ai", {"FIREWORKS_API_BASE": "/inference/v1"}),
    "cerebras": Provider("https://api.cerebras.ai", {"CEREBRAS_API_BASE": "/v1"}),
    "perplexity": Provider("https://api.perplexity.ai", {"PERPLEXITY_API_BASE": ""}),
}
"""The table."""

_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/")
_LOCATION = re.compile(r"/locations/(?P<region>[^/]+)/")
_GLOBAL = {
    "https://global-": "https://",
    "https://us-aiplatform.": "https://aiplatform.us.rep.",
    "https://eu-aiplatform.": "https://aiplatform.eu.rep.",
}
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def variables(url: str) -> dict[str, str]:
    """What to set so that every SDK asks the server at *url*."""
    return {
        name: f"{url}/{provider}{path}" for provider, row in PROVIDERS.items() for name, path in row.variables.items()
    }


def provider_at(target: str) -> tuple[str, str] | None:
    """The provider that *target* begins with, and the rest of it, with which its own paths begin."""
    name, _, rest = target.lstrip("/").partition("/")
    return (name, f"/{rest}") if name in PROVIDERS else None


def candidates(
    name: str, rest: str, headers: Headers, environ: Mapping[str, str], recorded: Iterable[str]
) -> Iterator[str]:
    """
    The addresses that *rest* may have at the provider *name*, the best last.

    Args:
        name: One of `PROVIDERS`.

        rest: Path and query.

        headers: Of the request; a signature for AWS names the region.

        environ: As it was before the server's own addresses were set.

        recorded: Addresses that the cassette holds.
    """
    for origin in dict.fromkeys(_origin(url) for url in recorded if _is_at(name, url)):
        yield origin + rest
    row = PROVIDERS[name]
    for variable, path in row.variables.items():
        if found := environ.get(variable, "").rstrip("/"):
            base = found if "://" in found else f"http://{found}"
            yield base + rest.removeprefix(path)
            return
    yield _placed(row.origin, rest, headers, environ) + rest


def _is_at(name: str, url: str) -> bool:
    found = identify("POST", url)
    return found is not None and found.provider == name


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _placed(origin: str, rest: str, headers: Headers, environ: Mapping[str, str]) -> str:
    """*origin* with its region, as far as the request tells it."""
    if "{region}" not in origin:
        return origin
    if "googleapis" in origin:
        found = _LOCATION.search(rest)
        placed = origin.replace("{region}", found["region"] if found else "global")
        return next((placed.replace(*pair) for pair in _GLOBAL.items() if placed.startswith(pair[0])), placed)
    signed = next((value for name, value in headers if name.lower() == "authorization"), "")
    scope = _SCOPE.search(signed)
    usual = next((environ[name] for name in _REGIONS if environ.get(name)), "us-east-1")
    return origin.replace("{region}", scope["region"] if scope else usual)
