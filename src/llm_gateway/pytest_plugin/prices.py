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
    text = named or os.environ.get("LLM_PRICES")
    if not text:
        return
    path = config.rootpath / text if named else Path(text)
    from llm_gateway.config.file import read_document
    from llm_gateway.cost.overrides import read
    from llm_gateway.exceptions import ConfigError

    try:
        read(read_document(path), text)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
