"""What is known of models without asking anyone: kept lists, published limits, and what the user says."""

from __future__ import annotations

import dataclasses

from llm_gateway.client.call import provider_name
from llm_gateway.client.models import registered
from llm_gateway.client.models.store import Listed, Store
from llm_gateway.config import GatewayConfig
from llm_gateway.providers.base import HttpProvider, ProcessProvider, Provider
from llm_gateway.types import ChatRequest
from llm_gateway.wire.limits import Limits, published
from llm_gateway.wire.models import ModelInfo, named

__all__ = ["Known"]


class Known:
    """
    What the client of *config* knows of models.

    Raises:
        ConfigError: What *config* says of models is wrong.
    """

    def __init__(self, config: GatewayConfig) -> None:
        origin = ", ".join(map(str, config.config)) or "LLM_MODELS"
        self._own = registered.read(config.models, origin)
        self.store = Store(config.models_folder())

    def listed(self, provider: Provider) -> Listed | None:
        """The list that was kept of *provider*'s models, as it came."""
        if not isinstance(provider, HttpProvider) or provider.models is None:
            return None
        return self.store.load(provider.name, provider.base_url)

    def names(self, provider: Provider) -> list[str]:
        """The names that *provider* listed when it was last asked, and those that the user added."""
        return [one.id for one in self.all(provider, self.listed(provider)) if one.lifecycle != "vanished"]

    def all(self, provider: Provider, listed: Listed | None) -> list[ModelInfo]:
        """All models of *listed*, and those that the user added, with what else is known of them."""
        found = {one.id: one for one in (listed.models if listed else ())}
        for one in registered.registered(self._own, provider_name(provider)):
            if one.id not in found or found[one.id].lifecycle == "vanished":  # what the user names is there
                found[one.id] = one
        return [self._whole(one) for one in found.values()]

    def info(self, provider: Provider | str, name: str) -> ModelInfo | None:
        """What is known of the model *name*; None where nothing is. A *provider* by name alone has no list."""
        listed = None if isinstance(provider, str) else self.listed(provider)
        if (found := named(listed.models if listed else (), name)) is not None:
            return self._whole(found)
        bare = ModelInfo(name, provider if isinstance(provider, str) else provider_name(provider))
        is_said = registered.said(self._own, bare.provider, name) is not None
        return self._whole(bare) if is_said or published(bare.provider, name) != Limits() else None

    def refuses(
        self, provider: HttpProvider | ProcessProvider, request: ChatRequest
    ) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        """
        What the model of *request* does not take, in words of `llm_gateway.wire.params.NAMES`.

        The first is what the user says of it, the second what its provider lists; None where that says nothing.
        """
        said = registered.said(self._own, provider.name, request.model) or {}
        listed = self.listed(provider)
        found = named(listed.models, request.model) if listed is not None else None
        return said.get("refuses"), found.refuses if found is not None else None

    def _whole(self, model: ModelInfo) -> ModelInfo:
        """*model* as listed, its gaps filled by what is published, and all of that under what the user says."""
        limits = published(model.provider, model.id)
        filled = dataclasses.replace(
            model,
            context_tokens=model.context_tokens or limits.context_tokens,
            max_output_tokens=model.max_output_tokens or limits.max_output_tokens,
        )
        return dataclasses.replace(filled, **registered.said(self._own, model.provider, model.id) or {})
