"""The many providers that litellm supports, called through litellm itself."""

from __future__ import annotations

import importlib
import importlib.util
import os
from typing import Any

from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError
from llm_gateway.providers.auth import NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.transport.litellm import Litellm
from llm_gateway.wire.openai_chat import OpenAIChat

__all__ = ["provider"]

_NOWHERE = "https://litellm"  # never called: litellm knows the addresses
_ONCE = {"num_retries": 0, "max_retries": 0}  # the flow retries
_OFFLINE = ("LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS", "LITELLM_LOCAL_MODEL_COST_MAP")
"""Without these litellm fetches files from its repository, one of them while it is imported."""
_APART = "litellm pins an openai SDK older than 3, so it needs an environment without the extra [openai]"


def provider(config: GatewayConfig, *, client: Any = None) -> HttpProvider:
    """
    Build a provider for every model that litellm can call, named as in ``watsonx/ibm/granite-4-h-small``.

    Args:
        config: Key and address are passed to litellm where they are set; otherwise it reads its own variables.

        client: A ``litellm.Router``, with its own keys and addresses; None is litellm itself.

    Raises:
        ConfigError: litellm is not installed, or cannot be imported with the installed packages.
    """
    base_url = config.url("litellm", _NOWHERE)
    return HttpProvider(
        name="litellm",
        dialect=OpenAIChat(max_tokens_name="max_tokens"),
        base_url=base_url,
        path="/chat/completions",
        auth=NoAuth(),
        default_model="",
        client=Litellm(_import_litellm(), _options(config, base_url)) if client is None else Litellm(client),
    )


def _options(config: GatewayConfig, base_url: str) -> dict[str, Any]:
    options = {
        "api_key": config.key_if_set("litellm"),
        "api_base": None if base_url == _NOWHERE else base_url,
        "timeout": config.timeout_s,
    }
    return _ONCE | {name: value for name, value in options.items() if value is not None}


def _import_litellm() -> Any:
    if importlib.util.find_spec("litellm") is None:
        raise ConfigError(
            "'litellm' cannot be called: litellm is not installed",
            cause=_APART,
            fix="pip install 'pytest-llm-gateway[litellm]'",
        )
    for name in _OFFLINE:
        os.environ.setdefault(name, "True")
    try:
        litellm: Any = importlib.import_module("litellm")
    except ImportError as error:
        raise ConfigError(
            f"'litellm' cannot be called: its import fails: {error}",
            cause=_APART,
            fix="python -m venv lite && lite/bin/pip install 'pytest-llm-gateway[litellm]'",
        ) from error
    litellm.suppress_debug_info = True  # else it prints to standard output at each error
    return litellm
