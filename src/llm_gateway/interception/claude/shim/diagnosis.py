"""Why a run of ``claude`` found no recording. Pure."""

from __future__ import annotations

from typing import Any

from llm_gateway.cassettes.process_match import arguments, is_same_line
from llm_gateway.interception.claude.shim.player import Player, Run

__all__ = ["diagnosis"]

_WIDTH = 60


def diagnosis(player: Player, runs: list[Run], claimed: set[int], plan: dict[str, Any]) -> str:
    """Return the text of a miss: the command, the nearest recorded run with the first difference, and what to type."""
    command = _short(" ".join(["claude", *player.argv[1:]]))
    cause = f"in {plan['shown']} ({len(runs)} recorded, {len(claimed)} already used)\n" if runs else ""
    cause += _nearest(player, runs, claimed) if runs else f"no run of a command is recorded in {plan['shown']}"
    indented = cause.replace("\n", "\n  ")
    return (
        f"CassetteMissError: no recording matches the command {command!r}\n"
        f"  {indented}\n  to record it: {plan['command']}"
    )


def _nearest(player: Player, runs: list[Run], claimed: set[int]) -> str:
    wanted = arguments(player.argv)
    run = min(runs, key=lambda one: (len(_different(wanted, arguments(one.argv))), one.number in claimed))
    label = f"nearest: #{run.number + 1}"
    if different := _different(wanted, arguments(run.argv)):
        live, recorded = different[0]
        return f"{label}, differs in its arguments: {_short(live)} != {_short(recorded)}"
    for line in player.lines:
        if not any(is_same_line(line, one) for one in run.inputs()):
            unlike = next((one for one in run.inputs() if not _is_read(player, one)), b"nothing")
            return f"{label}, differs in what it reads: {_short(line.decode('utf-8', 'replace'))} != " + _short(
                unlike.decode("utf-8", "replace")
            )
    if run.number in claimed:
        return f"{label} is the same and was used already"
    return f"{label}, read {len(run.inputs())} inputs; this one ended after {len(player.lines)}"


def _is_read(player: Player, recorded: bytes) -> bool:
    return any(is_same_line(line, recorded) for line in player.lines)


def _different(live: list[Any], recorded: list[Any]) -> list[tuple[str, str]]:
    """Return the arguments that only one of both has, in pairs."""
    only_live = [str(one) for one in live if one not in recorded]
    only_recorded = [str(one) for one in recorded if one not in live]
    most = max(len(only_live), len(only_recorded))
    padded = [values + ["nothing"] * (most - len(values)) for values in (only_live, only_recorded)]
    if not most and live != recorded:
        return [(" ".join(map(str, live)), " ".join(map(str, recorded)))]
    return list(zip(*padded, strict=True))


def _short(text: str) -> str:
    text = text.rstrip("\n")
    return text if len(text) <= _WIDTH else text[: _WIDTH - 3] + "..."
