"""What a test compares with: syrupy's assertion with three options more, and failures that say what to type."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from syrupy.assertion import (  # pyright: ignore[reportMissingImports]
    SnapshotAssertion,  # pyright: ignore[reportUnknownVariableType]
)

from llm_gateway.exceptions import GatewayError, SnapshotError
from llm_gateway.pytest_plugin.snapshots.extension import LLMSnapshotExtension, Options

__all__ = ["LLMSnapshot"]


class LLMSnapshot(SnapshotAssertion):  # pyright: ignore[reportUntypedBaseClass]
    """The `llm_snapshot` fixture."""

    accept = "pytest --snapshot-update"
    """The command that takes what was received for right, without the test's name."""

    @classmethod
    def beside(cls, snapshot: Any, options: Options, accept: str) -> LLMSnapshot:
        """One for the same test and session as syrupy's own *snapshot*."""
        made: LLMSnapshot = cls(
            session=snapshot.session,
            extension_class=_extension(options),
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
            mask: Members to mask besides those that always are, by name or by the end of their path.

            shape: Store and compare names and kinds of values only; False compares values in a live run as well.

            usage: By which part numbers of tokens and dollars may differ from what is stored: 0.1 is a tenth.

            of_syrupy: ``name``, ``exclude``, ``include``, ``matcher`` and what else syrupy takes.
        """
        current: Any = self.extension
        options = _changed(current.options, mask, shape, usage)
        super().__call__(extension_class=_extension(options), **of_syrupy)
        return self

    def __eq__(self, other: object) -> bool:
        """Compare, and remember how: syrupy forgets the options of a call before it asks for the difference."""
        self._compared: Any = self.extension
        return bool(super().__eq__(other))

    __hash__ = None  # type: ignore[assignment]  # as syrupy's own

    def get_assert_diff(self, **kwargs: Any) -> list[str]:
        """What to type, first, since pytest cuts long texts; what differs; or why nothing could be compared."""
        result = self.executions[self.num_executions - 1]
        if isinstance(result.exception, GatewayError):
            return result.exception.report.splitlines()
        what = "write" if result.recalled_data is None else "accept"
        current: Any = self.extension
        self._extension: Any = self._compared
        try:
            lines: list[str] = super().get_assert_diff(**kwargs)
        finally:
            self._extension = current
        return [f"to {what} it: {self.accept} {shlex.quote(self.test_location.nodeid)}", *lines]


def _extension(options: Options) -> Any:
    # syrupy makes an extension by calling its class; the options go along
    return functools.partial(LLMSnapshotExtension, options)


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
