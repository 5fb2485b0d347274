"""What both colours of the client share: settings, requests, totals."""

from __future__ import annotations

import functools
from decimal import Decimal
from typing import Any

from llm_gateway import config as settings
from llm_gateway import registry
from llm_gateway.client.call import Call
from llm_gateway.client.context import Context
from llm_gateway.client.fallback import Target
from llm_gateway.client.flows import adapter_for, schema_name
from llm_gateway.client.message import Messages, messages_from
from llm_gateway.client.truncation import drop_oldest
from llm_gateway.cost import recorded
from llm_gateway.cost.overrides import read as read_prices
from llm_gateway.cost.tracker import CostTracker
from llm_gateway.exceptions import ConfigError
from llm_gateway.providers.base import Provider
from llm_gateway.types import ChatRequest, Tool
from llm_gateway.wire.schema import strict_json_schema

__all__ = ["Core"]

_OF_THE_CALL = frozenset({"max_context_tokens", "context_strategy"})
"""Options that say how to ask; the others say what."""


class Core:
    """Settings and totals of a client; does no I/O."""

    def __init__(
        self,
        config: settings.GatewayConfig | None = None,
        *,
        provider: str | None = None,
        model: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        provider_instance: Provider | None = None,
        cost_tracker: CostTracker | None = None,
    ) -> None:
        self.config = config or settings.load(provider=provider, model=model, api_key=api_key, base_url=base_url)
        if self.config.prices is not None:
            read_prices(settings.read_document(self.config.prices), str(self.config.prices))
        self.cost_tracker = cost_tracker or CostTracker(
            limit_usd=self.config.cost_limit_usd, warn_usd=self.config.cost_warn_usd
        )
        self._calls = 0
        self._ratios: dict[str, float] = {}
        name, wanted = self.config.target(registry.list_providers())
        self.provider = provider_instance or registry.resolve(name)(self.config)
        self.model = wanted or str(getattr(self.provider, "default_model", ""))
        self._fallbacks = tuple(
            self._target(name, one) for one in self.config.fallback_models or self.config.of(name).fallback_models
        )

    def _target(self, own: str, named: str) -> Target:
        """
        The model *named*, of the provider *own* unless it names another.

        Raises:
            ConfigError: It names another provider, and that is not allowed.
            UnknownProviderError: It names one that is not known.
        """
        config = self.config.model_copy(update={"model": named, "provider": None})
        name, model = config.target(registry.list_providers())
        if ":" not in named or f"{name}:{model}" != named:
            return Target(own, named, lambda: self.provider)
        if name == own:
            return Target(own, model or "", lambda: self.provider)
        if not self.config.cross_provider_fallback:
            raise ConfigError(
                f"{named!r} cannot stand in for a model of {own}",
                cause="LLM_FALLBACK_MODELS names another provider",
                fix="export LLM_CROSS_PROVIDER_FALLBACK=true, or name a model of the same provider",
            )
        factory = registry.resolve(name)
        # What is set for one provider is not the other's: that one has its own variables.
        theirs = self.config.model_copy(update={"api_key": None, "base_url": None, "api_version": None})
        made = functools.cache(lambda: factory(theirs))
        return Target(name, model or "", made)

    def call(self, response_model: type[Any] | None = None, **options: Any) -> Call:
        """Start a call; of *options* it takes what `request` leaves."""
        self._calls += 1
        recorded.take()  # whatever another call in this context left there
        return Call(
            self.provider,
            self.config.max_retries,
            self.cost_tracker,
            response_model,
            self._fallbacks,
            self.config.total_timeout_s,
            self._context(options),
        )

    def _context(self, options: dict[str, Any]) -> Context | None:
        most = options.get("max_context_tokens") or self.config.max_context_tokens
        return Context(most, options.get("context_strategy") or drop_oldest, self._ratios) if most else None

    def counting(self) -> Call:
        """Start a call that counts only: it is free, and no part of the client's totals."""
        return Call(self.provider, self.config.max_retries, CostTracker())

    def request(
        self, messages: Messages, *, system: str | None = None, response_model: Any = None, **options: Any
    ) -> ChatRequest:
        """What is asked, in no provider's words."""
        given = {name: value for name, value in options.items() if value is not None and name not in _OF_THE_CALL}
        given.setdefault("max_tokens", self.config.max_tokens)
        given.setdefault("temperature", self.config.temperature)
        given["stop"] = tuple(given.get("stop", ()))
        given["tools"] = tuple(_tool(tool) for tool in given.get("tools", ()))
        if response_model is not None:
            given["response_schema"] = strict_json_schema(adapter_for(response_model).json_schema())
            given["response_schema_name"] = schema_name(response_model)
        return ChatRequest(given.pop("model", self.model), messages_from(messages, system), **given)

    @property
    def call_count(self) -> int:
        """Calls that were begun, answered or not."""
        return self._calls

    @property
    def total_tokens(self) -> int | None:
        """Input and output tokens of all attempts that were billed, or None when one of them reported none."""
        return self.cost_tracker.total_tokens

    @property
    def total_cost_usd(self) -> Decimal | None:
        """US dollars of all attempts that were billed, or None when the price of one is not known."""
        return self.cost_tracker.total_cost_usd

    def cost_summary(self) -> dict[str, dict[str, Any]]:
        """
        By model: ``attempts``, ``input_tokens``, ``output_tokens`` and ``cost_usd`` of what was billed.

        A sum is None where one of its attempts reported nothing.
        """
        return self.cost_tracker.summary()


def _tool(tool: Any) -> Tool:
    return tool if isinstance(tool, Tool) else Tool(tool["name"], tool.get("description", ""), tool["parameters"])
