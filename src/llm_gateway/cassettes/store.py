"""Cassette files on disk: read whole or not at all, written atomically or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from llm_gateway.cassettes.document import shown
from llm_gateway.exceptions import CassetteReadError, CassetteSaveError

__all__ = ["read", "write"]


def read(path: Path) -> bytes | None:
    """
    The file's bytes, or None when there is no such file.

    Raises:
        CassetteReadError: It exists and cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CassetteReadError(
            f"cannot read cassette {shown(path)}", cause=f"{error.strerror}", fix=f"ls -l {shown(path)}"
        ) from error


def write(path: Path, text: str) -> None:
    """
    Replace the file with *text* in one step, in UTF-8. It keeps its mode.

    Raises:
        CassetteSaveError: The file or its folder is read-only, the disk is full, ... The old file is byte for byte as
            it was.
    """
    path = path.resolve()  # a link stays one
    mode = _mode(path)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            if mode is not None:
                draft.chmod(mode)  # before the text is in it, which may be for one reader only
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise CassetteSaveError(
            f"cannot save cassette {shown(path)}: {error.strerror}",
            cause="the recording of this run is not kept; a cassette that was there before is as it was",
            fix=f"make {shown(path.parent)} writable, with room on its disk, then record again",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _mode(path: Path) -> int | None:
    """The mode of the file that is to be replaced; None where there is none, or no way to it."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError:
        return None
    if not mode & 0o222:  # a rename asks only the folder
        raise CassetteSaveError(
            f"cannot save cassette {shown(path)}: the file is read-only",
            cause="the recording of this run is not kept; the cassette is as it was",
            fix=f"chmod u+w {shown(path)}",
        )
    return mode
