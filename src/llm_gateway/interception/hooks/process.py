"""The hook for commands: a run of ``claude`` goes to the shim, which replays or records it."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_gateway.exceptions import GatewayError
from llm_gateway.interception import active, guard
from llm_gateway.interception.call_guard import owns_ledger
from llm_gateway.record import RecordHolder

if TYPE_CHECKING:
    from types import ModuleType

    from llm_gateway.interception.cassette import Cassette
    from llm_gateway.interception.claude.runs import Runs
    from llm_gateway.interception.script import ProcessSession
    from llm_gateway.types import ProcessRequest

__all__ = ["holder_for", "install", "install_uvloop", "prepare", "start_replay"]

_WORD = re.compile(r"(?:^|[\s;&|/\"'(`])claude(?:\.exe)?(?=$|[\s;&|\"')`])")
_EXECUTABLE = 2  # its place among the arguments of Popen
_MODEL_OPTIONS = ("-p", "--print", "--input-format")


def install(module: ModuleType) -> None:
    """Wrap ``Popen`` of *module*, which is ``subprocess``; asyncio, anyio and trio start their processes with it."""
    popen: Any = module.Popen
    if not hasattr(popen.__init__, "__wrapped__"):
        popen.__init__ = _popen(popen.__init__)


def install_uvloop(module: ModuleType) -> None:
    """Wrap the loop of *module*, which is ``uvloop``: it starts processes by itself."""
    loop: Any = module.Loop
    if not hasattr(loop.subprocess_exec, "__wrapped__"):
        loop.subprocess_exec = _subprocess_exec(loop.subprocess_exec)


def prepare(cassette: Cassette) -> None:
    """Let ``claude`` be found on the search path while *cassette* has runs of it to give, or records them."""
    cassette.on_script = prepare
    calls = cassette.processes
    has_answers = calls.has_recorded or (calls.script is not None and calls.is_scripted())
    if has_answers or (cassette.mode.connects and _exists("claude")):
        runs_of(cassette).put_on_path()


def runs_of(cassette: Cassette) -> Runs:
    """Return the shim's side of *cassette*."""
    from llm_gateway.interception.claude.runs import Runs

    runs = Runs.of(cassette)
    if cassette.processes.is_scripted():
        runs.open_control_socket()
    return runs


def start_replay(request: ProcessRequest) -> ProcessSession | None:
    """Start the session that replays *request*; None where it is no run of ``claude``, or where it runs for real."""
    cassette = active.current() if active.is_open() else None
    argv = _argv(request.argv, None)
    if cassette is None or argv is None or cassette.is_forked:
        return None
    if (session := cassette.processes.start(dataclasses.replace(request, argv=tuple(argv)))) is not None:
        return session
    return None if cassette.mode.connects else runs_of(cassette).replay(argv)


def holder_for(request: ProcessRequest) -> RecordHolder | None:
    """Return the holder of a run that a cassette records or replays; None for any other command."""
    cassette = active.current() if active.is_open() else None
    if cassette is None or _argv(request.argv, None) is None:
        return None
    is_real = cassette.mode.connects and not cassette.processes.is_scripted()
    return RecordHolder(owns_ledger=owns_ledger() or not is_real)


def _popen(real: Any) -> Any:
    @functools.wraps(real)
    def init(self: Any, *rest: Any, **options: Any) -> None:
        if active.is_open() or guard.is_closed():
            rest, options = _changed(rest, options)
        real(self, *rest, **options)

    return init


