"""Sessions of a client, and derived clients that differ in a few options."""

from __future__ import annotations

from decimal import Decimal

from llm_gateway import registry
from llm_gateway.config import GatewayConfig
from llm_gateway.cost.tracker import CostTracker
from llm_gateway.exceptions import ConfigError

__all__ = ["chosen", "session_cost", "settings_of_another"]


def session_cost(tracker: CostTracker, session_id: str | None) -> Decimal | None:
    """Return the US dollars of a session; see `SyncLLMClient.get_session_cost`."""
    if session_id is None:
        raise ConfigError(
            "no session was named",
            cause="the client was made without a session_id",
            fix='say which: llm.get_session_cost("..."), or make the client with session_id="..."',
        )
    return tracker.session_cost_usd(session_id)


def chosen(config: GatewayConfig, own: str, model: str | None, provider: str | None) -> tuple[str, str | None]:
    """The provider and the model that *model* and *provider* name, for a client whose provider is *own*."""
    if model is None and provider is None:
        return own, None
    chosen_config = config.model_copy(update={"provider": provider, "model": model})
    name, found = chosen_config.target(registry.list_providers())
    if provider is None and f"{name}:{found}" != model:
        return own, model
    return name, found


def settings_of_another(config: GatewayConfig, provider: str) -> GatewayConfig:
    """Settings for *provider* out of those for another one, whose key and address are not its own."""
    theirs = {"api_key": None, "base_url": None, "api_version": None}
    return config.model_copy(update={"provider": provider, "model": None, **theirs})
