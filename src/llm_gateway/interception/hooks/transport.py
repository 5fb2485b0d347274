"""The hook for this package's own runs of ``claude``: replayed in place, without a process."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from llm_gateway.interception.hooks.process import replayed
from llm_gateway.interception.script import ProcessSession
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
        session = replayed(request)
        return real(request, **options) if session is None else _play(session, request)

    return run


def _play(session: ProcessSession, request: ProcessRequest) -> ProcessReply:
    session.feed(request.stdin)
    session.feed(b"")
    frames = session.output()
    written = {name: b"".join(one.data for one in frames if one.channel == name) for name in ("stdout", "stderr")}
    return ProcessReply(session.exit_code or 0, written["stdout"], written["stderr"])
