"""
The open cassettes, and which of them a call belongs to: the caller's own by context, else the only one that is open.

Tasks inherit the context of the code that starts them; threads and pools are made to carry the cassette along.
"""

from __future__ import annotations

import functools
import threading
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from llm_gateway.interception.cassette import Cassette

__all__ = ["current", "enter", "is_open", "leave", "opened", "own"]

_current: ContextVar[Cassette | None] = ContextVar("llm_gateway_cassette", default=None)
_open: list[Cassette] = []
_lock = threading.Lock()


def enter(cassette: Cassette) -> Token[Cassette | None]:
    """Make *cassette* the one that calls in this context belong to. Give the token to `leave`."""
    if not hasattr(threading.Thread.start, "__wrapped__"):
        _carry_into_threads()
    with _lock:
        _open.append(cassette)
    return _current.set(cassette)


def leave(cassette: Cassette, token: Token[Cassette | None]) -> None:
    """Undo `enter`. A token from another context (an async fixture's) is let go: the closed cassette is skipped."""
    with _lock:
        _open.remove(cassette)
    try:
        _current.reset(token)
    except ValueError:
        _current.set(None)


def is_open() -> bool:
    """Return whether any cassette is open in this process."""
    return bool(_open)


def opened() -> list[Cassette]:
    """Return the cassettes that are open in this process."""
    return list(_open)


def own() -> Cassette | None:
    """Return the open cassette of the caller's own context; None where there is none."""
    mine = _current.get()
    return None if mine is None or mine.is_closed else mine


def current() -> Cassette | None:
    """
    Return the cassette that a call made here and now belongs to, or None when none is open.

    A bare thread, or a task that outlived its test, carries no open cassette: it gets the only open one.

    Raises:
        RouteError: Several are open and the caller belongs to none of them.
    """
    if (mine := own()) is not None or not _open:
        return mine
    with _lock:
        candidates = list(_open)
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        return None
    from llm_gateway.exceptions import RouteError

    raise RouteError(
        f"{len(candidates)} cassettes are open and this call belongs to none of them: "
        + ", ".join(sorted(str(candidate.path) for candidate in candidates)),
        cause="the call was made in a thread that was started before its test, outside any test's context",
        fix="start the thread inside the test, or run it with contextvars.copy_context().run(...)",
    )


def _carry_into_threads() -> None:
    """Wrap ``Thread.start`` and ``ThreadPoolExecutor.submit``. While no cassette is open they do as before."""
    from concurrent.futures import ThreadPoolExecutor

    threading.Thread.start = _wrap_start(threading.Thread.start)  # type: ignore[method-assign]
    ThreadPoolExecutor.submit = _wrap_submit(ThreadPoolExecutor.submit)  # type: ignore[method-assign]


def _wrap_start(real: Any) -> Any:
    @functools.wraps(real)
    def start(self: threading.Thread) -> None:
        if is_open():
            self.run = _carried(self.run)  # type: ignore[method-assign]
        real(self)

    return start


def _wrap_submit(real: Any) -> Any:
    @functools.wraps(real)
    def submit(self: ThreadPoolExecutor, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        if is_open():
            return real(self, _carried(fn), *args, **kwargs)
        return real(self, fn, *args, **kwargs)

    return submit


def _carried(function: Any) -> Any:
    """Return *function* such that it runs with the caller's cassette, and nothing else of the caller's context."""
    mine = _current.get()

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        token = _current.set(mine)
        try:
            return function(*args, **kwargs)
        finally:
            _current.reset(token)

    return run
