"""
The clients of the fixtures: made from the run's configuration, closed with the test.

They have no cache: an answer from it would be missing in a recording, and leave one unused in a replay.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from llm_gateway.pytest_plugin.marker import marked

if TYPE_CHECKING:
    from collections.abc import Generator

    import pytest

    from llm_gateway import LLMClient, SyncLLMClient

__all__ = ["asynchronous", "either", "sync"]


def _model(request: pytest.FixtureRequest) -> str | None:
    """Return the model that the marker or the ini file names; None leaves it to the configuration."""
    return marked(request.node, "model") or request.config.getini("llm_model") or None


def either(request: pytest.FixtureRequest) -> Generator[object]:
    """Yield an async client in an ``async def`` test, a sync client in another."""
    is_async = inspect.iscoroutinefunction(getattr(request, "function", None))
    yield from asynchronous(request) if is_async else sync(request)


def sync(request: pytest.FixtureRequest) -> Generator[SyncLLMClient]:
    """Yield a sync client, and close it after the test."""
    from llm_gateway import SyncLLMClient

    with SyncLLMClient(model=_model(request), cache=False) as client:
        yield client


def asynchronous(request: pytest.FixtureRequest) -> Generator[LLMClient]:
    """Yield an async client; it is closed in the test's event loop, which is gone when fixtures are torn down."""
    from llm_gateway import LLMClient

    client = LLMClient(model=_model(request), cache=False)
    test = getattr(request.node, "obj", None)
    if inspect.iscoroutinefunction(test):
        request.node.obj = _closing(test, client)
    yield client


def _closing(test: Any, client: LLMClient) -> Any:
    @functools.wraps(test)
    async def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return await test(*args, **kwargs)
        finally:
            await client.close()

    return run
