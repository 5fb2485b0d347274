"""`BaseClient`: the settings, requests and totals that `LLMClient` and `SyncLLMClient` share."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Self, Unpack

from pydantic import SecretStr

from llm_gateway import config as settings
from llm_gateway import registry
from llm_gateway.catalog import find
from llm_gateway.client.breaker import Breakers
from llm_gateway.client.cache.cache import cache_for
from llm_gateway.client.cache.store import CacheStore
from llm_gateway.client.call import Call
from llm_gateway.client.context import Context
from llm_gateway.client.fallback import Target
from llm_gateway.client.flows import schema_name, schema_of
from llm_gateway.client.message import Messages, messages_from, tools_from
from llm_gateway.client.models.catalog import ModelCatalog
from llm_gateway.client.models.listing import ModelLister
from llm_gateway.client.observation import Observation
from llm_gateway.client.options import CompleteOptions, NoMore, check_no_more, check_options
from llm_gateway.client.params import Params, Policy
from llm_gateway.client.timeouts import Timeouts
from llm_gateway.client.truncation import drop_oldest
from llm_gateway.config import GatewayConfig
from llm_gateway.config.file import read_document
from llm_gateway.cost.ledger import open_ledger
from llm_gateway.cost.ledger.outbox import Outbox
from llm_gateway.cost.overrides import read as read_prices
from llm_gateway.cost.tracker import CostTracker
from llm_gateway.exceptions import ConfigError, MissingKeyError
from llm_gateway.observability.events import Observer
from llm_gateway.observability.observers import Observers
from llm_gateway.providers.base import HttpProvider, Provider, provider_name
from llm_gateway.types import ChatRequest
from llm_gateway.wire.models import ModelInfo

__all__ = ["BaseClient", "build_observers", "chosen", "session_cost", "settings_of_another"]


class BaseClient:
    """Settings and totals of a client; does no I/O except reading kept lists of models."""

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
        cache: CacheStore | Literal[False] | None = None,
        observers: Sequence[Observer] = (),
        session_id: str | None = None,
        **unknown: Unpack[NoMore],
    ) -> None:
        check_no_more(BaseClient.__init__, unknown)
        self.config = _configured(config, provider=provider, model=model, api_key=api_key, base_url=base_url)
        if self.config.prices is not None:
            read_prices(read_document(self.config.prices), str(self.config.prices))
        self.cost_tracker = cost_tracker or CostTracker(
            limit_usd=self.config.cost_limit_usd, warn_usd=self.config.cost_warn_usd
        )
        self._calls = 0
        self._outbox = _outbox(self.config.ledger.get_secret_value()) if self.config.ledger else None
        self._cache = cache_for(self.config, cache)
        self._known = ModelCatalog(self.config)
        self._ratios: dict[str, float] = {}
        self._warned: set[tuple[str, str, str]] = set()
        self._breakers = Breakers(self.config.circuit_failures, self.config.circuit_pause_s)
        name, wanted = self.config.target(registry.list_providers())
        self.provider = provider_instance or registry.build_provider(name, self.config)
        self._own_names = {provider_name(self.provider), *(() if provider_instance else (name,))}
        self._observers = build_observers(self.config, observers)
        self.session_id = session_id
        self._is_derived, self._owns_provider = False, True
        self.provider_name = name if provider_instance is None else provider_name(provider_instance)
        self.model = wanted or str(getattr(self.provider, "default_model", ""))
        self._fallbacks = tuple(
            self._target(name, one) for one in self.config.fallback_models or self.config.of(name).fallback_models
        )

    def _target(self, own: str, named: str) -> Target:
        """
        Return the model *named*, of the provider *own* unless it names another provider.

        Raises:
            ConfigError: *named* has another provider, and that is not allowed.
            UnknownProviderError: *named* has an unknown provider.
        """
        config = self.config.model_copy(update={"model": named, "provider": None})
        name, model = config.target(registry.list_providers())
        is_tag = find(own).has_colons and name not in registry.list_providers()
        if ":" not in named or f"{name}:{model}" != named or is_tag:
            return Target(own, named, lambda: self.provider)
        if name == own:
            return Target(own, model or "", lambda: self.provider)
        registry.resolve(name)  # raises for a misspelt one, as for a model
        if not self.config.cross_provider_fallback:
            raise ConfigError(
                f"{named!r} cannot be a fallback for a model of {own}",
                cause="LLM_FALLBACK_MODELS names another provider",
                fix="export LLM_CROSS_PROVIDER_FALLBACK=true, or name a model of the same provider",
            )
        made = self._maker(name)()  # raises now for what it lacks, not when it is needed
        return Target(name, model or "", lambda: made)

    def _maker(self, name: str) -> Callable[[], Provider]:
        """Return a function that creates the provider *name*, which is not the client's own."""
        registry.resolve(name)
        # What is set for one provider is not the other's: that one has its own variables.
        theirs = self.config.model_copy(update={"api_key": None, "base_url": None, "api_version": None})
        return lambda: registry.build_provider(name, theirs)

    def _model_lister(self, provider: str | None = None) -> ModelLister:
        """Return the lister of the models of *provider*; None is the client's own provider."""
        is_own = provider is None or provider in self._own_names
        found = self.provider if is_own else self._maker(provider or "")()
        return ModelLister(found, self._known, self.config.max_retries, datetime.now(UTC))

    def model_info(self, name: str) -> ModelInfo | None:
        """
        Return what is known of the model *name*, or ``provider:name``, without a request; None where nothing is.

        The provider's last list comes first, then published limits; registered facts win over both.
        """
        provider, model = self._split_model(name)
        try:
            return self._known.info(self._model_lister(provider).provider, model)
        except MissingKeyError:  # without a key a provider was never listed here
            return self._known.info(provider or "", model)

    def is_model_deprecated(self, name: str, *, at: datetime | None = None) -> bool | None:
        """Return whether the model *name* is deprecated or gone at *at*, by default now; None where it is not known."""
        info = self.model_info(name)
        return None if info is None else info.is_deprecated(at or datetime.now(UTC))

    def _split_model(self, name: str) -> tuple[str | None, str]:
        """Split ``provider:model``; the provider is None where *name* has none."""
        provider, _, model = name.partition(":")
        return (provider, model) if model and provider in registry.list_providers() else (None, name)

    def _start_call(self, response_model: type[Any] | None = None, options: CompleteOptions | None = None) -> Call:
        """Start a call."""
        self._calls += 1
        return Call(
            self.provider,
            self.config.max_retries,
            self.cost_tracker,
            response_model,
            self._fallbacks,
            Timeouts.of(self.config, options or {}),
            breakers=self._breakers,
            outbox=self._outbox,
            tags=self.config.tags,
            cache=None if options and options.get("cache") is False else self._cache,
            listed=self._known.names,
            session_id=(options or {}).get("session_id") or self.session_id,
            observed=Observation(self._observers) if self._observers is not None else None,
            context=self._context(options or {}),
            params=Params(self._policy(options or {}), self._known.unsupported_options, self._warned),
        )

    def _policy(self, options: Mapping[str, Any]) -> Policy:
        return options.get("unsupported_params") or self.config.unsupported_params

    def _context(self, options: Mapping[str, Any]) -> Context | None:
        most = options.get("max_context_tokens") or self.config.max_context_tokens
        return Context(most, options.get("context_strategy") or drop_oldest, self._ratios) if most else None

    def _start_count(self) -> Call:
        """Start a call that counts only: it is free, and no part of the client's totals."""
        return Call(
            self.provider,
            self.config.max_retries,
            CostTracker(),
            timeouts=Timeouts.of(self.config, {}),
            breakers=self._breakers,
        )

    def _build_request(
        self, messages: Messages, *, system: str | None = None, response_model: Any = None, **options: Any
    ) -> ChatRequest:
        """Return the request in a form that no provider's format has shaped."""
        check_options({**options, "system": system})
        given = {name: value for name, value in options.items() if value is not None and name not in _NOT_SENT}
        if not given.get("model", self.model) and isinstance(self.provider, HttpProvider):
            raise ConfigError(
                f"no model is set for {self.provider_name!r}",
                cause="this provider has no default: its models, or deployments, are your own",
                fix=f"export LLM_MODEL={self.provider_name}:{find(self.provider_name).example_model}",
            )
        for name in _WITH_DEFAULTS:
            given.setdefault(name, getattr(self.config, name))
        stop = given.get("stop", ())
        given["stop"] = (stop,) if isinstance(stop, str) else tuple(stop)
        given["tools"] = tools_from(given.get("tools", ()))
        if response_model is not None:
            given["response_schema"] = schema_of(response_model)
            given["response_schema_name"] = schema_name(response_model)
        return ChatRequest(given.pop("model", self.model), messages_from(messages, system), **given)

    def _close_ledger(self) -> None:
        """Write the entries that are waiting and close the ledger; the next call opens it again."""
        text = self._outbox.close() if self._outbox is not None else None
        if text is not None:
            logging.getLogger("llm_gateway.ledger").warning(text)

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

    def get_session_cost(self, session_id: str | None = None) -> Decimal | None:
        """
        Return the US dollars of a session, by default the client's own; None when the price of an attempt is not known.

        Raises:
            ConfigError: None is named, and the client has none.
        """
        return session_cost(self.cost_tracker, session_id or self.session_id)

    def with_options(
        self,
        *,
        model: str | None = None,
        provider: str | None = None,
        session_id: str | None = None,
        **unknown: Unpack[NoMore],
    ) -> Self:
        """
        Return a derived client, with the same settings, totals, connections and observers.

        Closing it leaves the connections to this one.

        Args:
            model: ``model`` or ``provider:model``.

            provider: Another one; its key and address then come from its own variables.

            session_id: The session of the derived client's calls.
        """
        check_no_more(BaseClient.with_options, unknown)
        getattr(self, "_transport", None)  # made now, so that both have the same
        other = copy.copy(self)
        other._is_derived, other._owns_provider, other._calls = True, False, 0  # noqa: SLF001  of the same class
        name, wanted = chosen(self.config, self.provider_name, model, provider)
        if name != self.provider_name:
            other._move(name)  # noqa: SLF001
        other.model = wanted or (self.model if name == self.provider_name else other.model)
        other.session_id = session_id or self.session_id
        return other

    def _move(self, name: str) -> None:
        """Turn to the provider *name*, with the settings that are its own."""
        self.config = settings_of_another(self.config, name)
        self.provider, self.provider_name = registry.build_provider(name, self.config), name
        self._owns_provider, self._own_names = True, {provider_name(self.provider), name}
        self.model = str(getattr(self.provider, "default_model", ""))
        self._fallbacks = tuple(self._target(name, one) for one in self.config.of(name).fallback_models)

    def cost_summary(self) -> dict[str, dict[str, Any]]:
        """
        Sum ``attempts``, ``input_tokens``, ``output_tokens`` and ``cost_usd`` as billed, by ``provider:model``.

        A sum is None where one of its attempts reported nothing.
        """
        return self.cost_tracker.summary()


