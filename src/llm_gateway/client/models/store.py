"""Lists of models on disk: a JSON file for each provider and address, replaced in one step."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import logging
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_gateway.types import JsonObject
from llm_gateway.wire.models import ModelInfo, merge_lists

__all__ = ["Listed", "Store"]

_log = logging.getLogger("llm_gateway.models")
_VERSION = 1
_TIMES = frozenset({"created", "deprecated_at", "retires_at", "first_seen", "last_seen"})
_NAMES = frozenset(one.name for one in dataclasses.fields(ModelInfo))
_warned: set[Path] = set()


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of models, and when the provider returned it."""

    models: tuple[ModelInfo, ...]
    at: datetime


class Store:
    """
    The lists in *folder*, which is made when the first is kept.

    A file that cannot be read counts as absent, a list that cannot be written stays in memory; both are logged once.
    Several processes may share the folder; the list that was fetched last stays.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[Path, tuple[object, Listed]] = {}

    def load(self, provider: str, base_url: str) -> Listed | None:
        """Return the kept list of *provider* at *base_url*; None where there is none."""
        path = self._path(provider, base_url)
        signature = _signature(path)
        if path in self._kept and self._kept[path][0] == signature:
            return self._kept[path][1]
        listed = _read(path) if signature is not None else None
        if listed is not None:
            self._kept[path] = signature, listed
        return listed

    def update(self, provider: str, base_url: str, models: Iterable[ModelInfo], at: datetime) -> Listed:
        """Keep *models*, which *provider* listed at *at*, merged with the list before, and return the new list."""
        old = self.load(provider, base_url)
        listed = Listed(merge_lists(old.models if old else (), models, at), at)
        path = self._path(provider, base_url)
        _write(path, json.dumps(_encode(provider, _address(base_url), listed), indent=1))
        self._kept[path] = _signature(path), listed
        return listed

    def _path(self, provider: str, base_url: str) -> Path:
        address = hashlib.sha256(_address(base_url).encode()).hexdigest()[:12]
        return self._folder / f"{re.sub(r'[^A-Za-z0-9_.-]', '_', provider)}-{address}.json"


def _address(base_url: str) -> str:
    """Return *base_url* without login and query, which may be secret."""
    parts = urlsplit(base_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _signature(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> Listed | None:
    try:
        return _decode(json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        _warn(path, f"cannot read {path}, a list of models: {_why(error)}; it is fetched again when it is needed")
        return None


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        _warn(
            path.parent,
            f"cannot keep lists of models in {path.parent}: {_why(error)}; they last as long as the client does; "
            "export LLM_MODELS_CACHE=<a folder that can be written to>",
        )
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _warn(path: Path, text: str) -> None:
    if path not in _warned:
        _warned.add(path)
        _log.warning("%s", text)


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or f"{type(error).__name__}: {error}"


def _encode(provider: str, address: str, listed: Listed) -> JsonObject:
    return {
        "version": _VERSION,
        "provider": provider,
        "address": address,
        "listed_at": listed.at.isoformat(),
        "models": [_entry(one) for one in listed.models],
    }


def _entry(model: ModelInfo) -> JsonObject:
    known = {name: getattr(model, name) for name in sorted(_NAMES - {"provider"})}
    return {name: _plain(value) for name, value in known.items() if value is not None and value is not False}


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.isoformat() if isinstance(value, datetime) else value


def _decode(document: JsonObject) -> Listed:
    if document["version"] != _VERSION:
        raise ValueError(f"version {document['version']!r} is not {_VERSION}")
    models = tuple(_model(document["provider"], one) for one in document["models"])
    return Listed(models, _aware(document["listed_at"]))


def _model(provider: str, entry: JsonObject) -> ModelInfo:
    known: dict[str, Any] = {name: value for name, value in entry.items() if name in _NAMES}
    for name in _TIMES & known.keys():
        known[name] = _aware(known[name])
    for name in ("capabilities", "refuses"):
        if name in known:
            known[name] = frozenset(known[name])
    if not all(isinstance(known.get(name, 1), int) for name in ("context_tokens", "max_output_tokens")):
        raise ValueError(f"the limits of {known.get('id')!r} are no numbers")
    known["provider"] = provider
    return ModelInfo(**known)


def _aware(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return time
