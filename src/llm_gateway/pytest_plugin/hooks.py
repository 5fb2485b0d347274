"""Hooks that a conftest may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from llm_gateway.types import WireRequest

__all__ = ["pytest_llm_before_save", "pytest_llm_normalize"]


@pytest.hookspec(firstresult=True)
def pytest_llm_normalize(request: WireRequest) -> WireRequest | None:
    """Return *request* without what differs from run to run; called before live and recorded requests are compared."""


@pytest.hookspec(firstresult=True)
def pytest_llm_before_save(request: WireRequest) -> WireRequest | None:
    """Return *request* as it is to be written; the code under test must then send it in that form to match."""
