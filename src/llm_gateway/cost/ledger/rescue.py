"""Where entries go that their ledger did not take."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from llm_gateway.cost.ledger.entry import Entry
from llm_gateway.exceptions import LedgerError

__all__ = ["rescued"]


def rescued(entries: Sequence[Entry], file: Path) -> str:
    """
    Keep *entries* in *file*, else in the temporary folder, else in the text itself.

    Returns:
        Where they are, and what to do with them.
    """
    for place in _places(file):
        try:
            _keep(entries, place)
        except LedgerError:
            continue
        return (
            f"  {len(entries)} entries are in {place} instead\n"
            f"  to move them: llm-gateway usage --ledger {shlex.quote(str(place))} --copy-to WHERE"
        )
    lines = "\n".join(json.dumps(asdict(entry), default=str) for entry in entries)
    return f"  {len(entries)} entries found no place in a file either; here they are:\n{lines}"


def _places(file: Path) -> Iterator[Path]:
    yield file
    try:
        folder = tempfile.mkdtemp(prefix="llm-ledger-rescue-")
    except OSError:
        return
    yield Path(folder) / file.name


def _keep(entries: Sequence[Entry], place: Path) -> None:
    from llm_gateway.cost.ledger import open_ledger

    ledger = open_ledger(place)
    try:
        ledger.append(entries)
    finally:
        ledger.close()
