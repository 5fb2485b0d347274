"""The ``llm`` marker: what it may say, and what it says of a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["TIMES", "check", "marked", "nearest"]

TIMES = ("real", "recorded")
"""What the clock of a test shows while it replays."""

_KNOWN: Mapping[str, tuple[type, ...]] = {
    "cassette": (str,),
    "allow_unused": (bool,),
    "ignore_hosts": (list, tuple, set, frozenset),
    "model": (str,),
    "time": (str,),
}


def marked(item: pytest.Item, name: str) -> Any:
    """The innermost value of *name* among the test's ``llm`` markers."""
    for mark in item.iter_markers("llm"):
        if name in mark.kwargs:
            return mark.kwargs[name]
    return None


def check(item: pytest.Item) -> None:
    """
    Refuse a marker that says what it may not.

    Raises:
        pytest.UsageError: Names the test, the mistake, and the nearest that is known.
    """
    for mark in item.iter_markers("llm"):
        if mark.args:
            _refuse(item, f"it takes no argument without a name: {mark.args[0]!r}", f"llm(cassette={mark.args[0]!r})")
        for name, value in mark.kwargs.items():
            _check_one(item, name, value)


def _check_one(item: pytest.Item, name: str, value: object) -> None:
    if name not in _KNOWN:
        near = nearest(name, _KNOWN)
        _refuse(item, f"{name!r} is not known; it takes {', '.join(_KNOWN)}", f"llm({near}={value!r})")
    if not isinstance(value, _KNOWN[name]):
        example = [value] if name == "ignore_hosts" else str(value)
        _refuse(item, f"{name} may not be {value!r}", f"llm({name}={example!r})")
    if name == "cassette" and ".." in str(value).replace("\\", "/").split("/"):
        _refuse(item, f"cassette {value!r} is outside the cassette folder", "llm(cassette='a-name')")
    if name == "time" and value not in TIMES:
        near = nearest(str(value), TIMES)
        _refuse(item, f"time {value!r} is not known; it takes {', '.join(TIMES)}", f"llm(time={near!r})")


def nearest(name: str, known: Iterable[str]) -> str:
    """The one of *known* that was probably meant; the first where none is near."""
    import difflib

    names = list(known)
    return (difflib.get_close_matches(name, names, n=1) or names)[0]


def _refuse(item: pytest.Item, problem: str, example: str) -> None:
    raise pytest.UsageError(
        f"{item.nodeid}: the marker llm cannot be read\n  {problem}\n  for example: @pytest.mark.{example}"
    )
