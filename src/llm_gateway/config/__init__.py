"""Settings of the client: arguments, ``LLM_*`` variables, ``.env``, then files. The only reader of the environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from llm_gateway.catalog import ProviderEntry, find
from llm_gateway.config.file import named_files, read_files
from llm_gateway.config.folder import cache_folder
from llm_gateway.config.validate import validate_key, validate_url
from llm_gateway.exceptions import ConfigError, MissingKeyError
from llm_gateway.types import ReasoningEffort

__all__ = ["GatewayConfig", "ProviderConfig", "load"]

DEFAULT_PROVIDER = "anthropic"
LONGEST_S = 100_000_000
"""Three years; sockets cannot wait for longer."""


class ProviderConfig(BaseModel):
    """Settings of one provider in a file; settings without a provider take precedence."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    api_key: SecretStr | None = None
    base_url: str | None = None
    api_version: str | None = None
    region: str | None = None
    project: str | None = None
    model: str | None = None
    fallback_models: tuple[str, ...] = ()

    @field_validator("fallback_models", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return _split(value)


class GatewayConfig(BaseSettings):
    """
    Settings of the client.

    Each value may come from an argument, from the variable ``LLM_`` plus its name, from ``.env``, or from the YAML
    files that *config* names (``LLM_CONFIG``, several with the path separator between; a later one wins).

    *max_tokens*, *temperature*, *top_p*, *seed* and *reasoning_effort* apply to every call that does not set its own.
    Where the API or the model does not support one, *unsupported_params* sets the reaction: ``error`` rejects the
    call before it is sent, ``warn`` warns once and leaves the option out, ``drop`` leaves it out.

    *model* may carry its provider, as in ``openai:gpt-5-mini``. *timeout_s* covers one attempt, *connect_timeout_s* its
    connection, *total_timeout_s* the whole call. A stream may wait *first_token_timeout_s* for its first content and
    *idle_timeout_s* for each chunk after that; both default to *timeout_s*. *max_retries* counts
    attempts after the first. After *circuit_failures* failures in a row a provider is not called for *circuit_pause_s*.
    Of a conversation longer than *max_context_tokens* the oldest messages are not sent. *fallback_models* are called in
    turn when the model fails; one of another provider only with *cross_provider_fallback*.
    *cost_limit_usd* rejects calls that could exceed it, and *cost_warn_usd* logs a warning once that much is spent.
    *prices* is a YAML file with prices of your own (see docs/cost.md); *ledger* is where usage is kept: a path, or the
    URL of a database; *tags* are stored with each entry.
    *cache* keeps answers for *cache_ttl_s* seconds, separately for each *cache_tenant* (see docs/cache.md).
    *models* sets facts about models, and *models_cache* is the folder of cached model lists (see docs/models.md).
    *log*, *tracing*, *metrics* and *capture_content* are described in docs/observability.md.
    """

    model_config = SettingsConfigDict(env_prefix="LLM_", env_file=".env", extra="ignore", hide_input_in_errors=True)

    config: Annotated[tuple[Path, ...], NoDecode] = ()
    providers: dict[str, ProviderConfig] = Field(default_factory=dict)
    provider: str | None = None
    model: str | None = None
    api_key: SecretStr | None = None
    base_url: str | None = None
    api_version: str | None = None
    region: str | None = None
    project: str | None = None
    max_tokens: int | None = Field(default=None, gt=0)
    max_context_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, ge=0, le=1)
    seed: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    unsupported_params: Literal["error", "warn", "drop"] = "error"
    connect_timeout_s: float = Field(default=10.0, gt=0, le=LONGEST_S)
    first_token_timeout_s: float | None = Field(default=None, gt=0, le=LONGEST_S)
    idle_timeout_s: float | None = Field(default=None, gt=0, le=LONGEST_S)
    timeout_s: float = Field(default=60.0, gt=0, le=LONGEST_S)
    total_timeout_s: float | None = Field(default=None, gt=0, le=LONGEST_S)
    max_retries: int = Field(default=2, ge=0)
    circuit_failures: int | None = Field(default=None, gt=0)
    circuit_pause_s: float = Field(default=30.0, gt=0)
    fallback_models: Annotated[tuple[str, ...], NoDecode] = ()
    cross_provider_fallback: bool = False
    cost_limit_usd: Decimal | None = Field(default=None, ge=0)
    cost_warn_usd: Decimal | None = Field(default=None, ge=0)
    prices: Path | None = None
    ledger: SecretStr | None = None
    tags: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    cache: str | None = Field(default=None, repr=False)  # a URL may contain a password
    cache_ttl_s: float = Field(default=3600.0, gt=0)
    cache_tenant: str | None = None
    cache_tool_calls: bool = False
    models: dict[str, dict[str, Any]] = Field(default_factory=dict)
    models_cache: Path | None = None
    log: Literal["off", "line", "json", "structlog"] = "off"
    tracing: Literal["console", "otlp"] | None = None
    metrics: Literal["console", "otlp"] | None = None
    capture_content: bool = False

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources of values; the first that has a value wins."""
        del file_secret_settings
        given = init_settings()
        _check_names(given, settings_cls.model_fields)
        files = read_files(named_files(given.get("config")), _names()).values
        return init_settings, env_settings, dotenv_settings, InitSettingsSource(settings_cls, files)

    @field_validator("config", mode="before")
    @classmethod
    def _paths(cls, value: object) -> object:
        return tuple(named_files(value))

    @field_validator("models_cache", mode="before")
    @classmethod
    def _folder(cls, value: object) -> object:
        """Treat an empty variable as unset."""
        return value or None

    @field_validator("fallback_models", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        """Split the text of a variable at commas."""
        return _split(value)

    @field_validator("tags", mode="before")
    @classmethod
    def _tagged(cls, value: object) -> object:
        """Parse the text of a variable, as in ``team=search,stage=ci``."""
        if not isinstance(value, str):
            return value
        pairs = [one.partition("=") for one in value.split(",") if one.strip()]
        if any(not separator for _, separator, _ in pairs):
            raise ValueError("write name=value, with commas between")
        return {name.strip(): text.strip() for name, _, text in pairs}

    def target(self, known: Collection[str]) -> tuple[str, str | None]:
        """
        Return the provider's name, and the model's where one is set.

        A model may name its provider, one of *known*. Other colons belong to the model's own name, as in ``llama3:8b``.
        A provider that is set wins, and a model that names another one is then left out. Without a model, the one
        that is set for the provider counts.
        """
        name, model = self._named(known)
        return name, model or self.of(name).model

    def _named(self, known: Collection[str]) -> tuple[str, str | None]:
        named, _, rest = (self.model or "").partition(":")
        is_named = bool(rest) and (named in known or _is_misspelt(named, known))
        if self.provider is None:
            return (named, rest) if is_named else (DEFAULT_PROVIDER, self.model)
        if not is_named:
            return self.provider, self.model
        return self.provider, rest if named == self.provider else None

    def check_sections(self, known: Collection[str]) -> None:
        """
        Reject a section whose name is close to one of *known*; any other provider may be registered later.

        Raises:
            ConfigError: There is one; offers the nearest name.
        """
        origin = ", ".join(map(str, self.config))
        for name in self.providers:
            if name in known or not _is_misspelt(name, known) or _is_variant(name, known):
                continue
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"{f'{origin}: ' if origin else ''}providers.{name} is no provider's section",
                cause=f"did you mean {near[0]!r}?",
                fix=f"correct the name, or register_provider({name!r}, ...) first; known: {', '.join(sorted(known))}",
            )

    def of(self, provider: str) -> ProviderConfig:
        """Return the settings of *provider*; settings without a provider take precedence."""
        theirs = ProviderConfig()
        for section in reversed(_sections(provider)):
            set_there = self.providers.get(section, ProviderConfig())
            theirs = theirs.model_copy(update={one: getattr(set_there, one) for one in set_there.model_fields_set})
        own = {name: value for name in ("region", "project") if (value := getattr(self, name)) is not None}
        return theirs.model_copy(update=own)

    def _section(self, provider: str, name: str) -> str:
        """Return the section that sets *name* for *provider*."""
        there = (one for one in _sections(provider) if one in self.providers)
        return next((one for one in there if name in self.providers[one].model_fields_set), provider)

    def key(self, provider: str) -> str:
        """
        Return the API key for *provider*.

        Raises:
            MissingKeyError: None is set; names the variables that are looked at.
        """
        if key := self.key_if_set(provider):
            return key
        variables = _shared(provider).key_variables
        unset = f"neither {', '.join(variables)} nor LLM_API_KEY is set" if variables else "LLM_API_KEY is not set"
        raise MissingKeyError(
            f"no API key for {provider!r}",
            cause=f"{unset}, in the environment or in .env",
            fix=f"export {(*variables, 'LLM_API_KEY')[0]}=...",
        )

    def key_if_set(self, provider: str) -> str | None:
        """
        Return the API key for *provider*, or None when none is set.

        Raises:
            ConfigError: It is not a valid key.
        """
        for origin, secret in (
            ("LLM_API_KEY", self.api_key),
            (f"providers.{self._section(provider, 'api_key')}.api_key", self.of(provider).api_key),
        ):
            if secret is not None:
                return validate_key(provider, secret.get_secret_value(), origin)
        named = ((name, _variable(name)) for name in _shared(provider).key_variables)
        return next((validate_key(provider, value, name) for name, value in named if value), None)

    def url(self, provider: str, otherwise: str | None) -> str:
        """
        Return the base URL of *provider*, without a trailing slash: as it is set, else *otherwise*.

        Raises:
            ConfigError: It is not set, and *otherwise* is None; or it is no URL.
        """
        variable = _shared(provider).url_variable
        places = (
            ("LLM_BASE_URL", self.base_url),
            (f"providers.{self._section(provider, 'base_url')}.base_url", self.of(provider).base_url),
            (variable or "", _variable(variable)),
        )
        found = next(((origin, value) for origin, value in places if value), ("", otherwise))
        if found[1] is None:
            raise ConfigError(
                f"no address for {provider!r}",
                cause=f"neither {variable} nor LLM_BASE_URL is set" if variable else "LLM_BASE_URL is not set",
                fix=f"export {variable or 'LLM_BASE_URL'}=https://...",
            )
        return validate_url(provider, found[1], found[0])

    def models_folder(self) -> Path:
        """Return the folder of cached model lists: as it is set, else in the user's cache folder."""
        return self.models_cache or cache_folder() / "models"

    def version(self, provider: str) -> str | None:
        """Return the API version for *provider*, or None."""
        return self.api_version or self.of(provider).api_version or _variable(find(provider).version_variable)

    def project_of(self, provider: str) -> str:
        """
        Return the project that *provider* bills.

        Raises:
            ConfigError: None is set; names the variables that are looked at.
        """
        variable = find(provider).project_variable
        if found := self.of(provider).project or _variable(variable):
            return found
        raise ConfigError(
            f"no project for {provider!r}",
            cause=f"neither {variable} nor LLM_PROJECT is set, in the environment or in .env",
            fix=f"export {variable}=...",
        )

    def region_if_set(self, provider: str) -> str | None:
        """Return the region for *provider*, or None."""
        named = (value for name in find(provider).region_variables if (value := _variable(name)))
        return self.of(provider).region or next(named, None)

    def aws_keys(self) -> tuple[str, str, str | None] | None:
        """Return access key, secret key and session token of AWS; None unless the first two are set."""
        access, secret = _variable("AWS_ACCESS_KEY_ID"), _variable("AWS_SECRET_ACCESS_KEY")
        return (access, secret, _variable("AWS_SESSION_TOKEN")) if access and secret else None

    def aws_profile(self) -> str | None:
        """Return the profile of AWS's own files, or None."""
        return _variable("AWS_PROFILE")


