"""One run of ``claude``, replayed or recorded: ``python -ISE <this folder> FOLDER PROGRAM ARGUMENT...``."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

from llm_gateway.interception.claude.shim.diagnosis import diagnosis
from llm_gateway.interception.claude.shim.folder import Folder, Log
from llm_gateway.interception.claude.shim.player import Player
from llm_gateway.interception.claude.shim.stdio import EXIT_MISS, read, write

__all__ = ["end", "main", "real_program"]


def main() -> int:
    """Answer one run, and return the exit code, negative for a signal."""
    folder, argv = Folder(Path(sys.argv[1])), sys.argv[2:]
    plan = folder.plan()
    if "rejection" in plan:
        return _reject(folder, plan["rejection"])
    if "printed" in plan:
        shutil.rmtree(folder.path, ignore_errors=True)
        write(1, plan["printed"].encode())
        return int(plan["exit_code"])
    if "control_socket" in plan and (code := _relayed(plan["control_socket"], argv)) is not None:
        return code
    return _live(folder, argv) if plan["mode"] == "record" else _replayed(folder, plan, argv)


def _replayed(folder: Folder, plan: dict[str, Any], argv: list[str]) -> int:
    player = Player(folder.runs(), argv, folder.claim)
    taken = _play(player)
    if not player.is_missed:
        return _end(player)
    if plan["mode"] == "new" and not player.has_released:
        return _live(folder, argv, taken)
    return _missed(folder, diagnosis(player, folder.all_runs(), folder.claimed(), plan))


def _relayed(address: dict[str, Any], argv: list[str]) -> int | None:
    from llm_gateway.interception.claude.shim.relay import relay

    return relay(address, argv)


def _play(player: Player) -> bytes:
    """Replay until the recording ends or no longer matches, and return the input that was read."""
    taken = b""
    while True:
        for channel, data in player.output():
            write(1 if channel == "stdout" else 2, data)
        if player.is_done:
            return taken
        data = read()
        taken += data
        player.feed(data)


def _end(player: Player) -> int:
    assert player.claimed is not None
    code = player.claimed.exit_code
    parent = os.getppid()
    while code is None and os.getppid() == parent:  # it was killed when it was recorded: wait for that again
        time.sleep(0.05)
    return code or 0


def _live(folder: Folder, argv: list[str], before: bytes = b"") -> int:
    from llm_gateway.interception.claude.shim.tee import tee

    program = real_program(argv[0], folder)
    if program is None:
        write(2, f"{argv[0]}: not found\n".encode())
        return 127
    return tee(program, argv, Log(folder.path, argv), before)


def real_program(name: str, folder: Folder) -> str | None:
    """Return the real program of that *name*, which is not the shim on the search path; None if there is none."""
    if name != Path(name).name and Path(name).parent != folder.path / "bin":
        return name
    places = [place for place in os.get_exec_path() if Path(place) != folder.path / "bin"]
    return shutil.which(Path(name).name, path=os.pathsep.join(places))


def _reject(folder: Folder, text: str) -> int:
    if not (folder.path / "bin").exists():  # a folder made for this run alone
        shutil.rmtree(folder.path, ignore_errors=True)
    write(2, text.encode() + b"\n")
    return EXIT_MISS


def _missed(folder: Folder, text: str) -> int:
    folder.write_miss(text)
    # The rest may hold secrets, and only the test's own process knows which: it prints them masked.
    write(2, f"CassetteMissError: no recording matches this run of claude\n{text.splitlines()[-1]}\n".encode())
    return EXIT_MISS


def end(code: int) -> NoReturn:
    """End this process as the real one ended: with its exit code, or by its signal."""
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)  # a thread may still wait for input
