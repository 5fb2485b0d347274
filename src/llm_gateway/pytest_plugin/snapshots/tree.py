"""
An answer as plain nested data: sorted, without what differs from call to call, the same for every hash seed.

Neither syrupy's JSON extension nor pydantic's ``model_dump(mode="json")`` gives this form, so the walk is our own; its
filters and its matcher are syrupy's. tests/unit/pytest_plugin/snapshots/test_libraries.py shows each difference:

- syrupy drops keys that are not texts, writes ``...`` for a cycle and the ``repr`` of models, and sorts sets by it;
- pydantic writes sets in hash order and decimals as texts, and forgets which class, of which SDK, had a field:
  ``created`` is masked in a provider's reply and kept in the user's own data.

`canonical` works without syrupy, for inline-snapshot.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import re
import types
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any

from llm_gateway.catalog import PROVIDERS
from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.value import MASKED, NOT_A_LEAF, Mark, leaf, looks_like_id

__all__ = ["canonical", "tree"]

_MOST_VALUES = 100_000
_MOST_LEVELS = 60
_OURS = frozenset({"llm_gateway.types", "llm_gateway.record", "llm_gateway.usage"})
_SDK_MODULES = tuple(f"{one.sdk_package}." for one in PROVIDERS.values() if one.sdk_package)
_MASKED = frozenset({"system_fingerprint", "request_id", "requestId", "latency_s", "latency_ms", "latencyMs"})
_MASKED_OF_PROVIDERS = frozenset(
    "created created_at createdAt completed_at create_time createTime response_id responseId session_id "
    "duration_s started_at duration_ms duration_api_ms total_duration load_duration prompt_eval_duration eval_duration "
    "queue_time prompt_time completion_time total_time".split()
)
_LEFT_OUT = {"LLMResponse": frozenset({"reply", "attempts"})}
"""The decoded reply repeats what the response holds, and the number of attempts is no part of an answer."""
_ID_NAME = re.compile(r"id|.*_id|.*[a-z]Id")

Path = tuple[tuple[Any, type], ...]
"""Names and positions from the root down, each with the type of its value, as syrupy's filters expect it."""
Fields = Iterable[tuple[Any, Any]]
Filter = Callable[..., bool]


def canonical(value: object, *, mask: Sequence[str] = ()) -> Any:
    """
    Return *value* as nested dicts, lists, strings and numbers, for inline-snapshot or a plain ``==``.

    Args:
        value: An answer, an object of an SDK, or data of any kind.

        mask: Fields to mask in addition to those that always are, by name or by the end of their path.

    Raises:
        SnapshotError: It holds an object that is no data, or it contains itself.
    """
    return _without_marks(tree(value, mask=mask))


def tree(value: object, **rules: Any) -> Any:
    """Return *value* as nested dicts and lists with a `Mark` for each placeholder; *rules* are those of `_Walk`."""
    return _Walk(**rules).node(value, ())


def _without_marks(node: Any) -> Any:
    if isinstance(node, dict):
        return {_without_marks(key): _without_marks(item) for key, item in node.items()}
    if isinstance(node, list):
        return [_without_marks(item) for item in node]
    return str(node) if isinstance(node, Mark) else node


