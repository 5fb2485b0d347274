"""Where a report goes: refused before any test has run when it cannot go there, and written in one step."""

from __future__ import annotations

import contextlib
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

__all__ = ["SUFFIXES", "Target", "targets_of"]

SUFFIXES = (".html", ".json", ".md")


@dataclass(frozen=True, slots=True)
class Target:
    """A file to write; *given* is how the command line named it."""

    path: Path
    given: str

    @property
    def suffix(self) -> str:
        """One of `SUFFIXES`."""
        return self.path.suffix.lower()

    def write(self, text: str) -> None:
        """
        Replace the file with *text* in one step, in UTF-8; what UTF-8 cannot hold is written as an escape.

        Raises:
            OSError: It could not be written; the old file is as it was.
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
    The files of the command line, relative ones under *folder*, each once; their folders are made.

    Raises:
        pytest.UsageError: One of them cannot be written.
    """
    targets = {path: Target(path, given) for given in files for path in [folder / Path(given).expanduser()]}
    for target in targets.values():
        _check(target)
    return list(targets.values())


def _check(target: Target) -> None:
    path, given = target.path, target.given
    if path.is_dir():
        _refuse(given, "it is a folder; a report is one file", str(Path(given) / "llm.html"))
    if target.suffix not in SUFFIXES:
        wanted = ", ".join(SUFFIXES)
        _refuse(given, f"its suffix says what to write, and may be {wanted}", f"{Path(given).stem or 'llm'}.html")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass  # a folder's permissions do not tell all: its file system may be read-only
    except OSError as error:
        _refuse(given, f"its folder cannot be written to: {error.strerror}", path.name)


def _refuse(given: str, why: str, instead: str) -> None:
    raise pytest.UsageError(
        f"--llm-report cannot write {given!r}\n  {why}\n  for example: pytest --llm-report={instead}"
    )
