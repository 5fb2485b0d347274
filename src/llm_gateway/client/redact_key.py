"""Remove the request's key from what a provider answers: some servers repeat it in their errors."""

from __future__ import annotations

from llm_gateway.providers.base import HttpProvider, Provider, provider_name

__all__ = ["redact_key", "redact_key_bytes"]


def redact_key(provider: Provider, text: str) -> str:
    """Return *text* with ``[key of <provider>]`` in place of the key."""
    key = _key_of(provider)
    return text.replace(key, _shown(provider)) if key else text


def redact_key_bytes(provider: Provider, data: bytes) -> bytes:
    """Return *data* with the key replaced; called before anything is truncated, which might leave half a key."""
    key = _key_of(provider)
    return data.replace(key.encode(), _shown(provider).encode()) if key else data


def _shown(provider: Provider) -> str:
    return f"[key of {provider_name(provider)}]"


def _key_of(provider: Provider) -> str:
    """Return the key that *provider*, or the SDK client behind it, puts into requests; empty where there is none."""
    if not isinstance(provider, HttpProvider):
        return ""
    key = getattr(provider.auth, "key", None) or getattr(provider.client, "api_key", None)
    return key if isinstance(key, str) and len(key) >= _SHORTEST else ""


_SHORTEST = 8  # a placeholder such as ``k`` is no secret, and occurs in every other word
