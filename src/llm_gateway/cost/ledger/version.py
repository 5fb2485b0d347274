"""The version of the tables of a ledger, and the error for a later one."""

from __future__ import annotations

from llm_gateway.exceptions import LedgerError

__all__ = ["VERSION", "check_version"]

VERSION = 1


def check_version(name: str, version: int) -> None:
    """
    Pass where this release can read and write tables of *version*.

    Raises:
        LedgerError: They were made by a later release.
    """
    if version > VERSION:
        raise LedgerError(
            f"the ledger {name!r} has version {version}",
            cause=f"this release of pytest-llm-gateway knows versions up to {VERSION}",
            fix="pip install --upgrade pytest-llm-gateway",
        )
