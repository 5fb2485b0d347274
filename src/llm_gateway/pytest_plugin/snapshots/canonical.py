"""Any answer in one plain form: sorted, without what differs from call to call, the same for every hash seed."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Collection, Generator, Iterable, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.leaf import NOT_A_LEAF, leaf
from llm_gateway.pytest_plugin.snapshots.mark import MASKED, Mark
from llm_gateway.pytest_plugin.snapshots.mask import is_masked
from llm_gateway.pytest_plugin.snapshots.members import Members, members
from llm_gateway.pytest_plugin.snapshots.ordinals import Ordinals, is_id_name, looks_like_id

__all__ = ["Rules", "canonical", "tree"]

_MOST_VALUES = 100_000
_MOST_LEVELS = 60
_PART = "snapshot the part that the test is about"

Path = tuple[tuple[Any, type], ...]
"""Names and positions from the root down, each with the type of its value, as syrupy's filters expect it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is changed on the way: members to *mask*, and the filters and the matcher of syrupy."""

    mask: Sequence[str] = ()
    exclude: Callable[..., bool] | None = None
    include: Callable[..., bool] | None = None
    matcher: Callable[..., Any] | None = None

    def drops(self, name: Any, path: Path) -> bool:
        """Whether the member *name* below *path* is left out."""
        if self.exclude is not None and self.exclude(prop=name, path=path):
            return True
        return self.include is not None and not self.include(prop=name, path=path)


def canonical(value: object, *, mask: Sequence[str] = ()) -> Any:
    """
    Give *value* as nested dicts, lists, strings and numbers, for inline-snapshot or a plain ``==``.

    Args:
        value: An answer, an object of an SDK, or data of any kind.

        mask: Members to mask besides those that always are, by name or by the end of their path.

    Raises:
        SnapshotError: Something in it is no data, or it holds itself.
    """
    return _plain(tree(value, Rules(mask=mask)))


def tree(value: object, rules: Rules) -> Any:
    """*value* in nested dicts and lists, with a `Mark` where the value itself does not stand."""
    return _Walk(rules).node(value, ())


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {_plain(key): _plain(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_plain(item) for item in node]
    return str(node) if isinstance(node, Mark) else node


class _Walk:
    """One way through one value."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._ordinals = Ordinals()
        self._open: dict[int, Path] = {}
        self._count = 0

    def node(self, value: Any, path: Path) -> Any:
        """*value*, which stands at *path*, in canonical form."""
        self._check_size(path)
        if self._rules.matcher is not None:
            value = self._rules.matcher(data=value, path=path)
        if isinstance(value, enum.Enum):
            value = value.value
        found = leaf(value)
        if found is not NOT_A_LEAF:
            return self._ordinals.mark(found) if looks_like_id(found) else found
        with self._inside(value, path):
            return self._parts(value, path)

    def _parts(self, value: Any, path: Path) -> Any:
        if hasattr(type(value), "__pydantic_root_model__") and type(value).__pydantic_root_model__:
            return self.node(value.root, path)
        owned = members(value)
        if owned is not None:
            return self._mapping(owned, path)
        if isinstance(value, AbstractSet):
            return self._list(self._in_order(value), path)
        if isinstance(value, Sequence) or (isinstance(value, Collection) and hasattr(value, "__reversed__")):
            return self._list(value, path)
        raise SnapshotError(
            f"a snapshot cannot hold {_at(path)}: {type(value).__module__}.{type(value).__qualname__}",
            cause="it is no model, dataclass, mapping, list, set or plain value",
            fix=_how_to_leave_out(path),
        )

    def _list(self, items: Iterable[Any], path: Path) -> list[Any]:
        return [self.node(item, (*path, (index, type(item)))) for index, item in enumerate(items)]

    def _in_order(self, items: AbstractSet[Any]) -> list[Any]:
        """By what each looks like on its own; ids, which then all look alike, by themselves."""

        def text(item: Any) -> tuple[str, str]:
            alone = _plain(_Walk(self._rules).node(item, ()))
            return json.dumps(alone, default=str), item if isinstance(item, str) else ""

        return sorted(items, key=text)

    def _mapping(self, owned: Members, path: Path) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for name, item in sorted(owned.items, key=_order):
            if self._rules.drops(name, path):
                continue
            key = self._key(name, path)
            if key in found:
                raise SnapshotError(
                    f"a snapshot cannot hold {_at(path)}: two of its keys are written {key!r}",
                    cause=f"one of them is {name!r}",
                    fix=_how_to_leave_out(path),
                )
            found[key] = self._member(item, (*path, (name, type(item))), owned)
        return found

    def _member(self, item: Any, path: Path, owned: Members) -> Any:
        names = [str(name) for name, _ in path if not isinstance(name, int)]
        if names and is_masked(names, self._rules.mask, is_provider=owned.is_provider):
            return MASKED
        if owned.is_provider and item and isinstance(item, str) and is_id_name(path[-1][0]):
            return self._ordinals.mark(item)
        return self.node(item, path)

    def _key(self, name: Any, path: Path) -> Any:
        name = name.value if isinstance(name, enum.Enum) else name
        found = leaf(name)
        if found is not NOT_A_LEAF:
            return self._ordinals.mark(found) if looks_like_id(found) else found
        if isinstance(name, tuple | frozenset):
            return Mark(f"<{json.dumps(_plain(self.node(name, path)), ensure_ascii=False)}>")
        raise SnapshotError(
            f"a snapshot cannot hold {_at(path)}: one of its keys is a {type(name).__qualname__}",
            cause="keys are texts, numbers, dates or tuples of these",
            fix=_how_to_leave_out(path),
        )

    @contextmanager
    def _inside(self, value: Any, path: Path) -> Generator[None]:
        seen = self._open.get(id(value))
        if seen is not None:
            raise SnapshotError(
                f"a snapshot cannot hold {_at(path)}: it holds itself",
                cause=f"it is the object that {_at(seen)} is",
                fix=_how_to_leave_out(path),
            )
        self._open[id(value)] = path
        try:
            yield
        finally:
            del self._open[id(value)]

    def _check_size(self, path: Path) -> None:
        self._count += 1
        if self._count > _MOST_VALUES:
            raise SnapshotError(
                f"a snapshot cannot hold more than {_MOST_VALUES:,} values", cause=f"reached at {_at(path)}", fix=_PART
            )
        if len(path) > _MOST_LEVELS:
            raise SnapshotError(
                f"a snapshot cannot hold more than {_MOST_LEVELS} levels", cause=f"reached at {_at(path)}", fix=_PART
            )


def _order(member: tuple[Any, Any]) -> tuple[bool, str, str]:
    """Ids come last and stay in their own order: as text they would be in another one after each recording."""
    name = member[0].value if isinstance(member[0], enum.Enum) else member[0]
    if looks_like_id(name):
        return True, "", ""
    return False, "" if isinstance(name, str) else type(name).__name__, _sortable(name)


def _sortable(name: Any) -> str:
    if isinstance(name, int) and not isinstance(name, bool):
        return f"{name >= 0:d}{abs(name):040d}"
    return json.dumps(sorted(map(repr, name))) if isinstance(name, frozenset) else str(name)


def _at(path: Path) -> str:
    """``messages[2].client``, or what stands for the whole."""
    text = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name, _ in path)
    return text.removeprefix(".") or "the value"


def _how_to_leave_out(path: Path) -> str:
    name = next((name for name, _ in reversed(path) if isinstance(name, str)), None)
    return _PART if name is None else f"leave it out: llm_snapshot(mask=[{name!r}])"
