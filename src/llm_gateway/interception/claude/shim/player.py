"""Replay recorded runs of ``claude``: output is released when the input that came before it has been read. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from llm_gateway.cassettes.process_match import (
    arguments,
    is_same,
    is_same_line,
    is_streaming,
    is_turn,
    live_id,
)

__all__ = ["FailedPlayer", "Player", "Run"]


class Run(NamedTuple):
    """A recorded run; *frames* are pairs of a channel and its bytes in the order seen, *exit_code* None if killed."""

    number: int
    argv: list[str]
    frames: list[tuple[str, bytes]]
    stdin_closed: bool
    exit_code: int | None

    def inputs(self) -> list[bytes]:
        """Return what the run read: its lines, or all of it as one item if its input was not JSON lines."""
        lines = [data for channel, data in self.frames if channel == "stdin"]
        return lines if is_streaming(self.argv) or not lines else [b"".join(lines)]

    def outputs(self) -> list[tuple[str, bytes, int]]:
        """Return what the run wrote: the channel, the bytes, and how many inputs it had read by then."""
        found: list[tuple[str, bytes, int]] = []
        read = 0
        for channel, data in self.frames:
            if channel == "stdin":
                read += 1
            else:
                found.append((channel, data, read if is_streaming(self.argv) else len(self.inputs())))
        return found


class Player:
    """
    One live run, answered from the recorded ones that began with the same arguments.

    Which of them it is shows only as input arrives. Until then the first that fits is played; *claim* makes the
    choice final once all that it read has come.

    Args:
        runs: The recorded runs that are not used yet.

        argv: The arguments of the live run.

        claim: Claims a run for this one; returns False when another live run was faster.
    """

    def __init__(self, runs: list[Run], argv: list[str], claim: Callable[[Run], bool]) -> None:
        wanted = arguments(argv)
        self.argv = argv
        self.lines: list[bytes] = []
        self.claimed: Run | None = None
        self.is_over = False
        self._claim = claim
        self._fitting = [run for run in runs if is_same(wanted, arguments(run.argv))]
        self._is_streaming = is_streaming(argv)
        self._buffer = b""
        self._released: dict[str, int] = {}
        """How much of each channel was handed out; how the channels are mixed differs from run to run."""
        self._matched: dict[int, bytes] = {}
        self.is_missed = False
        self._choose()

    @property
    def has_released(self) -> bool:
        """Whether any output was handed out."""
        return bool(self._released)

    @property
    def is_done(self) -> bool:
        """Whether nothing more will come: the run has ended, or none that was recorded fits."""
        if self.claimed is None or self.is_missed:
            return self.is_missed
        is_written = sum(self._released.values()) == len(self.claimed.outputs())
        return is_written and (self.is_over or not self.claimed.stdin_closed)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the input; none are its end."""
        self._buffer += data
        self.is_over = self.is_over or not data
        if self._is_streaming:
            *lines, self._buffer = self._buffer.split(b"\n")
            self.lines += [line + b"\n" for line in lines if line.strip()]
        if self.is_over and self._buffer:
            self.lines.append(self._buffer)
            self._buffer = b""
        self._choose()

    def output(self) -> list[tuple[str, bytes]]:
        """Return what is to be written now: the channel and the bytes, in order."""
        if self.is_missed or not (self._fitting and (self.claimed or self._is_streaming)):
            return []
        run = self._fitting[0]
        found: list[tuple[str, bytes]] = []
        seen: dict[str, int] = {}
        for channel, data, read in run.outputs():
            seen[channel] = seen.get(channel, 0) + 1
            if seen[channel] <= self._released.get(channel, 0):
                continue
            if not all(position in self._matched for position in range(read)):
                break
            found.append((channel, self._with_live_ids(run, data)))
            self._released[channel] = seen[channel]
        return found

    def _choose(self) -> None:
        """Drop runs that do not match the input, and claim the first that does once its input is complete."""
        while self.claimed is None and self._fitting:
            run = self._fitting[0]
            if self._fits(run) and (not self._is_whole(run) or self._claim(run)):
                self.claimed = run if self._is_whole(run) else None
                return
            self._fitting.pop(0)
        self.is_missed = self.claimed is None or not self._fits(self.claimed)

    def _fits(self, run: Run) -> bool:
        self._matched = {}
        inputs = run.inputs()
        for line in self.lines:
            position = self._place(line, inputs)
            if position is None:
                return False
            self._matched[position] = line
        return not self.is_over or len(self._matched) == len(inputs)

    def _place(self, line: bytes, inputs: list[bytes]) -> int | None:
        """Return the position of *line* among recorded inputs: messages of the user match in order, replies in any."""
        left = (at for at in range(len(inputs)) if at not in self._matched)
        if is_turn(line):
            left = (at for at in left if is_turn(inputs[at]))
            first = next(left, None)
            return first if first is not None and is_same_line(line, inputs[first]) else None
        return next((at for at in left if is_same_line(line, inputs[at])), None)

    def _is_whole(self, run: Run) -> bool:
        is_read = len(self._matched) == len(run.inputs())
        return is_read and (self._is_streaming or self.is_over or not run.stdin_closed)

    def _with_live_ids(self, run: Run, data: bytes) -> bytes:
        for position, recorded in enumerate(run.inputs()):
            old, new = live_id(recorded), live_id(self._matched.get(position, b""))
            if old and new:
                data = data.replace(old.encode(), new.encode())
        return data


class FailedPlayer(Player):
    """The player of a run that ends as *run* does, whatever it reads: all of its input, or the first of its lines."""

    def __init__(self, run: Run) -> None:
        super().__init__([run], run.argv, lambda _: True)
        self.claimed = run

    def feed(self, data: bytes) -> None:
        """Take input and ignore it."""
        self.is_over = self.is_over or not data or self._is_streaming
