"""Gemini on Google Cloud, in a project and a region."""

from __future__ import annotations

import dataclasses

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.auth import Key
from llm_gateway.providers.base import HttpProvider
from llm_gateway.providers.google_token import GoogleToken
from llm_gateway.wire import count_tokens
from llm_gateway.wire.gemini import DIALECT
from llm_gateway.wire.model_lists import VERTEX

__all__ = ["provider"]

_ENTRY = PROVIDERS["vertex"]


def provider(config: GatewayConfig) -> HttpProvider:
    """
    Build Gemini on Vertex, with the access token that is set, else with one that google-auth fetches.

    The project comes from ``LLM_PROJECT`` or ``GOOGLE_CLOUD_PROJECT``, the region from ``LLM_REGION`` or
    ``GOOGLE_CLOUD_LOCATION``; without one it is ``global``.

    Raises:
        ConfigError: There is no project, or google-auth is not installed and no token is set.
    """
    project, region = config.project_of("vertex"), config.region_if_set("vertex") or _ENTRY.default_region
    token = config.key_if_set("vertex")
    model = f"/v1/projects/{project}/locations/{region}/publishers/google/models/{{model}}"
    made = HttpProvider(
        name="vertex",
        dialect=DIALECT,
        base_url=config.url("vertex", _ENTRY.url_in(region)),
        path=f"{model}:generateContent",
        stream_path=f"{model}:streamGenerateContent?alt=sse",
        auth=Key(token) if token else GoogleToken(config.timeout_s),
        default_model=_ENTRY.default_model,
        models=VERTEX,
    )
    counter = dataclasses.replace(made, dialect=count_tokens.VERTEX, path=f"{model}:countTokens")
    return dataclasses.replace(made, counter=counter)
