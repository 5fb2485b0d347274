"""Put each hook in place when its library is imported, so that nothing is imported for it."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

__all__ = ["install"]

_HERE = "llm_gateway.interception.hooks"
_HOOKS = {
    "httpx": f"{_HERE}.httpx:install",
    "httpx2": f"{_HERE}.httpx:install",
    "aiohttp.connector": f"{_HERE}.aiohttp:install",
    "subprocess": f"{_HERE}.process:install",
    "anyio._core._subprocesses": f"{_HERE}.anyio:install",
    "llm_gateway.transport.process": f"{_HERE}.transport:install",
    "uvloop": f"{_HERE}.process:install_uvloop",
    "http.client": f"{_HERE}.http_client:install",
    "urllib3.connectionpool": f"{_HERE}.urllib3:install",
}
_waiting: dict[str, str] = {}


def install() -> None:
    """Wrap every library that is imported already, and the others when they are. Calling it again does nothing."""
    if any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    _waiting.update(_HOOKS)
    for name in _HOOKS:
        if name in sys.modules:
            _hook(sys.modules[name])
    sys.meta_path.insert(0, _Finder())


def _hook(module: ModuleType) -> None:
    target = _waiting.pop(module.__name__, None)
    if target is None:
        return
    where, _, function = target.partition(":")
    getattr(importlib.import_module(where), function)(module)


class _Finder(importlib.abc.MetaPathFinder):
    """A finder that finds the libraries to hook with the other finders, and has them hooked once they are loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in _waiting:
            return None
        for finder in sys.meta_path:
            if finder is self:
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader)
                return spec
        return None


class _Loader(importlib.abc.Loader):
    """A loader that loads with the real loader, then hooks."""

    def __init__(self, real: importlib.abc.Loader) -> None:
        self._real = real

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._real.exec_module(module)
        _hook(module)

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)
