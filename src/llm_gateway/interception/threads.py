"""Let threads and pools carry the cassette of whoever started them, as tasks do."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from llm_gateway.interception import active

__all__ = ["install"]


def install() -> None:
    """Wrap ``Thread.start`` and ``ThreadPoolExecutor.submit`` once. While no cassette is open they do as before."""
    if not hasattr(threading.Thread.start, "__wrapped__"):
        threading.Thread.start = _wrap_start(threading.Thread.start)  # type: ignore[method-assign]
    if not hasattr(ThreadPoolExecutor.submit, "__wrapped__"):
        ThreadPoolExecutor.submit = _wrap_submit(ThreadPoolExecutor.submit)  # type: ignore[method-assign]


def _wrap_start(real: Any) -> Any:
    @functools.wraps(real)
    def start(self: threading.Thread) -> None:
        if active.is_open():
            self.run = active.carried(self.run)  # type: ignore[method-assign]
        real(self)

    return start


def _wrap_submit(real: Any) -> Any:
    @functools.wraps(real)
    def submit(self: ThreadPoolExecutor, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if active.is_open():
            return real(self, active.carried(fn), *args, **kwargs)
        return real(self, fn, *args, **kwargs)

    return submit
