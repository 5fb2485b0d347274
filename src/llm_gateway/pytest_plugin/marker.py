"""The ``llm`` marker: its arguments, checked and read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["TIMES", "check", "marked", "nearest"]

TIMES = ("real", "recorded")
"""The clocks that a test may have while it replays."""

_KNOWN: Mapping[str, tuple[type, ...]] = {
    "cassette": (str,),
    "allow_unused": (bool,),
    "ignore_hosts": (list, tuple, set, frozenset),
    "model": (str,),
    "time": (str,),
}


def marked(item: pytest.Item, name: str) -> Any:
    """Return the innermost value of *name* among the test's ``llm`` markers; None where none has it."""
    for mark in item.iter_markers("llm"):
        if name in mark.kwargs:
            return mark.kwargs[name]
    return None


def check(item: pytest.Item) -> None:
    """
    Check the arguments of the ``llm`` markers of *item*.

    Raises:
        pytest.UsageError: One is wrong; the text names the test, the mistake, and the nearest valid argument.
    """
    for mark in item.iter_markers("llm"):
        if mark.args:
            _raise(item, f"it takes no argument without a name: {mark.args[0]!r}", f"llm(cassette={mark.args[0]!r})")
        for name, value in mark.kwargs.items():
            _check_one(item, name, value)


def _check_one(item: pytest.Item, name: str, value: object) -> None:
    if name not in _KNOWN:
        near = nearest(name, _KNOWN)
        _raise(item, f"{name!r} is not known; it takes {', '.join(_KNOWN)}", f"llm({near}={value!r})")
    if not isinstance(value, _KNOWN[name]):
        example = [value] if name == "ignore_hosts" else str(value)
        _raise(item, f"{name} may not be {value!r}", f"llm({name}={example!r})")
    if name == "cassette" and ".." in str(value).replace("\\", "/").split("/"):
        _raise(item, f"cassette {value!r} is outside the cassette folder", "llm(cassette='a-name')")
    if name == "time" and value not in TIMES:
        near = nearest(str(value), TIMES)
        _raise(item, f"time {value!r} is not known; it takes {', '.join(TIMES)}", f"llm(time={near!r})")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the one of *known* that is nearest to *name*; the first where none is near."""
    import difflib

    names = list(known)
    return (difflib.get_close_matches(name, names, n=1) or names)[0]


def _raise(item: pytest.Item, problem: str, example: str) -> None:
    raise pytest.UsageError(
        f"{item.nodeid}: the marker llm cannot be read\n  {problem}\n  for example: @pytest.mark.{example}"
    )
