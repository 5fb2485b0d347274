"""Placeholder API keys, so that SDK clients can be made while nothing will be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = ["PLACEHOLDER", "Placeholders", "has_key"]

PLACEHOLDER = "llm-gateway-replay-placeholder"
_KEYS = (
    "ANTHROPIC_API_KEY",
    "OPENAI_API_KEY",
    "AZURE_OPENAI_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_OAUTH_ACCESS_TOKEN",
    "GROQ_API_KEY",
    "MISTRAL_API_KEY",
    "CO_API_KEY",
    "COHERE_API_KEY",
    "TOGETHER_API_KEY",
    "OPENROUTER_API_KEY",
    "DEEPSEEK_API_KEY",
    "XAI_API_KEY",
    "FIREWORKS_API_KEY",
    "CEREBRAS_API_KEY",
    "PERPLEXITY_API_KEY",
    "HF_TOKEN",
    "VOYAGE_API_KEY",
    "REPLICATE_API_TOKEN",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
_INSTEAD = {
    "ANTHROPIC_API_KEY": ("ANTHROPIC_AUTH_TOKEN",),
    "GEMINI_API_KEY": ("GOOGLE_API_KEY",),
    "AWS_ACCESS_KEY_ID": ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"),
    "AWS_SECRET_ACCESS_KEY": ("AWS_PROFILE", "AWS_BEARER_TOKEN_BEDROCK"),
}
_LOGINS = ("GOOGLE_APPLICATION_CREDENTIALS",)
"""What is as good as a key to record with; while replaying it is not looked at, since the placeholder comes first."""
_SETTINGS = {"AWS_EC2_METADATA_DISABLED": "true", "ANTHROPIC_OPEN_TELEMETRY": "false"}


def has_key(environ: Mapping[str, str]) -> bool:
    """Whether any provider's key is set."""
    others = (name for names in _INSTEAD.values() for name in names)
    return any(environ.get(name) for name in (*_KEYS, *_LOGINS, *others))


class Placeholders:
    """Set a placeholder for each key that is not set, and take back exactly those."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._mine: dict[str, str] = {}

    def set(self) -> None:
        """Fill in what is missing; keys that are set stay as they are."""
        wanted = dict.fromkeys(_KEYS, PLACEHOLDER)
        wanted = {name: value for name, value in wanted.items() if not self._has_other(name)} | _SETTINGS
        for name, value in wanted.items():
            if name not in self._environ:
                self._environ[name] = self._mine[name] = value

    def _has_other(self, name: str) -> bool:
        return any(other in self._environ for other in _INSTEAD.get(name, ()))

    def unset(self) -> None:
        """Take back what `set` filled in, unless someone changed it since."""
        for name, value in self._mine.items():
            if self._environ.get(name) == value:
                del self._environ[name]
        self._mine.clear()
