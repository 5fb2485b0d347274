"""The markers of a test, checked and read, and what follows from them: its cassette's path and its variant."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "CHUNKS_FIXTURE",
    "TIMES",
    "cassette_path",
    "check",
    "check_collisions",
    "id_of",
    "marked",
    "nearest",
    "test_id",
    "test_name",
    "variant",
]

CHUNKS_FIXTURE = "llm_chunks"
_UNSAFE = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_MOST_BYTES = 120

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


def id_of(way: str | int) -> str:
    """Return *way* as it is written in the id of a test: ``chunks-bytes``, ``chunks-seed7``."""
    return f"chunks-seed{way}" if isinstance(way, int) else f"chunks-{way}"


def variant(item: pytest.Item) -> Any:
    """Return the way of splitting that *item* runs with; None for the chunks that were recorded."""
    call = getattr(item, "callspec", None)
    return None if call is None else call.params.get(CHUNKS_FIXTURE)


def test_name(item: pytest.Item) -> str:
    """
    Return the test's name with its class, as a file name: ``TestChat.test_greets[de]``.

    Characters that some file system rejects are replaced, a long name is cut, and either adds a digest of the name.
    """
    classes = [node.name for node in item.listchain() if isinstance(node, pytest.Class)]
    name = ".".join([*classes, _plain(item, item.name)])
    short = _UNSAFE.sub("-", name).rstrip(". ").encode()[:_MOST_BYTES].decode("utf-8", "ignore")
    if short == name:
        return name
    return f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


test_name.__test__ = False  # type: ignore[attr-defined]


def test_id(item: pytest.Item) -> str:
    """Return the id by which *item* is recorded: without the way in which a replay splits its streams."""
    return _plain(item, item.nodeid)


test_id.__test__ = False  # type: ignore[attr-defined]


def _plain(item: pytest.Item, name: str) -> str:
    way = variant(item)
    if way is None:
        return name
    part = id_of(way)
    return name.replace(f"[{part}]", "").replace(f"-{part}]", "]").replace(f"[{part}-", "[")


def cassette_path(item: pytest.Item, marked: str | None) -> Path:
    """
    Return the path of the cassette of *item*.

    Args:
        item: The test.

        marked: The ``cassette`` of its marker, relative to the cassette folder, or None for the rule of the ini file.

    Raises:
        pytest.UsageError: The rule has an unknown placeholder.
    """
    config = item.config
    root: Path = config.rootpath / config.getini("llm_cassette_folder")
    if marked is not None:
        return root / (marked if marked.endswith((".yaml", ".yml")) else f"{marked}.yaml")
    return root / (_filled(config.getini("llm_cassette_name"), item))


def _filled(rule: str, item: pytest.Item) -> str:
    root = item.config.rootpath
    path = item.path.relative_to(root) if item.path.is_relative_to(root) else Path(item.path.name)
    function = getattr(item, "originalname", None) or item.name
    parts = {
        "path": path.with_suffix("").as_posix(),
        "folder": path.parent.as_posix(),
        "module": path.stem,
        "class": ".".join(node.name for node in item.listchain() if isinstance(node, pytest.Class)),
        "function": function,
        "test": test_name(item),
    }
    try:
        return rule.format(**parts)
    except (KeyError, IndexError, ValueError) as error:
        raise pytest.UsageError(
            f"llm_cassette_name = {rule!r}: {error} is not known\n"
            f"  it may use {' '.join(f'{{{name}}}' for name in parts)}\n"
            "  set it in the pytest section of your ini file, for example: llm_cassette_name = {path}/{test}.yaml"
        ) from None


def check_collisions(paths: Iterable[tuple[str, Path, bool]], *, is_writing: bool) -> None:
    """
    Check that no two tests write one file, also on a file system that ignores upper and lower case.

    Args:
        paths: For each test its id, its cassette, and whether a marker named that cassette.

        is_writing: Whether the tests will write; what a marker names may be shared by tests that only read it.

    Raises:
        pytest.UsageError: Two do; the text names both and the file.
    """
    owners: dict[str, str] = {}
    for test_id, path, is_named in paths:
        owner = owners.setdefault(str(path).casefold(), test_id)
        if owner != test_id and (is_writing or not is_named):
            raise pytest.UsageError(
                f"two tests share the cassette {path.name}: {owner} and {test_id}\n"
                f"  both map to {path}\n"
                '  rename one, or give one its own: @pytest.mark.llm(cassette="another-name")'
            )
