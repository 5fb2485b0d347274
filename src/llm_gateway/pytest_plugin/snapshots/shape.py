"""What is left of a snapshot when its values may differ: the names of members, and the kinds of their values."""

from __future__ import annotations

from typing import Any

from llm_gateway.pytest_plugin.snapshots.mark import Mark

__all__ = ["fits", "shape"]


def shape(node: Any) -> Any:
    """The shape of the canonical *node*; a list is the different shapes of its items. A shape is its own shape."""
    if isinstance(node, dict):
        return {key: shape(item) for key, item in node.items()}
    if isinstance(node, list):
        shapes: list[Any] = []
        for item in map(shape, node):
            if item not in shapes:
                shapes.append(item)
        return shapes
    return Mark(f"<{_kind(node)}>")


def _kind(node: Any) -> str:
    if isinstance(node, Mark):
        return _kind_of_mark(node[1:-1])
    if node is None or isinstance(node, bool):
        return "null" if node is None else "bool"
    return "text" if isinstance(node, str) else "number"


def _kind_of_mark(inner: str) -> str:
    """``id 3`` is an ``id``; what is as good as text or a number is one."""
    if inner.endswith(("nan", "inf")):
        return "number"
    first, _, rest = inner.partition(" ")
    if first.isdecimal():
        return "text" if rest.startswith("characters") else "bytes"
    return {"integer": "number"}.get(first, first)


def fits(received: Any, stored: Any) -> bool:
    """Whether the shape *received* is the shape *stored*. A list without items is a list of anything."""
    if isinstance(received, dict) and isinstance(stored, dict):
        return received.keys() == stored.keys() and all(fits(item, stored[key]) for key, item in received.items())
    if isinstance(received, list) and isinstance(stored, list):
        return not stored or all(any(fits(item, known) for known in stored) for item in received)
    return bool(received == stored)
