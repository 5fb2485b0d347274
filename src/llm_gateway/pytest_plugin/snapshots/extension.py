"""How syrupy writes, reads and compares: its own files and flags, the canonical form as their text."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# syrupy is an extra: where types are checked it need not be installed
from syrupy.extensions.amber import (  # pyright: ignore[reportMissingImports]
    AmberSnapshotExtension,  # pyright: ignore[reportUnknownVariableType]
)

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.canonical import Rules, tree
from llm_gateway.pytest_plugin.snapshots.shape import fits, shape
from llm_gateway.pytest_plugin.snapshots.text import read, write
from llm_gateway.pytest_plugin.snapshots.usage import settled
from llm_gateway.redaction.verify import find_secrets

__all__ = ["LLMSnapshotExtension", "Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """How one snapshot is taken and compared."""

    mask: Sequence[str] = ()
    shape: bool | None = None
    """Structure only, or values; None compares values, and structure in a live run."""
    usage: float = 0
    """By which part of itself a number of tokens or dollars may differ."""
    is_live: bool = False

    @property
    def compares_shape(self) -> bool:
        """Whether values may differ."""
        return self.is_live if self.shape is None else self.shape


class LLMSnapshotExtension(AmberSnapshotExtension):  # pyright: ignore[reportUntypedBaseClass]
    """One ``.llm`` file for each test module, beside the ``.ambr`` of syrupy's own snapshots."""

    file_extension = "llm"

    def __init__(self, options: Options = Options()) -> None:
        self.options = options

    def serialize(self, data: Any, **filters: Any) -> str:
        """The text that is stored: of the value, or of its shape where that was asked for."""
        node = tree(data, Rules(self.options.mask, **filters))
        text = write(shape(node) if self.options.shape else node)
        _refuse_secrets(text)
        return text

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        """Whether what was received is what is stored, as far as the options look."""
        if self.options.compares_shape:
            return fits(shape(read(serialized_data)), shape(read(snapshot_data)))
        return bool(settled(serialized_data, snapshot_data, self.options.usage) == snapshot_data)

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """Only what made the two differ: no values where shapes are compared, no usage that is near enough."""
        if self.options.compares_shape:
            pair = [write(shape(read(text))) if text else "" for text in (serialized_data, snapshot_data)]
            yield from super().diff_lines(*pair)
        else:
            ours = settled(serialized_data, snapshot_data, self.options.usage)
            yield from super().diff_lines(ours, snapshot_data)


def _refuse_secrets(text: str) -> None:
    found = find_secrets(text, os.environ)
    if found:
        raise SnapshotError(
            f"a snapshot would hold what looks like a secret: {found[0].masked!r}",
            cause=f"{found[0].kind}, in line {found[0].line} of the snapshot; nothing was written",
            fix="mask the member that holds it: llm_snapshot(mask=['name'])",
        )
