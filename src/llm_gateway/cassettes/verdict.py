"""What a test fails with that called what was not recorded, or left what was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llm_gateway.cassettes.diagnosis import nearest_text, summary
from llm_gateway.cassettes.document import shown
from llm_gateway.cassettes.match import Normalize
from llm_gateway.cassettes.playback import Playback
from llm_gateway.exceptions import CassetteMissError, CassetteUnusedError, FakeScriptError
from llm_gateway.types import WireRequest

__all__ = ["claimed_twice", "forked", "left_unused", "missed"]

_MOST = 5


def missed(
    path: Path, playback: Playback | None, request: WireRequest, normalize: Normalize | None, command: str
) -> CassetteMissError:
    """The error for a *request* that finds no recording; *command* would record it."""
    known = playback.recorded() if playback else []
    if playback is not None and not playback.exists:
        cause = f"there is no cassette {shown(path)} yet"
    else:
        used = sum(one.is_used for one in known)
        cause = f"in {shown(path)} ({len(known)} recorded, {used} already used)\n"
        cause += nearest_text(request, known, normalize)
    return CassetteMissError(f"no recording matches {summary(request)}", cause=cause, fix=f"to record it: {command}")


def forked(request: WireRequest) -> CassetteMissError:
    """The error for a *request* of a process that shares no memory with the test."""
    return CassetteMissError(
        f"{summary(request)} was called in a forked process",
        cause="a fork cannot tell the test what it called",
        fix="to record it: call it in the test's own process, in a thread or a task",
    )


def left_unused(path: Path, playback: Playback, command: str) -> CassetteUnusedError | None:
    """The error for recorded exchanges that nobody asked for; None when all were used."""
    left = [f"#{one.number} {summary(one.request)}" for one in playback.recorded() if not one.is_used]
    left += [f"command {' '.join(run.argv)[:60]!r}" for run in playback.processes_left()]
    if not left:
        return None
    return CassetteUnusedError(
        f"{len(left)} of {len(playback)} recorded exchanges were not used in {shown(path)}",
        cause="not asked for: " + ", ".join(_few(left)),
        fix=f"to record it again: {command}\nto accept it: @pytest.mark.llm(allow_unused=True)",
    )


def _few(items: Sequence[str]) -> list[str]:
    return [*items[:_MOST], f"and {len(items) - _MOST} more"] if len(items) > _MOST else list(items)


def claimed_twice(path: Path, what: str, recorded: str) -> FakeScriptError:
    """The error for a call that a file and a script would answer: whichever won, the other would seem unused."""
    return FakeScriptError(
        f"both fake_llm and {shown(path)} would answer {what}",
        cause=f"the cassette holds {recorded}, and fake_llm answers every model's calls",
        fix="delete the cassette, or name who is faked: fake_llm.only('anthropic')",
    )
