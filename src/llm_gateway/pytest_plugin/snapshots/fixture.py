"""The `llm_snapshot` of a test, made from syrupy's own fixture, and the errors where that is missing."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from llm_gateway.pytest_plugin.snapshots.assertion import LLMSnapshot

__all__ = ["snapshot_for"]


def snapshot_for(request: pytest.FixtureRequest, mode_name: str) -> LLMSnapshot:
    """Return the snapshot for the test of *request*; in a live run it compares structure only."""
    if find_spec("syrupy") is None:
        _fail("syrupy is not installed", "pip install 'pytest-llm-gateway[snapshots]'")
    from llm_gateway.pytest_plugin.snapshots.assertion import LLMSnapshot, Options

    accept = "pytest --llm-record --snapshot-update" if mode_name in ("record", "new") else LLMSnapshot.accept
    return LLMSnapshot.derived(_syrupy_snapshot(request), Options(is_live=mode_name == "live"), accept)


def _syrupy_snapshot(request: pytest.FixtureRequest) -> Any:
    from syrupy.assertion import SnapshotAssertion  # pyright: ignore[reportMissingImports]

    try:
        snapshot = request.getfixturevalue("snapshot")
    except pytest.FixtureLookupError:
        _fail("the plugin syrupy is not loaded", "pytest -p syrupy")
    if not isinstance(snapshot, SnapshotAssertion):
        whose = f"{type(snapshot).__module__}.{type(snapshot).__qualname__}"
        _fail(f"the fixture 'snapshot' is not syrupy's, it gives a {whose}", "rename that fixture")
    return snapshot


def _fail(cause: str, fix: str) -> NoReturn:
    pytest.fail(f"llm_snapshot cannot be used\n  {cause}\n  {fix}", pytrace=False)
