"""The hook for this package's own runs of ``claude``: replayed in place, and marked where a cassette has them."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any

from llm_gateway.interception.hooks.process import holder_for, start_replay
from llm_gateway.interception.script import ProcessSession
from llm_gateway.record import RecordHolder
from llm_gateway.types import ProcessReply, ProcessRequest

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["install"]


def install(module: ModuleType) -> None:
    """Wrap what ends a run in *module*, which is ``llm_gateway.transport.process``."""
    here: Any = module
    if hasattr(here.run, "__wrapped__"):
        return
    here.run, here.arun = _run(here.run), _arun(here.arun)
    here.RunningProcess.finish = _finish(here.RunningProcess.finish)
    here.AsyncRunningProcess.finish = _afinish(here.AsyncRunningProcess.finish)


def _run(real: Any) -> Any:
    @functools.wraps(real)
    def run(request: ProcessRequest, **options: Any) -> ProcessReply:
        session = start_replay(request)
        if session is not None:
            return _play(session, request)
        return _held(request, real(request, **options))

    return run


def _arun(real: Any) -> Any:
    @functools.wraps(real)
    async def arun(request: ProcessRequest, **options: Any) -> ProcessReply:
        return _held(request, await real(request, **options))

    return arun


def _finish(real: Any) -> Any:
    @functools.wraps(real)
    def finish(running: Any, *limits: Any) -> ProcessReply:
        return _held(running.request, real(running, *limits))

    return finish


def _afinish(real: Any) -> Any:
    @functools.wraps(real)
    async def finish(running: Any, *limits: Any) -> ProcessReply:
        return _held(running.request, await real(running, *limits))

    return finish


def _held(request: ProcessRequest, reply: ProcessReply) -> ProcessReply:
    """Return *reply* with the holder of its run, where a cassette records or replays that."""
    return dataclasses.replace(reply, holder=holder_for(request))


def _play(session: ProcessSession, request: ProcessRequest) -> ProcessReply:
    session.feed(request.stdin)
    session.feed(b"")
    frames = session.output()
    written = {name: b"".join(one.data for one in frames if one.channel == name) for name in ("stdout", "stderr")}
    return ProcessReply(session.exit_code or 0, written["stdout"], written["stderr"], RecordHolder())