def _check_names(given: Collection[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"there is no setting {name!r}",
                cause=f"did you mean {near[0]!r}?" if near else "GatewayConfig has no such field",
                fix=f"settings are {', '.join(sorted(known))}",
            )


def _sections(provider: str) -> tuple[str, ...]:
    """Return the sections of a file that hold for *provider*, the nearest first."""
    return tuple(filter(None, (provider, find(provider).shares)))


def _shared(provider: str) -> ProviderEntry:
    """Return the entry of the catalogue that has the environment variables of *provider*."""
    return find(find(provider).shares or provider)


def _is_misspelt(name: str, known: Collection[str]) -> bool:
    """Return True when *name* is close to one of *known*; a short name may differ less."""
    cutoff = 0.75 if len(name) <= _SHORT else 0.86
    return name not in known and bool(difflib.get_close_matches(name, known, n=1, cutoff=cutoff))


_SHORT = 5


def _is_variant(name: str, known: Collection[str]) -> bool:
    """Return True when *name* is one of *known* with a suffix, as in ``openai-eu`` and ``azure2``."""
    return any(re.search(r"[-_.\d]", name.replace(one, "", 1)) for one in known if one in name)


def _variable(name: str | None) -> str | None:
    """Return a variable that a provider's own SDK reads, from the environment, else from ``.env``."""
    return name and (os.environ.get(name) or dotenv_values(".env").get(name) or None)


def _names() -> set[str]:
    return set(GatewayConfig.model_fields) - {"config", "providers", *_RENAMED_IN_FILES}


_RENAMED_IN_FILES = ("provider", "model", "cost_limit_usd", "cost_warn_usd", "prices", "ledger")
"""Settings that have another name in files, or are in a section."""


def load(**given: object) -> GatewayConfig:
    """
    Read the settings; *given* values take precedence, and None means not given.

    Raises:
        ConfigError: Values are invalid; names each, and where it was set.
    """
    known = {name: value for name, value in given.items() if value is not None}
    try:
        return GatewayConfig(**known)  # type: ignore[arg-type]
    except ValidationError as error:
        files = read_files(named_files(known.get("config")), _names()).origins
        listed = "\n".join(_mistake(one, _origin(one["loc"], known, files)) for one in error.errors())
        raise ConfigError("the configuration is wrong", cause=listed, fix="correct the lines above") from None
    except SettingsError as error:
        field = next(iter(re.findall(r'field "(\w+)"', str(error))), "")
        variable = f"LLM_{field.upper()}"
        raise ConfigError(
            f"{variable} is no JSON", cause="a variable holds a mapping as JSON", fix=f"export {variable}='{{...}}'"
        ) from None


def _mistake(error: ErrorDetails, origin: str) -> str:
    """Return the mistake at *origin* as text; without the value if it is, or may contain, a secret."""
    place = error["loc"]
    if _SECRET.isdisjoint(place) and not (place[0] == "providers" and len(place) < _OF_A_PROVIDER):
        return f"{origin} = {error['input']!r}: {error['msg']}"
    if isinstance(error["input"], int | float):
        return f"{origin} is a number here, not a text: put it in quotes"
    return f"{origin}: {error['msg']}"


_SECRET = frozenset({"api_key", "base_url", "cache", "ledger"})  # a URL may contain a password
_OF_A_PROVIDER = 3  # providers, provider, setting


def _origin(place: tuple[int | str, ...], given: Collection[str], files: dict[str, str]) -> str:
    """Return where the setting at *place* was set."""
    name = str(place[0])
    variable = f"LLM_{name.upper()}"
    if name in given:
        return ".".join(map(str, (f"the argument {name}", *place[1:])))
    for length in range(len(place), 0, -1):
        setting = ".".join(map(str, place[:length]))
        if setting in files and not _variable(variable):
            return ".".join(map(str, (files[setting], *place[length:])))
    return ".".join(map(str, (variable, *place[1:])))


def _split(value: object) -> object:
    """Return the names in a text with commas, as a tuple; other values unchanged."""
    return tuple(one.strip() for one in value.split(",") if one.strip()) if isinstance(value, str) else value
