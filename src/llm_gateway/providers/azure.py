"""OpenAI's models on Azure: the v1 surface, or deployments with a dated version of the API."""

from __future__ import annotations

from typing import Any

from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Auth, Key, NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.wire import openai_chat
from llm_gateway.wire.model_lists import AZURE

__all__ = ["provider"]

_TOKEN_DOTS = 2  # a token of Entra is three parts, a key has none


def provider(config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """
    Build chat completions on Azure, called directly or through *client*, an ``AzureOpenAI`` or ``AsyncAzureOpenAI``.

    The model is the name of a deployment. With ``LLM_API_VERSION`` (or ``OPENAI_API_VERSION``) the address of the
    deployment is called with that version; without, the v1 surface. A key goes out as ``api-key``, a token of Entra
    as ``Authorization: Bearer``.

    Raises:
        ConfigError: Endpoint or key is missing.
    """
    endpoint = config.url("azure", None).removesuffix("/openai/v1") if client is None else str(client.base_url)
    version = config.version("azure")
    path = f"/openai/deployments/{{model}}/chat/completions?api-version={version}"
    return HttpProvider(
        name="azure",
        dialect=openai_chat.DIALECT,
        base_url=endpoint,
        path=path if version and client is None else "/openai/v1/chat/completions",
        auth=_auth(config.key("azure")) if client is None else NoAuth(),
        default_model="",
        client=client,
        models=AZURE,
    )


def _auth(key: str) -> Auth:
    return Key(key) if key.count(".") >= _TOKEN_DOTS else Key(key, "api-key", "{}")
