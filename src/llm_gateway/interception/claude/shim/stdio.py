"""Standard input, standard output and exit codes of the shim."""

from __future__ import annotations

import os

__all__ = ["EXIT_MISS", "read", "write"]

EXIT_MISS = 97
"""The exit code of a run that neither a recording nor a script answers."""


def read() -> bytes:
    """Return the next bytes of the input; none at its end, or where there is none."""
    try:
        return b"" if os.isatty(0) else os.read(0, 65536)
    except OSError:
        return b""


def write(to: int, data: bytes) -> None:
    """Write all of *data* to the file descriptor *to*."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(to, view) :]
    except OSError:
        pass  # the caller has closed its end
