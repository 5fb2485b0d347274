"""The client: one interface, sync and async, over flows that are written once."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_gateway.client.llm import AsyncStream, LLMClient, Stream, SyncLLMClient

__all__ = ["AsyncStream", "LLMClient", "Stream", "SyncLLMClient"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.llm"), name)


def __dir__() -> list[str]:
    return __all__
