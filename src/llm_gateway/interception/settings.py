"""The settings of one cassette, in addition to its mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llm_gateway.cassettes.match import Normalize
from llm_gateway.interception.call_guard import CallGuard

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings of a cassette, in addition to its mode.

    Attributes:
        environ: Where the values of secrets are looked up, to keep them out of the file.

        ignore_hosts: Hosts whose calls pass through, neither recorded nor replayed.

        allow_unused: Whether recorded exchanges may stay unused.

        normalize: Applied to requests before they are compared, live and recorded ones alike.

        before_save: Applied to each request that is written.

        guards: Called before each call that would reach a provider.

        chunks: How replayed streams are cut: see `llm_gateway.cassettes.chunks.split`. As they were when None.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    ignore_hosts: frozenset[str] = frozenset()
    allow_unused: bool = False
    normalize: Normalize | None = None
    before_save: Normalize | None = None
    guards: Sequence[CallGuard] = ()
    chunks: str | int | None = None
