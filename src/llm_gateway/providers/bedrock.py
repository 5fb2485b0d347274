"""AWS Bedrock: every model through the Converse API, with signed requests or with an API key of Bedrock."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError
from llm_gateway.providers.auth import Auth, Key
from llm_gateway.providers.base import HttpProvider
from llm_gateway.providers.sigv4 import SigV4, region_of
from llm_gateway.types import ChatRequest, WireRequest
from llm_gateway.wire import bedrock, count_tokens
from llm_gateway.wire.model_lists import BEDROCK

__all__ = ["provider"]

_ENTRY = PROVIDERS["bedrock"]
_SEVERAL_REGIONS = re.compile(r"^(apac|au|ca|eu|global|jp|us|us-gov)\.(?=[a-z0-9]+\.)")


def provider(config: GatewayConfig) -> HttpProvider:
    """
    Build Converse in one region; a model is a name, the name of an inference profile, or an ARN of either.

    A key of Bedrock (``AWS_BEARER_TOKEN_BEDROCK``) goes out as it is. Without, requests are signed with AWS's usual
    credentials, which takes the extra ``bedrock``.

    Raises:
        ConfigError: No region is set, or botocore is missing.
    """
    region = _region(config)
    base_url = config.url("bedrock", _ENTRY.url_in(region))
    made = HttpProvider(
        name="bedrock",
        dialect=bedrock.DIALECT,
        base_url=base_url,
        path="/model/{model}/converse",
        stream_path="/model/{model}/converse-stream",
        stream_type="application/vnd.amazon.eventstream",
        auth=_auth(config, region),
        default_model=_ENTRY.default_model,
        models=dataclasses.replace(BEDROCK, base_url=base_url.replace("bedrock-runtime", "bedrock")),
    )
    counted: dict[str, Any] = {"dialect": count_tokens.BEDROCK, "path": "/model/{model}/count-tokens"}
    return dataclasses.replace(made, counter=_Counter(**vars(made) | counted))


class _Counter(HttpProvider):
    """The token counter, which takes models only by their own names, without the region of a profile."""

    def request(self, chat: ChatRequest) -> WireRequest:
        """Build the request for the count."""
        return super().request(dataclasses.replace(chat, model=_SEVERAL_REGIONS.sub("", chat.model)))


def _region(config: GatewayConfig) -> str:
    profile = config.aws_profile()
    found = config.region_if_set("bedrock") or region_of(profile)
    if found is None:
        raise ConfigError(
            "no region for 'bedrock'",
            cause=f"neither LLM_REGION, AWS_REGION nor AWS_DEFAULT_REGION is set, "
            f"and the profile {profile or 'default'!r} names none",
            fix="export AWS_REGION=us-east-1",
        )
    return found


def _auth(config: GatewayConfig, region: str) -> Auth:
    key = config.key_if_set("bedrock")
    return Key(key) if key else SigV4("bedrock", region, config.aws_keys(), config.aws_profile())
