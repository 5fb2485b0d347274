"""The marker ``llm_chunks``: one run of a test for each way of splitting the streams that it replays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_gateway.pytest_plugin.marker import CHUNKS_FIXTURE, id_of, variant

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["check", "parametrize", "shown"]


def parametrize(metafunc: pytest.Metafunc) -> None:
    """
    Run the test of *metafunc* once for each way of splitting that its marker names.

    Raises:
        pytest.Collector.CollectError: The marker has a wrong argument.
    """
    ways = list(dict.fromkeys(_ways(metafunc.definition)))
    if ways:
        if CHUNKS_FIXTURE not in metafunc.fixturenames:
            metafunc.fixturenames.append(CHUNKS_FIXTURE)
        metafunc.parametrize(CHUNKS_FIXTURE, ways, indirect=True, ids=[id_of(way) for way in ways])


def check(item: pytest.Item) -> None:
    """
    Check that the test is one that can be run more than once.

    Raises:
        pytest.UsageError: It is not; the text names it.
    """
    if variant(item) is None and item.get_closest_marker("llm_chunks") is not None:
        raise pytest.UsageError(
            f"{item.nodeid}: the marker llm_chunks has no effect here\n"
            "  methods of unittest.TestCase cannot be parametrized\n"
            "  make it a function, or a method of a class of its own"
        )


def _ways(item: pytest.Item) -> Iterator[str | int]:
    from llm_gateway.cassettes.chunks import STRATEGIES

    mark = item.get_closest_marker("llm_chunks")
    if mark is None:
        return
    if mark.kwargs or not mark.args:
        _raise(item, "it takes ways of splitting, without names", '"every"')
    for way in mark.args:
        if way == "every":
            yield from STRATEGIES
        elif way in STRATEGIES or (isinstance(way, int) and not isinstance(way, bool)):
            yield way
        else:
            _raise(item, f"{way!r} is not known; it takes every, {', '.join(STRATEGIES)} or a seed", _near(way))


def _near(way: object) -> str:
    import difflib

    from llm_gateway.cassettes.chunks import STRATEGIES

    return repr((difflib.get_close_matches(str(way), ["every", *STRATEGIES], n=1) or ["every"])[0])


def _raise(item: pytest.Item, problem: str, example: str) -> None:
    raise pytest.Collector.CollectError(
        f"{item.nodeid}: the marker llm_chunks cannot be read\n"
        f"  {problem}\n"
        f"  for example: @pytest.mark.llm_chunks({example})"
    )


def shown(way: str | int) -> str:
    """Return the line of a failure about the way of splitting."""
    how = f"at random, by the seed {way}" if isinstance(way, int) else repr(way)
    what = "their line ends made CRLF" if way == "crlf" else "the bytes are those of the recording"
    return f"replayed streams were split {how}; {what}"
