"""Variables that the plugin sets while a test runs: placeholder API keys, and a folder for lists of models."""

from __future__ import annotations

import os
import shutil
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = ["PLACEHOLDER", "ModelLists", "Placeholders", "has_key"]

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
"""Logins to record with instead of a key; a replay does not look at them, since the placeholder comes first."""
_MODELS_FOLDER = "LLM_MODELS_CACHE"
_SETTINGS = {"AWS_EC2_METADATA_DISABLED": "true", "ANTHROPIC_OPEN_TELEMETRY": "false"}


def has_key(environ: Mapping[str, str]) -> bool:
    """Return whether any provider's key is set."""
    others = (name for names in _INSTEAD.values() for name in names)
    return any(environ.get(name) for name in (*_KEYS, *_LOGINS, *others))


class Placeholders:
    """Placeholders for the keys that are not set, so that SDK clients can be made; they are never sent."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._mine: dict[str, str] = {}

    def set(self) -> None:
        """Set the keys that are missing; the others stay as they are."""
        wanted = dict.fromkeys(_KEYS, PLACEHOLDER)
        wanted = {name: value for name, value in wanted.items() if not self._has_other(name)} | _SETTINGS
        for name, value in wanted.items():
            if name not in self._environ:
                self._environ[name] = self._mine[name] = value

    def _has_other(self, name: str) -> bool:
        return any(other in self._environ for other in _INSTEAD.get(name, ()))

    def unset(self) -> None:
        """Remove what `set` has set, unless it was changed since."""
        for name, value in self._mine.items():
            if self._environ.get(name) == value:
                del self._environ[name]
        self._mine.clear()


class ModelLists:
    """
    A folder of each test's own for the lists of models that clients keep, unless the variable names one.

    A list that was kept from an earlier test or run would not be requested again, and its recording would stay unused;
    a recorded or scripted list would be read as the provider's own later on.
    """

    def __init__(self) -> None:
        self._folder: str | None = None

    def set(self) -> None:
        """Make an empty folder."""
        if _MODELS_FOLDER not in os.environ:
            self._folder = os.environ[_MODELS_FOLDER] = tempfile.mkdtemp(prefix="llm-gateway-models-")

    def unset(self) -> None:
        """Delete it."""
        if self._folder is None:
            return
        if os.environ.get(_MODELS_FOLDER) == self._folder:
            del os.environ[_MODELS_FOLDER]
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
