"""The files of a report: checked before any test runs, and each replaced in one step."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

__all__ = ["SUFFIXES", "Target", "targets_of"]

SUFFIXES = (".html", ".json", ".md")


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write; *given* is its name on the command line."""

    path: Path
    given: str

    @property
    def suffix(self) -> str:
        """One of `SUFFIXES`."""
        return self.path.suffix.lower()

    def write(self, text: str) -> None:
        """
        Replace the file with *text* in one step, in UTF-8; characters that UTF-8 cannot encode are written as escapes.

        Raises:
            OSError: The file could not be written; the old one is unchanged.
        """
        path = self.path.resolve()  # a link stays one
        draft = path.with_name(f".{secrets.token_hex(8)}.tmp")  # short, whatever the length of the file's own name
        try:
            draft.write_bytes(text.encode("utf-8", "backslashreplace"))
            draft.replace(path)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()


def targets_of(files: Iterable[str], folder: Path) -> list[Target]:
    """
    Return the files of the command line, relative ones below *folder*, each once; create their folders.

    Raises:
        pytest.UsageError: A file cannot be written.
    """
    targets = {path: Target(path, given) for given in files for path in [folder / Path(given).expanduser()]}
    for target in targets.values():
        _check(target)
    return list(targets.values())


def _check(target: Target) -> None:
    path, given = target.path, target.given
    if path.is_dir():
        _raise_usage_error(given, "it is a folder; a report is one file", str(Path(given) / "llm.html"))
    if target.suffix not in SUFFIXES:
        wanted = ", ".join(SUFFIXES)
        _raise_usage_error(
            given, f"its suffix selects the format, one of {wanted}", f"{Path(given).stem or 'llm'}.html"
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass  # permissions are not enough: the file system may be read-only
    except OSError as error:
        _raise_usage_error(given, f"its folder cannot be written to: {error.strerror}", path.name)


def _raise_usage_error(given: str, why: str, instead: str) -> NoReturn:
    raise pytest.UsageError(
        f"--llm-report cannot write {given!r}\n  {why}\n  for example: pytest --llm-report={instead}"
    )
