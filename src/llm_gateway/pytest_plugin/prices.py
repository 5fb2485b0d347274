"""The ini value ``llm_prices`` and the variable ``LLM_PRICES``: a file with prices of the user's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

__all__ = ["read_prices"]


def read_prices(config: pytest.Config) -> None:
    """
    Let the prices of the file count in this process.

    Raises:
        pytest.UsageError: It cannot be read, or holds a mistake; names it.
    """
    named = config.getini("llm_prices")
    path = config.rootpath / named if named else Path(os.environ["LLM_PRICES"]) if "LLM_PRICES" in os.environ else None
    if path is None:
        return
    from llm_gateway.config import read_document
    from llm_gateway.cost.overrides import read
    from llm_gateway.exceptions import ConfigError

    try:
        read(read_document(path), named or str(path))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
