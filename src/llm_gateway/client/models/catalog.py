"""Facts about models that need no request: kept lists, published limits, and what the user states."""

from __future__ import annotations

import dataclasses

from llm_gateway.client.models import registered
from llm_gateway.client.models.store import Listed, Store
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.base import HttpProvider, ProcessProvider, Provider, provider_name
from llm_gateway.types import ChatRequest
from llm_gateway.wire.limits import Limits, published
from llm_gateway.wire.models import ModelInfo, find_model

__all__ = ["ModelCatalog"]


class ModelCatalog:
    """
    The models that a client with *config* knows of.

    Raises:
        ConfigError: The models in *config* cannot be read.
    """

    def __init__(self, config: GatewayConfig) -> None:
        origin = ", ".join(map(str, config.config)) or "LLM_MODELS"
        self._own = registered.read(config.models, origin)
        self.store = Store(config.models_folder())

    def listed(self, provider: Provider) -> Listed | None:
        """Return the kept list of *provider*'s models, as the provider sent it; None where there is none."""
        if not isinstance(provider, HttpProvider) or provider.models is None:
            return None
        return self.store.load(provider.name, provider.base_url)

    def names(self, provider: Provider) -> list[str]:
        """Return the names in the kept list of *provider*, and those that the user added."""
        return [one.id for one in self.all(provider, self.listed(provider)) if one.lifecycle != "vanished"]

    def all(self, provider: Provider, listed: Listed | None) -> list[ModelInfo]:
        """Return all models of *listed*, and those that the user added, completed with what else is known of them."""
        found = {one.id: one for one in (listed.models if listed else ())}
        for one in registered.registered(self._own, provider_name(provider)):
            if one.id not in found or found[one.id].lifecycle == "vanished":  # the user states that it exists
                found[one.id] = one
        return [self._whole(one) for one in found.values()]

    def info(self, provider: Provider | str, name: str) -> ModelInfo | None:
        """Return what is known of the model *name*, or None. A *provider* given by its name alone has no list."""
        listed = None if isinstance(provider, str) else self.listed(provider)
        if (found := find_model(listed.models if listed else (), name)) is not None:
            return self._whole(found)
        bare = ModelInfo(name, provider if isinstance(provider, str) else provider_name(provider))
        is_stated = registered.facts_of(self._own, bare.provider, name) is not None
        return self._whole(bare) if is_stated or published(bare.provider, name) != Limits() else None

    def unsupported_options(
        self, provider: HttpProvider | ProcessProvider, request: ChatRequest
    ) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """
        Return the options that the model of *request* does not take, in words of `llm_gateway.wire.params.NAMES`.

        The first set is stated by the user, the second by the provider's list; None where that states nothing.
        """
        stated = registered.facts_of(self._own, provider.name, request.model) or {}
        listed = self.listed(provider)
        found = find_model(listed.models, request.model) if listed is not None else None
        return stated.get("refuses"), found.refuses if found is not None else None

    def _whole(self, model: ModelInfo) -> ModelInfo:
        """Return *model* as listed, its gaps filled by published limits, overridden by what the user states."""
        limits = published(model.provider, model.id)
        filled = dataclasses.replace(
            model,
            context_tokens=model.context_tokens or limits.context_tokens,
            max_output_tokens=model.max_output_tokens or limits.max_output_tokens,
        )
        return dataclasses.replace(filled, **registered.facts_of(self._own, model.provider, model.id) or {})
