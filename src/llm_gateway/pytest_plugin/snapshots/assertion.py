"""syrupy's assertion and extension with the canonical form, three more options, and the command in each failure."""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from syrupy.assertion import (  # pyright: ignore[reportMissingImports]
    SnapshotAssertion,  # pyright: ignore[reportUnknownVariableType]
)
from syrupy.extensions.amber import (  # pyright: ignore[reportMissingImports]
    AmberSnapshotExtension,  # pyright: ignore[reportUnknownVariableType]
)

from llm_gateway.exceptions import GatewayError, SnapshotError
from llm_gateway.pytest_plugin.snapshots.text import has_shape, read, shape, with_stored_usage, write
from llm_gateway.pytest_plugin.snapshots.tree import tree
from llm_gateway.redaction.verify import find_secrets

__all__ = ["LLMSnapshot", "LLMSnapshotExtension", "Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """Settings of one comparison; `LLMSnapshot.__call__` describes the first three."""

    mask: Sequence[str] = ()
    shape: bool | None = None
    usage: float = 0
    is_live: bool = False

    @property
    def compares_shape(self) -> bool:
        """Return True where values may differ: as *shape* sets it, and without it in a live run."""
        return self.is_live if self.shape is None else self.shape


class LLMSnapshotExtension(AmberSnapshotExtension):  # pyright: ignore[reportUntypedBaseClass]
    """
    One ``.llm`` file for each test module, next to the ``.ambr`` of syrupy's own snapshots.

    Files, their names, merging and locks are syrupy's. Its JSON extension has one file for each assertion, and a
    form that cannot hold these values: see `tree`.
    """

    file_extension = "llm"

    def __init__(self, options: Options = Options()) -> None:
        self.options = options

    def serialize(self, data: Any, **filters: Any) -> str:
        """
        Return the text to store: of the value, or of its shape with ``shape=True``.

        Raises:
            SnapshotError: It cannot be written, or would hold a secret.
        """
        node = tree(data, mask=self.options.mask, **filters)
        text = write(shape(node) if self.options.shape else node)
        found = find_secrets(text, os.environ)
        if found:
            raise SnapshotError(
                f"a snapshot would hold what looks like a secret: {found[0].masked!r}",
                cause=f"{found[0].kind}, in line {found[0].line} of the snapshot; nothing was written",
                fix="mask the field that holds it: llm_snapshot(mask=['name'])",
            )
        return text

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        """Compare what was received with what is stored, as the options set it."""
        if self.options.compares_shape:
            return has_shape(shape(read(serialized_data)), shape(read(snapshot_data)))
        return bool(with_stored_usage(serialized_data, snapshot_data, self.options.usage) == snapshot_data)

    def diff_lines(self, serialized_data: Any, snapshot_data: Any) -> Iterator[str]:
        """Yield only what made the two differ: no values where shapes are compared, no usage that is near enough."""
        if self.options.compares_shape:
            pair = [write(shape(read(text))) if text else "" for text in (serialized_data, snapshot_data)]
            yield from super().diff_lines(*pair)
        else:
            ours = with_stored_usage(serialized_data, snapshot_data, self.options.usage)
            yield from super().diff_lines(ours, snapshot_data)


class LLMSnapshot(SnapshotAssertion):  # pyright: ignore[reportUntypedBaseClass]
    """The `llm_snapshot` fixture."""

    accept = "pytest --snapshot-update"
    """The command that stores what was received, without the test's name."""

    @classmethod
    def derived(cls, snapshot: Any, options: Options, accept: str) -> LLMSnapshot:
        """Return one for the same test and session as syrupy's own *snapshot*."""
        made: LLMSnapshot = cls(
            session=snapshot.session,
            extension_class=functools.partial(LLMSnapshotExtension, options),
            test_location=snapshot.test_location,
            update_snapshots=snapshot.update_snapshots,
            update_new_snapshots_only=snapshot.update_new_snapshots_only,
        )
        made.accept = accept
        return made

    def __call__(
        self, *, mask: Sequence[str] = (), shape: bool | None = None, usage: float | None = None, **of_syrupy: Any
    ) -> LLMSnapshot:
        """
        Change how the next comparison is made.

        Args:
            mask: Fields to mask in addition to those that always are, by name or by the end of their path.

            shape: Store and compare names and kinds of values only; False compares values in a live run as well.

            usage: By which part numbers of tokens and dollars may differ from what is stored: 0.1 is a tenth.

            of_syrupy: ``name``, ``exclude``, ``include``, ``matcher`` and what else syrupy takes.

        Raises:
            SnapshotError: *mask* is one text, or *usage* is not from 0 up to 1.
        """
        current: Any = self.extension
        options = _changed(current.options, mask, shape, usage)
        super().__call__(extension_class=functools.partial(LLMSnapshotExtension, options), **of_syrupy)
        return self

    def __eq__(self, other: object) -> bool:
        """Compare, and keep the extension: syrupy drops the options of a call before it formats the difference."""
        self._compared: Any = self.extension
        return bool(super().__eq__(other))

    __hash__ = None  # type: ignore[assignment]  # as syrupy's own

    def get_assert_diff(self, **kwargs: Any) -> list[str]:
        """Return the command, first since pytest shortens long texts, and the difference; or the comparison's error."""
        result = self.executions[self.num_executions - 1]
        if isinstance(result.exception, GatewayError):
            return result.exception.report.splitlines()
        verb = "write" if result.recalled_data is None else "accept"
        current: Any = self.extension
        self._extension: Any = self._compared
        try:
            lines: list[str] = super().get_assert_diff(**kwargs)
        finally:
            self._extension = current
        return [f"to {verb} it: {self.accept} {shlex.quote(self.test_location.nodeid)}", *lines]


def _changed(options: Options, mask: Sequence[str], shape: bool | None, usage: float | None) -> Options:
    if isinstance(mask, str):
        raise SnapshotError(
            f"llm_snapshot(mask={mask!r}) is no list of names",
            cause="a text would be taken letter by letter",
            fix=f"llm_snapshot(mask=[{mask!r}])",
        )
    if usage is not None and not 0 <= usage < 1:
        raise SnapshotError(
            f"llm_snapshot(usage={usage!r}) is no part of a number",
            cause="it is at least 0, which is exact, and less than 1",
            fix="llm_snapshot(usage=0.1)  # a tenth",
        )
    return replace(
        options,
        mask=(*options.mask, *mask),
        shape=options.shape if shape is None else shape,
        usage=options.usage if usage is None else usage,
    )
