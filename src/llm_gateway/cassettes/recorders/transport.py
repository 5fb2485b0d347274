"""The hook for this package's own runs of ``claude``: replayed in place, without a process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from llm_gateway.cassettes.recorders.process import replayed
from llm_gateway.cassettes.shim.program import MISS
from llm_gateway.types import ProcessReply, ProcessRequest

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["install"]


def install(module: ModuleType) -> None:
    """Hook ``run`` of *module*, which is ``llm_gateway.transport.process``."""
    if not hasattr(module.run, "__wrapped__"):
        module.run = _run(module.run)  # type: ignore[attr-defined]


def _run(real: Any) -> Any:
    @functools.wraps(real)
    def run(request: ProcessRequest, **options: Any) -> ProcessReply:
        found = replayed(request.argv)
        return real(request, **options) if found is None else _play(*found, request)

    return run


def _play(runs: Any, argv: list[str], request: ProcessRequest) -> ProcessReply:
    player = runs.player(argv)
    player.feed(request.stdin)
    player.feed(b"")
    frames = player.output()
    if player.is_missed:
        return ProcessReply(MISS, b"", runs.missed(player).encode())
    said = {name: b"".join(data for channel, data in frames if channel == name) for name in ("stdout", "stderr")}
    return ProcessReply(player.claimed.exit_code or 0, said["stdout"], said["stderr"])
