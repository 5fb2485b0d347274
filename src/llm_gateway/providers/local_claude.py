"""The ``claude`` command line of this machine, with the login that it has."""

from __future__ import annotations

from llm_gateway.config import GatewayConfig
from llm_gateway.providers.base import ProcessProvider
from llm_gateway.wire.claude_cli import DIALECT

__all__ = ["provider"]


def provider(config: GatewayConfig) -> ProcessProvider:
    """The command line; it needs nothing that *config* holds."""
    del config
    return ProcessProvider(
        name="local_claude",
        dialect=DIALECT,
        default_model="haiku",
        # Retries are the flow's; without this the command line tries eleven times, in silence, for three minutes.
        env={"CLAUDE_CODE_MAX_RETRIES": "0", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"},
    )
