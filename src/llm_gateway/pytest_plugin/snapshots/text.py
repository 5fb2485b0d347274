"""The canonical form as YAML, and back. Marks stand without quotes, texts that look like one in quotes."""

from __future__ import annotations

import re
import sys
from typing import Any

import yaml

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.mark import Mark

__all__ = ["read", "write"]

_TAG = "!mark"
_MARK = re.compile(r"<[^\n]*>$")
_ODD_ENDS = re.compile("[\r\x85\u2028\u2029]")


class _Dumper(yaml.SafeDumper):
    """PyYAML's own, in Python: the one in C breaks lines and escapes emoji elsewhere."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        """Write the same object as often as it is there."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        """Indent lists below their name."""
        super().increase_indent(flow, False)


class _Loader(yaml.SafeLoader):
    """Knows marks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_block = "\n" in text.rstrip("\n") and not text.endswith("\n\n") and not _ODD_ENDS.search(text)
    style = "|" if is_block else ('"' if "\n" in text or _ODD_ENDS.search(text) else None)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _mark(dumper: yaml.SafeDumper, mark: Mark) -> yaml.ScalarNode:
    return dumper.represent_scalar(_TAG, str(mark))


def _read_mark(_: yaml.SafeLoader, node: yaml.ScalarNode) -> Mark:
    return Mark(node.value)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Mark, _mark)
_Dumper.add_implicit_resolver(_TAG, _MARK, ["<"])
_Loader.add_implicit_resolver(_TAG, _MARK, ["<"])
_Loader.add_constructor(_TAG, _read_mark)


def write(node: Any) -> str:
    """The text of a canonical *node*, without a line feed at its end."""
    text: str = yaml.dump(node, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=sys.maxsize)
    return text.removesuffix("...\n").removesuffix("\n")


def read(text: str) -> Any:
    """
    The canonical node that `write` gave *text* for.

    Raises:
        SnapshotError: It is no YAML, as after a merge that left its markers.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader that knows one tag more
    except yaml.YAMLError as error:
        problem = " ".join(str(error).split())
        raise SnapshotError(
            "a stored snapshot cannot be read", cause=problem[:200], fix="write it anew: pytest --snapshot-update"
        ) from None
