"""Settings in YAML files: their values, where each was set, and all mistakes at once."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from llm_gateway.exceptions import ConfigError

__all__ = ["FileValues", "named_files", "read_document", "read_files"]

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<otherwise>[^}]*))?\}")
_RENAMED = {"active_provider": "provider", "active_model": "model"}
_COST = {"limit_usd": "cost_limit_usd", "warn_usd": "cost_warn_usd", "prices": "prices", "ledger": "ledger"}
_PROVIDER = ("api_key", "base_url", "api_version", "region", "project", "model", "fallback_models")


@dataclass
class FileValues:
    """
    Merged values of several files.

    Attributes:
        values: Settings by name, as `GatewayConfig` takes them.

        origins: Where each was set, as in ``llm.yaml: cost_tracking.limit_usd``.

        mistakes: One line for each mistake.
    """

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    mistakes: list[str] = field(default_factory=list)

    def put(self, name: str, value: object, origin: str) -> None:
        """Add one setting; a later file wins."""
        self.values[name] = self._expanded(value, origin)
        self.origins[name] = origin

    def put_provider(self, provider: str, settings: object, origin: str) -> None:
        """Add the settings of one provider; a later file adds to them."""
        if not isinstance(settings, Mapping):
            self.mistakes.append(f"{origin} has to be a mapping, such as {{api_key: ${{KEY}}}}")
            return
        known = self.values.setdefault("providers", {}).setdefault(provider, {})
        for name, value in settings.items():
            if self.is_known(str(name), _PROVIDER, f"{origin}.{name}"):
                known[name] = self._expanded(value, f"{origin}.{name}")
                self.origins[f"providers.{provider}.{name}"] = f"{origin}.{name}"

    def is_known(self, name: str, names: Collection[str], origin: str) -> bool:
        """Return True when *name*, set at *origin*, is one of *names*; else record a mistake, with the nearest name."""
        if name in names:
            return True
        near = difflib.get_close_matches(name, names, n=1)
        offer = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(sorted(names))}"
        self.mistakes.append(f"{origin} is not known{offer}")
        return False

    def _expanded(self, value: object, origin: str) -> Any:
        if isinstance(value, list):
            return [self._expanded(one, origin) for one in value]
        return _VARIABLE.sub(lambda match: self._variable(match, origin), value) if isinstance(value, str) else value

    def _variable(self, match: re.Match[str], origin: str) -> str:
        name, otherwise = match["name"], match["otherwise"]
        found = os.environ.get(name) or dotenv_values(".env").get(name) or otherwise
        if found is None:
            self.mistakes.append(f"{origin} needs the variable {name}, which is not set: export {name}=...")
        return found or ""


def named_files(given: object) -> list[Path]:
    """Return the files to read: *given*, else those of ``LLM_CONFIG``, in the environment or in ``.env``."""
    named = given or os.environ.get("LLM_CONFIG") or dotenv_values(".env").get("LLM_CONFIG") or ()
    if isinstance(named, str):
        return [Path(one) for one in named.split(os.pathsep) if one]
    return [Path(one) for one in (named if isinstance(named, Iterable) else (named,))]  # type: ignore[arg-type]


def read_files(paths: Sequence[Path], known: Collection[str]) -> FileValues:
    """
    Return the values in the files *paths*, where a later file wins; *known* are the names of settings.

    Raises:
        ConfigError: One cannot be read, or some hold mistakes; names all of them.
    """
    found = FileValues()
    for path in paths:
        _add_document(found, read_document(path) or {}, str(path), known)
    if found.mistakes:
        raise ConfigError("the configuration is wrong", cause="\n".join(found.mistakes), fix="correct the lines above")
    return found


def _add_document(found: FileValues, document: object, path: str, known: Collection[str]) -> None:
    if not isinstance(document, Mapping):
        found.mistakes.append(f"{path} has to be a mapping of settings")
        return
    names = {*known, *_RENAMED, "providers", "cost_tracking"}
    for name, value in document.items():
        origin = f"{path}: {name}"
        if name == "providers":
            _each(found, value, origin, found.put_provider)
        elif name == "cost_tracking":
            _each(found, value, origin, lambda one, it, where: _put_cost(found, one, it, where))
        elif found.is_known(str(name), names, origin):
            found.put(_RENAMED.get(str(name), str(name)), value, origin)


def _each(found: FileValues, section: object, origin: str, put: Any) -> None:
    if not isinstance(section, Mapping):
        found.mistakes.append(f"{origin} has to be a mapping")
        return
    for name, value in section.items():
        put(str(name), value, f"{origin}.{name}")


def _put_cost(found: FileValues, name: str, value: object, origin: str) -> None:
    if found.is_known(name, _COST, origin):
        found.put(_COST[name], value, origin)


def read_document(path: Path) -> object:
    """
    Return the content of the YAML file *path*.

    Raises:
        ConfigError: It is not there, or is no YAML; names file and line.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read", cause=error.strerror) from None
    except yaml.MarkedYAMLError as error:  # its own text shows the line, which may hold a key
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigError(f"{path} is no YAML", cause=f"{line}{error.problem}", fix="correct that line") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no YAML", cause=str(error)) from None
