"""Cassette files on disk, named as files or as folders."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TypeVar

from llm_gateway.cassettes import document
from llm_gateway.exceptions import CassetteError, CassetteReadError

__all__ = ["bytes_of", "for_each_cassette", "is_cassette", "is_named", "named_in"]

T = TypeVar("T")
_SUFFIXES = frozenset({".yaml", ".yml"})
_CASSETTE = re.compile(rb"^[\"']?interactions[\"']?\s*:", re.MULTILINE)


def for_each_cassette(paths: Sequence[Path], act: Callable[[Path], T]) -> tuple[dict[Path, T], int]:
    """
    Call *act* with each cassette of *paths*, which are files and folders.

    Returns:
        The result for each file, and the number of failures, which are printed on standard error and stop nothing else.
    """
    done: dict[Path, T] = {}
    failures = 0
    for path in paths:
        try:
            files = _cassettes_in(path)
        except CassetteError as error:
            files, failures = [], failures + 1
            print(error.report, file=sys.stderr)
        for file in (file for file in files if file not in done):
            try:
                done[file] = act(file)
            except CassetteError as error:
                failures += 1
                print(error.report, file=sys.stderr)
    return done, failures


def _cassettes_in(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = [file for file in named_in(path) if _may_be_cassette(file)]
    if not found:
        raise CassetteReadError(f"there is no cassette in {str(path)!r}", fix=f"ls -R {path}")
    return found


def _may_be_cassette(file: Path) -> bool:
    try:
        return is_cassette(bytes_of(file))
    except CassetteReadError:
        return True  # the error is printed when it is read


def named_in(folder: Path) -> Iterator[Path]:
    """Return the files of a folder that have the name of a cassette."""
    return (file for file in sorted(folder.rglob("*")) if is_named(file.name) and file.is_file())


def is_named(path: str) -> bool:
    """Return whether a file has the name of a cassette."""
    return PurePosixPath(path).suffix in _SUFFIXES


def is_cassette(raw: bytes) -> bool:
    """Return whether a YAML file is meant as a cassette; so is an empty one, which is then an error."""
    return not raw.strip() or _CASSETTE.search(raw) is not None


def bytes_of(path: Path) -> bytes:
    """
    Return the file's bytes.

    Raises:
        CassetteReadError: There is no such file, or it cannot be read.
    """
    raw = document.read(path)
    if raw is None:
        raise CassetteReadError(f"there is no cassette {path}", fix="ls -R cassettes")
    return raw