@dataclasses.dataclass
class _Walk:
    """One walk through one value; *exclude*, *include* and *matcher* are called as syrupy calls them."""

    mask: Sequence[str] = ()
    exclude: Filter | None = None
    include: Filter | None = None
    matcher: Callable[..., Any] | None = None
    _ids: dict[str, int] = dataclasses.field(init=False, default_factory=dict)
    _open: dict[int, Path] = dataclasses.field(init=False, default_factory=dict)
    _count: int = dataclasses.field(init=False, default=0)

    def node(self, value: Any, path: Path) -> Any:
        """Return *value*, found at *path*, in canonical form."""
        self._check_size(path)
        if self.matcher is not None:
            value = self.matcher(data=value, path=path)
        value = _without_enum(value)
        found = self._leaf(value)
        if found is not NOT_A_LEAF:
            return found
        with self._inside(value, path):
            return self._parts(value, path)

    def _leaf(self, value: Any) -> Any:
        found = leaf(value)
        return self._ordinal(found) if looks_like_id(found) else found

    def _ordinal(self, value: str) -> Mark:
        """Return ``<id N>``: ids differ in each run, and what counts is which of them are the same."""
        return Mark(f"<id {self._ids.setdefault(value, len(self._ids) + 1)}>")

    def _parts(self, value: Any, path: Path) -> Any:
        if getattr(type(value), "__pydantic_root_model__", False):
            return self.node(value.root, path)
        fields = _fields(value)
        if fields is not None:
            return self._dict(fields, path, is_provider=_is_provider(value))
        if isinstance(value, AbstractSet):
            value = self._in_order(value)
        if isinstance(value, Sequence) or (isinstance(value, Collection) and hasattr(value, "__reversed__")):
            return [self.node(item, (*path, (index, type(item)))) for index, item in enumerate(value)]
        raise _error(
            f"{_at(path)}: {type(value).__module__}.{type(value).__qualname__}",
            "it is no model, dataclass, mapping, list, set or plain value",
            path,
        )

    def _in_order(self, items: AbstractSet[Any]) -> list[Any]:
        """Return *items* sorted by the form that each has alone; ids, which have the same form, by themselves."""

        def text(item: Any) -> tuple[str, str]:
            alone = _without_marks(dataclasses.replace(self).node(item, ()))
            return json.dumps(alone, default=str), item if isinstance(item, str) else ""

        return sorted(items, key=text)

    def _dict(self, fields: Fields, path: Path, *, is_provider: bool) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for name, item in sorted(fields, key=_order):
            if self.exclude is not None and self.exclude(prop=name, path=path):
                continue
            if self.include is not None and not self.include(prop=name, path=path):
                continue
            key = self._key(name, path)
            if key in found:
                raise _error(f"{_at(path)}: two of its keys are written {key!r}", f"one of them is {name!r}", path)
            found[key] = self._field(item, (*path, (name, type(item))), is_provider=is_provider)
        return found

    def _field(self, item: Any, path: Path, *, is_provider: bool) -> Any:
        name = path[-1][0]
        if not isinstance(name, int) and self._is_masked(path, is_provider=is_provider):
            return MASKED
        if is_provider and item and isinstance(item, str) and isinstance(name, str) and _ID_NAME.fullmatch(name):
            return self._ordinal(item)
        return self.node(item, path)

    def _is_masked(self, path: Path, *, is_provider: bool) -> bool:
        names = [str(name) for name, _ in path if not isinstance(name, int)]  # positions in lists do not count
        if names[-1] in _MASKED or (is_provider and names[-1] in _MASKED_OF_PROVIDERS):
            return True
        return any(names[-len(parts) :] == parts for parts in (entry.split(".") for entry in self.mask))

    def _key(self, name: Any, path: Path) -> Any:
        name = _without_enum(name)
        found = self._leaf(name)
        if found is not NOT_A_LEAF:
            return found
        if isinstance(name, tuple | frozenset):
            return Mark(f"<{json.dumps(_without_marks(self.node(name, path)), ensure_ascii=False)}>")
        raise _error(
            f"{_at(path)}: one of its keys is a {type(name).__qualname__}",
            "keys are texts, numbers, dates or tuples of these",
            path,
        )

    @contextmanager
    def _inside(self, value: Any, path: Path) -> Generator[None]:
        seen = self._open.get(id(value))
        if seen is not None:
            raise _error(f"{_at(path)}: it holds itself", f"it is the object that {_at(seen)} is", path)
        self._open[id(value)] = path
        try:
            yield
        finally:
            del self._open[id(value)]

    def _check_size(self, path: Path) -> None:
        self._count += 1
        if self._count > _MOST_VALUES:
            raise _error(f"more than {_MOST_VALUES:,} values", f"reached at {_at(path)}")
        if len(path) > _MOST_LEVELS:
            raise _error(f"more than {_MOST_LEVELS} levels", f"reached at {_at(path)}")


def _fields(value: Any) -> Fields | None:
    """
    Return the names and values of the fields of *value*, or None where it has none.

    A field that is None by default is left out: a newer SDK has more of them.
    """
    cls = type(value)
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, tuple) and hasattr(cls, "_fields"):
        return zip(cls._fields, value, strict=True)
    if isinstance(value, types.SimpleNamespace):
        return vars(value).items()
    if hasattr(cls, "model_computed_fields"):
        computed = ((name, getattr(value, name)) for name in cls.model_computed_fields)
        own = ((name, field.default) for name, field in cls.model_fields.items() if not field.exclude)
        return [*_set_fields(value, own), *computed, *(getattr(value, "model_extra", None) or {}).items()]
    declared = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else getattr(cls, "__attrs_attrs__", None)
    return None if declared is None else _set_fields(value, ((field.name, field.default) for field in declared))


def _set_fields(value: Any, declared: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    is_ours = type(value).__module__ in _OURS
    left_out = _LEFT_OUT.get(type(value).__name__, ()) if is_ours else ()
    for name, default in declared:
        own = getattr(value, name)
        if name not in left_out and (own != default if is_ours else own is not None or default is not None):
            yield name, own


def _is_provider(value: Any) -> bool:
    """Return True for an object of an SDK or of this package, and for the JSON body of a provider's reply."""
    if isinstance(value, Mapping):
        return looks_like_id(value.get("id")) or ("object" in value and "model" in value)
    module = type(value).__module__
    return module in _OURS or f"{module}.".startswith(_SDK_MODULES)


def _without_enum(value: Any) -> Any:
    return value.value if isinstance(value, enum.Enum) else value


def _order(field: tuple[Any, Any]) -> tuple[bool, str, str]:
    """Return the sort key of *field*; ids come last in their own order, which no recording changes."""
    name = _without_enum(field[0])
    if looks_like_id(name):
        return True, "", ""
    if isinstance(name, int) and not isinstance(name, bool):
        text = f"{name >= 0:d}{abs(name):040d}"
    else:
        text = json.dumps(sorted(map(repr, name))) if isinstance(name, frozenset) else str(name)
    return False, "" if isinstance(name, str) else type(name).__name__, text


def _at(path: Path) -> str:
    """Return *path* as ``messages[2].client``, or "the value" for the root."""
    text = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name, _ in path)
    return text.removeprefix(".") or "the value"


def _error(what: str, cause: str, path: Path = ()) -> SnapshotError:
    name = next((name for name, _ in reversed(path) if isinstance(name, str)), None)
    fix = f"leave it out: llm_snapshot(mask=[{name!r}])" if name else "snapshot the part that the test is about"
    return SnapshotError(f"a snapshot cannot hold {what}", cause=cause, fix=fix)
