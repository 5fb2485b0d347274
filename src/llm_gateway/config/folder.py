"""Folders of caches on this machine."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["cache_folder", "vocabulary_folder"]


def cache_folder(platform: str = sys.platform, environ: Mapping[str, str] = os.environ) -> Path:
    """Return the user's cache folder for this package on *platform*; it need not exist."""
    if platform == "win32":
        root = environ.get("LOCALAPPDATA")
        return (Path(root) if root else Path.home() / "AppData" / "Local") / "llm-gateway" / "Cache"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "llm-gateway"
    root = environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "llm-gateway"


def vocabulary_folder(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of tiktoken's cached vocabularies; None where its cache is disabled."""
    named = environ.get("TIKTOKEN_CACHE_DIR", environ.get("DATA_GYM_CACHE_DIR"))
    if named is None:
        return Path(tempfile.gettempdir()) / "data-gym-cache"
    return Path(named) if named else None
