"""The ``claude`` command line of this machine, with its own login."""

from __future__ import annotations

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError
from llm_gateway.providers.base import ProcessProvider
from llm_gateway.wire.claude_cli import DIALECT

__all__ = ["provider"]


def provider(config: GatewayConfig) -> ProcessProvider:
    """
    Build the provider; it needs nothing that *config* holds.

    Raises:
        ConfigError: Its section of a file sets a key or an address, which would be ignored.
    """
    theirs = config.of("local_claude")
    for name in ("api_key", "base_url"):
        if getattr(theirs, name) is not None:
            raise ConfigError(
                f"providers.local_claude.{name} cannot be used",
                cause="the claude command has a login and an address of its own",
                fix=f"leave it out, or set it in providers.anthropic.{name} and use active_provider: anthropic",
            )
    return ProcessProvider(
        name="local_claude",
        dialect=DIALECT,
        default_model=PROVIDERS["local_claude"].default_model,
        # Retries are the flow's; without this the command line tries eleven times, in silence, for three minutes.
        env={"CLAUDE_CODE_MAX_RETRIES": "0", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    )