def _outbox(where: str) -> Outbox | None:
    """Return the outbox of the ledger *where*, which opens with the first call that has ended; None without one."""
    rescue = Path(f"llm-ledger-rescue-{os.getpid()}.db")
    return Outbox(lambda: open_ledger(where), rescue) if where else None


def _configured(config: settings.GatewayConfig | None, **arguments: str | None) -> settings.GatewayConfig:
    """Return the settings, overridden by *arguments*; a model may name its provider."""
    given: dict[str, Any] = {name: value for name, value in arguments.items() if value is not None}
    named, _, rest = str(given.get("model", "")).partition(":")
    if rest and "provider" not in given and named in registry.list_providers():
        given.update(provider=named, model=rest)
    if config is None:
        return settings.load(**given)
    if "api_key" in given:
        given["api_key"] = SecretStr(given["api_key"])
    return config.model_copy(update=given)


_WITH_DEFAULTS = ("max_tokens", "temperature", "top_p", "seed", "reasoning_effort")
_NOT_SENT = frozenset(
    {
        "cache",
        "context_strategy",
        "max_context_tokens",
        "session_id",
        "timeout_s",
        "total_timeout_s",
        "unsupported_params",
    }
)
"""Options that say how to ask; the others say what."""


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
    """Return the provider and the model that *model* and *provider* name; *own* is the provider of the client."""
    if model is None and provider is None:
        return own, None
    chosen_config = config.model_copy(update={"provider": provider, "model": model})
    name, found = chosen_config.target(registry.list_providers())
    if provider is None and f"{name}:{found}" != model:
        return own, model
    return name, found


def settings_of_another(config: GatewayConfig, provider: str) -> GatewayConfig:
    """Return *config* for another *provider*, without the key and the address of the first one."""
    theirs = {"api_key": None, "base_url": None, "api_version": None}
    return config.model_copy(update={"provider": provider, "model": None, **theirs})


def build_observers(config: GatewayConfig, given: Sequence[Observer]) -> Observers | None:
    """Return the *given* observers and those of *config*, or None where there are none."""
    observers = (*given, *_enabled_observers(config))
    return Observers(observers) if observers else None


def _enabled_observers(config: GatewayConfig) -> Iterator[Observer]:
    """Yield the observers of the settings; each is imported only where it is enabled."""
    if config.log != "off":
        from llm_gateway.observability.logging import configured as configured_logging

        yield configured_logging(config.log)
    if config.tracing is not None:
        from llm_gateway.observability.tracing import configured as configured_tracing

        yield configured_tracing(config.tracing, capture_content=config.capture_content)
    if config.metrics is not None:
        from llm_gateway.observability.metrics import configured as configured_metrics

        yield configured_metrics(config.metrics)
