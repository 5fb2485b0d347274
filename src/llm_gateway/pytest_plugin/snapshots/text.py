"""The canonical form as YAML and back, its structure without values, and the tolerance for token counts and costs."""

from __future__ import annotations

import re
import sys
from decimal import Decimal
from typing import Any

import yaml

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.value import Mark

__all__ = ["has_shape", "read", "shape", "with_stored_usage", "write"]

_TAG = "!mark"
_MARK = re.compile(r"<[^\n]*>$")
_ODD_LINE_ENDS = re.compile("[\r\x85\u2028\u2029]")
_LINE = re.compile(r"(?P<name>\s*(?:- )*\w+): (?:<decimal )?(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)>?")
_USAGE = re.compile(r"(?!.*max)(?:.*tokens|.*token_?count(?:s)?|(?:prompt_)?eval_count|.*cost_usd)", re.IGNORECASE)


class _Dumper(yaml.SafeDumper):
    """PyYAML's Python dumper: the one in C breaks lines and escapes emoji in other places."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Return True: an object that occurs twice is written twice."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their name."""
        super().increase_indent(flow, False)


class _Loader(yaml.SafeLoader):
    """PyYAML's loader, with marks."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_block = "\n" in text.rstrip("\n") and not text.endswith("\n\n") and not _ODD_LINE_ENDS.search(text)
    style = "|" if is_block else ('"' if "\n" in text or _ODD_LINE_ENDS.search(text) else None)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Mark, lambda dumper, mark: dumper.represent_scalar(_TAG, str(mark)))
_Dumper.add_implicit_resolver(_TAG, _MARK, ["<"])
_Loader.add_implicit_resolver(_TAG, _MARK, ["<"])
_Loader.add_constructor(_TAG, lambda _, node: Mark(node.value))


def write(node: Any) -> str:
    """Return the text of a canonical *node*, without a line feed at its end."""
    text: str = yaml.dump(node, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    return text.removesuffix("...\n").removesuffix("\n")


def read(text: str) -> Any:
    """
    Return the canonical node that `write` made *text* from.

    Raises:
        SnapshotError: It is no YAML, as after a merge that left its markers.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader with one more tag
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise SnapshotError(
            "a stored snapshot cannot be read", cause=problem[:200], fix="write it anew: pytest --snapshot-update"
        ) from None


def shape(node: Any) -> Any:
    """
    Return names of fields and kinds of values only; a list becomes the different shapes of its items.

    syrupy's ``path_type`` names the class of chosen values; it merges no lists, and does not know marks.
    The shape of a shape is that shape.
    """
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
    """Return ``id`` for ``id 3``, and text or number for a mark that replaces one."""
    if inner.endswith(("nan", "inf")):
        return "number"
    first, _, rest = inner.partition(" ")
    if first.isdecimal():
        return "text" if rest.startswith("characters") else "bytes"
    return {"integer": "number"}.get(first, first)


def has_shape(received: Any, stored: Any) -> bool:
    """Return True if the shape *received* is the shape *stored*, where an empty list is a list of anything."""
    if isinstance(received, dict) and isinstance(stored, dict):
        return received.keys() == stored.keys() and all(has_shape(item, stored[key]) for key, item in received.items())
    if isinstance(received, list) and isinstance(stored, list):
        return not stored or all(any(has_shape(item, known) for known in stored) for item in received)
    return bool(received == stored)


def with_stored_usage(received: str, stored: str, tolerance: float) -> str:
    """
    Return *received* with the stored line for each line of usage within *tolerance* (0.1 is a tenth) of it.

    A matcher of syrupy cannot do that: it sees what was received, and not what is stored.
    """
    ours, theirs = received.split("\n"), stored.split("\n")
    if not tolerance or len(ours) != len(theirs):
        return received
    return "\n".join(old if _is_near(new, old, tolerance) else new for new, old in zip(ours, theirs, strict=True))


def _is_near(new: str, old: str, tolerance: float) -> bool:
    left, right = _LINE.fullmatch(new), _LINE.fullmatch(old)
    if left is None or right is None or left["name"] != right["name"]:
        return False
    if not _USAGE.fullmatch(left["name"].lstrip(" -")):
        return False
    ours, theirs = Decimal(left["number"]), Decimal(right["number"])
    return abs(ours - theirs) <= Decimal(str(tolerance)) * theirs
