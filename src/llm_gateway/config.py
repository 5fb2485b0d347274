"""Settings of the client: arguments, then ``LLM_*`` variables, then ``.env``. The only reader of the environment."""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection
from decimal import Decimal

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from llm_gateway.exceptions import ConfigError, MissingKeyError

__all__ = ["DEFAULT_PROVIDER", "KEY_VARIABLES", "GatewayConfig", "load"]

DEFAULT_PROVIDER = "anthropic"
KEY_VARIABLES = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
"""The variable that each provider's own SDK reads, used where ``LLM_API_KEY`` is not set."""
_URL_VARIABLES = {"anthropic": "ANTHROPIC_BASE_URL", "openai": "OPENAI_BASE_URL"}


class GatewayConfig(BaseSettings):
    """
    How the client calls. Each value may come from an argument, from the variable ``LLM_`` plus its name, or ``.env``.

    *model* may carry its provider, as in ``openai:gpt-5-mini``. *timeout_s* covers one attempt; *max_retries* counts
    attempts after the first. *cost_limit_usd* refuses further calls once that much is spent. *ledger* is where usage is
    kept: a path, or the URL of a database.
    """

    model_config = SettingsConfigDict(env_prefix="LLM_", env_file=".env", extra="ignore")

    provider: str | None = None
    model: str | None = None
    api_key: SecretStr | None = None
    base_url: str | None = None
    max_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    timeout_s: float = Field(default=60.0, gt=0)
    max_retries: int = Field(default=2, ge=0)
    cost_limit_usd: Decimal | None = Field(default=None, ge=0)
    ledger: SecretStr | None = None

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
        if self.api_key is not None:
            return self.api_key.get_secret_value()
        variable = KEY_VARIABLES[provider]
        if value := _variable(variable):
            return value
        raise MissingKeyError(
            f"no API key for {provider!r}",
            cause=f"neither {variable} nor LLM_API_KEY is set, in the environment or in .env",
            fix=f"export {variable}=...",
        )

    def url(self, provider: str) -> str | None:
        """Where *provider* is to be called, or None for its own address."""
        return self.base_url or _variable(_URL_VARIABLES[provider])


def _is_misspelt(name: str, known: Collection[str]) -> bool:
    return bool(difflib.get_close_matches(name, known, n=1, cutoff=0.8))


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
