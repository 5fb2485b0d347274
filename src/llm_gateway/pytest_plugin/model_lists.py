"""A folder of each test's own for the lists of models that clients keep."""

from __future__ import annotations

import os
import shutil
import tempfile

__all__ = ["ModelLists"]

_VARIABLE = "LLM_MODELS_CACHE"


class ModelLists:
    """
    Keep what a test is told of models to that test, unless the variable says where it belongs.

    A list that an earlier test or run had kept would not be asked for again, and its recording would be left over; a
    recorded or scripted one would be taken for the provider's own afterwards.
    """

    def __init__(self) -> None:
        self._folder: str | None = None

    def set(self) -> None:
        """Begin with none."""
        if _VARIABLE not in os.environ:
            self._folder = os.environ[_VARIABLE] = tempfile.mkdtemp(prefix="llm-gateway-models-")

    def unset(self) -> None:
        """Forget them."""
        if self._folder is None:
            return
        if os.environ.get(_VARIABLE) == self._folder:
            del os.environ[_VARIABLE]
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
