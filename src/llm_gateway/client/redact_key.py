"""What a provider says back, without the key that it was asked with: some servers repeat it in their errors."""

from __future__ import annotations

from llm_gateway.client.call import provider_name
from llm_gateway.providers.base import HttpProvider, Provider

__all__ = ["without_key", "without_key_bytes"]


def without_key(provider: Provider, text: str) -> str:
    """*text*, with ``[key of <provider>]`` where it holds the key."""
    key = _key_of(provider)
    return text.replace(key, _shown(provider)) if key else text


def without_key_bytes(provider: Provider, data: bytes) -> bytes:
    """*data* in the same way; done before anything is cut, which might leave half a key."""
    key = _key_of(provider)
    return data.replace(key.encode(), _shown(provider).encode()) if key else data


def _shown(provider: Provider) -> str:
    return f"[key of {provider_name(provider)}]"


def _key_of(provider: Provider) -> str:
    """The key that *provider*, or the client of an official SDK that it sends through, puts into its requests."""
    if not isinstance(provider, HttpProvider):
        return ""
    key = getattr(provider.auth, "key", None) or getattr(provider.client, "api_key", None)
    return key if isinstance(key, str) and len(key) >= _SHORTEST else ""


_SHORTEST = 8  # a placeholder like ``k`` is no secret, and stands in every other word
