"""Variables that the plugin sets while a test runs: placeholder API keys, and a folder for lists of models."""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = ["PLACEHOLDER", "ModelLists", "Placeholders", "has_key"]

PLACEHOLDER = "llm-gateway-replay-placeholder"
_MODELS_FOLDER = "LLM_MODELS_CACHE"
_SETTINGS = {"AWS_EC2_METADATA_DISABLED": "true", "ANTHROPIC_OPEN_TELEMETRY": "false"}


def has_key(environ: Mapping[str, str]) -> bool:
    """Return whether a key of any provider is set, or another login to record with."""
    from llm_gateway.catalog import PROVIDERS

    logins = (name for one in PROVIDERS.values() for name in one.login_variables)
    keys = ((name, *others) for name, others in _placeholder_variables().items())
    return any(environ.get(name) for name in (*logins, *itertools.chain.from_iterable(keys)))


@functools.cache
def _placeholder_variables() -> dict[str, tuple[str, ...]]:
    """Return the variables that a replay sets, each with those that SDKs accept in its place."""
    from llm_gateway.catalog import PROVIDERS

    found: dict[str, tuple[str, ...]] = {}
    for one in PROVIDERS.values():
        names = one.placeholder_variables or one.key_variables[:1]
        others = (*(name for name in one.key_variables if name not in names), *one.credential_variables)
        found.update(dict.fromkeys(names, others))
    return found


class Placeholders:
    """Placeholders for the keys that are not set, so that SDK clients can be made; they are never sent."""

    def __init__(self, environ: MutableMapping[str, str]) -> None:
        self._environ = environ
        self._mine: dict[str, str] = {}

    def set(self) -> None:
        """Set the keys that are missing; the others stay as they are."""
        present = self._environ.keys()
        for name, others in _placeholder_variables().items():
            if name not in present and present.isdisjoint(others):
                self._environ[name] = self._mine[name] = PLACEHOLDER
        for name, value in _SETTINGS.items():
            if name not in present:
                self._environ[name] = self._mine[name] = value

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
