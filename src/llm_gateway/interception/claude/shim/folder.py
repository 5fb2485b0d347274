"""The folder that the shim shares with the test's own process: recorded runs in, live runs and misses out."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llm_gateway.interception.claude.shim.player import Run

__all__ = ["Folder", "Log", "to_plan"]


class Folder:
    """
    The files of one open cassette.

    ``plan.json`` holds what to do, ``claim-N`` marks recorded run N as used, ``miss-*`` holds a diagnosis, and
    ``run-*`` the frames of a live run as they came.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def plan(self) -> dict[str, Any]:
        """Return the plan: ``mode`` (replay, record, new), ``runs``, and texts for a diagnosis."""
        read: dict[str, Any] = json.loads((self.path / "plan.json").read_bytes())
        return read

    def write_plan(self, plan: dict[str, Any]) -> None:
        """Write the plan."""
        (self.path / "plan.json").write_text(json.dumps(plan), "utf-8")

    def all_runs(self) -> list[Run]:
        """Return the recorded runs."""
        return [_run(raw) for raw in self.plan()["runs"]]

    def runs(self) -> list[Run]:
        """Return the recorded runs that are not claimed."""
        claimed = self.claimed()
        return [run for run in self.all_runs() if run.number not in claimed]

    def claim(self, run: Run) -> bool:
        """Claim *run*, and return False if it is claimed already."""
        try:
            os.close(os.open(self.path / f"claim-{run.number}", os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def claimed(self) -> set[int]:
        """Return the numbers of the recorded runs that are claimed."""
        return {int(file.name.removeprefix("claim-")) for file in self.path.glob("claim-*")}

    def write_miss(self, text: str) -> None:
        """Write a diagnosis for the test's own process."""
        (self.path / f"miss-{os.getpid()}-{time.monotonic_ns()}").write_text(text, "utf-8")

    def misses(self) -> Iterator[str]:
        """Yield the diagnoses, in the order of their file names."""
        for file in sorted(self.path.glob("miss-*")):
            yield file.read_text("utf-8")


class Log:
    """The frames of one live run, appended as they come: a run that is killed has lost nothing."""

    def __init__(self, folder: Path, argv: list[str]) -> None:
        path = folder / f"run-{time.time_ns()}-{os.getpid()}"
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._start = time.monotonic()
        self._write({"argv": argv})

    def frame(self, channel: str, data: bytes) -> None:
        """Append the bytes of a channel; none are its end."""
        at_s = round(time.monotonic() - self._start, 4)
        self._write({"channel": channel, "data": base64.b64encode(data).decode(), "at_s": at_s})

    def end(self, exit_code: int) -> None:
        """Append the exit code."""
        self._write({"exit_code": exit_code, "at_s": round(time.monotonic() - self._start, 4)})

    def _write(self, entry: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(entry).encode() + b"\n")


def to_plan(run: Run) -> dict[str, Any]:
    """Return *run* as the plan holds it."""
    frames = [(channel, base64.b64encode(data).decode()) for channel, data in run.frames]
    return {**run._asdict(), "frames": frames}


def _run(raw: dict[str, Any]) -> Run:
    frames = [(channel, base64.b64decode(data)) for channel, data in raw["frames"]]
    return Run(raw["number"], raw["argv"], frames, raw["stdin_closed"], raw["exit_code"])