def _changed(rest: tuple[Any, ...], options: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of Popen with which a run of ``claude``, or one within the command, goes to the shim."""
    given: Any = rest[0] if rest else options.get("args")
    args = given if isinstance(given, (str, bytes, os.PathLike)) else list(given or ())  # an iterator is read once
    named = rest[_EXECUTABLE] if len(rest) > _EXECUTABLE else options.get("executable")
    argv = None if options.get("shell") else _argv(args, named)
    kept = dict(options)
    kept.pop("args", None)
    if argv and (instead := _instead(argv)):
        kept.pop("executable", None)
        return (instead, *rest[1:2], *((None, *rest[3:]) if len(rest) > _EXECUTABLE else ())), kept
    if argv is None and _mentions(args) and (search := _search_path(kept.get("env"), args)):
        kept["env"] = {**(os.environ if kept.get("env") is None else kept["env"]), "PATH": search}
    return (args, *rest[1:]), kept


def _mentions(args: Any) -> bool:
    """Return whether another command, a shell above all, may run ``claude``."""
    text = os.fsdecode(args) if isinstance(args, (str, bytes, os.PathLike)) else " ".join(map(str, args))
    return _WORD.search(text) is not None


def _search_path(env: Any, args: Any) -> str | None:
    """Return a search path on which ``claude`` is the shim, for a child that may run it; None to change nothing."""
    before = (os.environ if env is None else env).get("PATH", os.defpath)
    cassette = active.current()
    if cassette is not None:
        if cassette.mode.connects and not cassette.processes.is_scripted() and not _exists("claude"):
            return None
        return f"{runs_of(cassette).bin}{os.pathsep}{before}"
    if guard.is_closed():
        from llm_gateway.interception.claude.runs import rejecting_bin

        shown = args if isinstance(args, str) else " ".join(map(str, args))
        return f"{rejecting_bin(shown)}{os.pathsep}{before}"
    return None


def _subprocess_exec(real: Any) -> Any:
    @functools.wraps(real)
    async def subprocess_exec(self: Any, protocol_factory: Any, program: Any, *args: Any, **options: Any) -> Any:
        argv = _argv([program, *args], options.get("executable"))
        if argv and (instead := _instead(argv)):
            options.pop("executable", None)
            program, *args = instead  # type: ignore[assignment]
        return await real(self, protocol_factory, program, *args, **options)

    return subprocess_exec


def _argv(args: Any, executable: Any) -> list[str] | None:
    """Return the arguments of a run of ``claude``; None for any other command."""
    parts = [args] if isinstance(args, (str, bytes, os.PathLike)) else list(args or ())
    if not parts:
        return None
    program = os.fsdecode(executable or parts[0])
    if not program.lower().removesuffix(".exe").endswith("claude") or Path(program).stem.lower() != "claude":
        return None
    return [program, *map(os.fsdecode, parts[1:])]


def _instead(argv: list[str]) -> list[str] | None:
    """Return the command to run instead of *argv*; None to run *argv* itself."""
    cassette = active.current()
    if cassette is not None:
        return _instead_for(cassette, argv)
    if guard.is_closed() and any(argument.partition("=")[0] in _MODEL_OPTIONS for argument in argv):
        from llm_gateway.redaction.scrub import Scrubber

        shown = Scrubber(os.environ).text(" ".join(argv))
        text = guard.report_blocked(f"the command {shown[:60]!r}")
        return _rejected(text, argv)
    return None


def _instead_for(cassette: Cassette, argv: list[str]) -> list[str] | None:
    if cassette.processes.is_scripted():
        return runs_of(cassette).command(argv)
    if (failed := cassette.processes.failed(argv)) is not None:
        from llm_gateway.interception.claude.runs import failing_command

        return failing_command(failed)
    if cassette.mode.connects and not cassette.mode.reads:
        if not _exists(argv[0]):
            return None  # let the caller see the system's own error
        try:
            cassette.processes.allow()
        except GatewayError as error:
            return _rejected(error.report, argv)
    return runs_of(cassette).command(argv)


def _rejected(text: str, argv: list[str]) -> list[str]:
    from llm_gateway.interception.claude.runs import rejecting_command

    return rejecting_command(text, argv)


def _exists(program: str) -> bool:
    import shutil

    return shutil.which(program) is not None
