"""Settings of the client: arguments, then ``LLM_*`` variables, then ``.env``. The only reader of the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from llm_gateway.exceptions import ConfigError, MissingKeyError

__all__ = ["DEFAULT_PROVIDER", "KEY_VARIABLES", "GatewayConfig", "load", "read_document"]

DEFAULT_PROVIDER = "anthropic"
KEY_VARIABLES = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_AD_TOKEN"),
    "bedrock": ("AWS_BEARER_TOKEN_BEDROCK",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "cohere": ("CO_API_KEY", "COHERE_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "xai": ("XAI_API_KEY",),
}
"""The variables that each provider's own SDK reads, used where ``LLM_API_KEY`` is not set."""
_URL_VARIABLES = {
    "anthropic": "ANTHROPIC_BASE_URL",
    "azure": "AZURE_OPENAI_ENDPOINT",
    "bedrock": "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
    "cohere": "CO_API_URL",
    "ollama": "OLLAMA_BASE_URL",
    "openai": "OPENAI_BASE_URL",
}
_VERSION_VARIABLES = {"azure": "OPENAI_API_VERSION"}
_REGION_VARIABLES = {"bedrock": ("AWS_REGION", "AWS_DEFAULT_REGION")}


class GatewayConfig(BaseSettings):
    """
    How the client calls. Each value may come from an argument, from the variable ``LLM_`` plus its name, or ``.env``.

    *model* may carry its provider, as in ``openai:gpt-5-mini``. *timeout_s* covers one attempt; *max_retries* counts
    attempts after the first. *cost_limit_usd* refuses calls that could take the spending past it, and *cost_warn_usd*
    logs a warning once that much is spent. *prices* is a YAML file with prices of your own (see docs/cost.md).
    """

    model_config = SettingsConfigDict(env_prefix="LLM_", env_file=".env", extra="ignore")

    provider: str | None = None
    model: str | None = None
    api_key: SecretStr | None = None
    base_url: str | None = None
    api_version: str | None = None
    region: str | None = None
    project: str | None = None
    max_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    timeout_s: float = Field(default=60.0, gt=0)
    max_retries: int = Field(default=2, ge=0)
    cost_limit_usd: Decimal | None = Field(default=None, ge=0)
    cost_warn_usd: Decimal | None = Field(default=None, ge=0)
    prices: Path | None = None

    def target(self, known: Collection[str]) -> tuple[str, str | None]:
        """
        The provider's name, and the model's where one is set.

        A model may name its provider, one of *known*. Other colons belong to the model's own name, as in ``llama3:8b``.
        A provider that is set wins, and a model that names another one is then left out.
        """
        named, _, rest = (self.model or "").partition(":")
        is_named = bool(rest) and (named in known or _is_misspelt(named, known))
        if self.provider is None:
            return (named, rest) if is_named else (DEFAULT_PROVIDER, self.model)
        if not is_named:
            return self.provider, self.model
        return self.provider, rest if named == self.provider else None

    def key(self, provider: str) -> str:
        """
        The API key for *provider*.

        Raises:
            MissingKeyError: None is set; names the variables that are looked at.
        """
        if key := self.key_if_set(provider):
            return key
        variables = KEY_VARIABLES[provider]
        raise MissingKeyError(
            f"no API key for {provider!r}",
            cause=f"neither {', '.join(variables)} nor LLM_API_KEY is set, in the environment or in .env",
            fix=f"export {variables[0]}=...",
        )

    def key_if_set(self, provider: str) -> str | None:
        """The API key for *provider*, or None when none is set."""
        if self.api_key is not None:
            return self.api_key.get_secret_value()
        return next((value for name in KEY_VARIABLES.get(provider, ()) if (value := _variable(name))), None)

    def url(self, provider: str, otherwise: str | None) -> str:
        """
        Where *provider* is to be called, without a trailing slash: as it is set, else *otherwise*.

        Raises:
            ConfigError: It is not set, and *otherwise* is None; or it is no address.
        """
        variable = _URL_VARIABLES.get(provider)
        found = self.base_url or (_variable(variable) if variable else None) or otherwise
        if found is None:
            raise ConfigError(
                f"no address for {provider!r}",
                cause=f"neither {variable} nor LLM_BASE_URL is set" if variable else "LLM_BASE_URL is not set",
                fix=f"export {variable or 'LLM_BASE_URL'}=https://...",
            )
        if not found.startswith(("http://", "https://")):
            raise ConfigError(
                f"{found!r} is no address for {provider!r}",
                cause="it has no scheme",
                fix=f"export {variable or 'LLM_BASE_URL'}=https://{found}",
            )
        return found.rstrip("/")

    def version(self, provider: str) -> str | None:
        """The version of *provider*'s API that is to be called, or None."""
        return self.api_version or _variable(_VERSION_VARIABLES[provider])

    def region_if_set(self, provider: str) -> str | None:
        """The region in which *provider* is to be called, or None."""
        named = (value for name in _REGION_VARIABLES[provider] if (value := _variable(name)))
        return self.region or next(named, None)

    def aws_keys(self) -> tuple[str, str, str | None] | None:
        """Access key, secret key and session token of AWS, or None where the first two are not both set."""
        access, secret = _variable("AWS_ACCESS_KEY_ID"), _variable("AWS_SECRET_ACCESS_KEY")
        return (access, secret, _variable("AWS_SESSION_TOKEN")) if access and secret else None

    def aws_profile(self) -> str | None:
        """The profile of AWS's own files that is to be used, or None."""
        return _variable("AWS_PROFILE")


def _is_misspelt(name: str, known: Collection[str]) -> bool:
    return bool(difflib.get_close_matches(name, known, n=1, cutoff=0.86))


def _variable(name: str) -> str | None:
    """A variable that belongs to a provider's own SDK: from the environment, else from ``.env``."""
    return os.environ.get(name) or dotenv_values(".env").get(name) or None


def load(**given: object) -> GatewayConfig:
    """
    Read the settings; *given* values win, and None stands for not given.

    Raises:
        ConfigError: A value is wrong; names its variable.
    """
    try:
        return GatewayConfig(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        listed = "\n".join(
            f"LLM_{str(one['loc'][0]).upper()} = {one['input']!r}: {one['msg']}" for one in error.errors()
        )
        raise ConfigError("the configuration is wrong", cause=listed, fix="correct the variables above") from None


def read_document(path: Path) -> object:
    """
    What the YAML file *path* holds.

    Raises:
        ConfigError: It is not there, or is no YAML; names file and line.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", cause=error.strerror) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no YAML", cause=str(error)) from None
