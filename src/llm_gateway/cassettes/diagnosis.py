"""The errors for calls without a recording and for recordings without a call, with what came nearest to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_gateway.cassettes.document import shown
from llm_gateway.cassettes.match import Normalize, canonical_body, key, place
from llm_gateway.exceptions import CassetteMissError, CassetteUnusedError, FakeScriptError
from llm_gateway.types import WireRequest

__all__ = [
    "Difference",
    "Recorded",
    "claimed_twice",
    "differences",
    "forked",
    "json_differences",
    "left_unused",
    "missed",
    "nearest_text",
    "no_recording",
    "summary",
]

_MOST_SHOWN = 5
_MOST_COMPARED = 50
_WIDTH = 60


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recorded request, its number in the file (from 1) and whether it was used already."""

    number: int
    request: WireRequest
    is_used: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """Where two requests differ: a path such as ``messages[0].content`` and both values as text."""

    path: str
    asked: str
    recorded: str

    def __str__(self) -> str:
        return f"{self.path}: {self.asked} != {self.recorded}"


def missed(request: WireRequest, recorded: Sequence[Recorded], path: Path, normalize: Normalize | None) -> str:
    """Return why *request* finds none of the *recorded* requests of the file at *path*."""
    used = sum(one.is_used for one in recorded)
    nearest = nearest_text(request, recorded, normalize)
    return f"in {shown(path)} ({len(recorded)} recorded, {used} already used)\n{nearest}"


def no_recording(request: WireRequest, cause: str, command: str) -> CassetteMissError:
    """Return the error for a *request* that finds no recording; *command* would record it."""
    return CassetteMissError(f"no recording matches {summary(request)}", cause=cause, fix=f"to record it: {command}")


def forked(request: WireRequest) -> CassetteMissError:
    """Return the error for a *request* of a process that shares no memory with the test."""
    return CassetteMissError(
        f"{summary(request)} was called in a forked process",
        cause="a fork cannot report to the test what it called",
        fix="to record it: call it in the test's own process, in a thread or a task",
    )


def left_unused(path: Path, left: Sequence[str], count: int, command: str) -> CassetteUnusedError:
    """Return the error for the exchanges *left*, of *count* in the file at *path*, that no call asked for."""
    few = [*left[:_MOST_SHOWN], f"and {len(left) - _MOST_SHOWN} more"] if len(left) > _MOST_SHOWN else left
    return CassetteUnusedError(
        f"{len(left)} of {count} recorded exchanges were not used in {shown(path)}",
        cause="not asked for: " + ", ".join(few),
        fix=f"to record it again: {command}\nto accept it: @pytest.mark.llm(allow_unused=True)",
    )


def claimed_twice(path: Path, what: str, recorded: str) -> FakeScriptError:
    """Return the error for a call that a file and a script would answer: the other would seem unused."""
    return FakeScriptError(
        f"both fake_llm and {shown(path)} would answer {what}",
        cause=f"the cassette holds {recorded}, and fake_llm answers every model's calls",
        fix="delete the cassette, or name who is faked: fake_llm.only('anthropic')",
    )


def nearest_text(asked: WireRequest, recorded: Sequence[Recorded], normalize: Normalize | None = None) -> str:
    """One or more lines on the recorded request that is closest to *asked*, both as they are compared."""
    if not recorded:
        return "nothing is recorded yet"
    if normalize is not None:
        asked = normalize(asked)
        recorded = [replace(one, request=normalize(one.request)) for one in recorded]
    same = [one for one in recorded if key(one.request) == key(asked)]
    if same:
        used = ", ".join(f"#{one.number}" for one in same)
        return f"the same request was recorded {_times(len(same))} ({used}) and each recording was used already"
    ranked = sorted(recorded, key=lambda one: _distance(asked, one))[:_MOST_COMPARED]
    found = [(len(changes := list(differences(asked, one.request))), one, changes) for one in ranked]
    _, nearest, changes = min(found, key=lambda row: (_is_elsewhere(asked, row[1]), row[0], row[1].is_used))
    lines = [f"nearest: #{nearest.number}{' (used already)' if nearest.is_used else ''}, differs in {changes[0]}"]
    lines += [f"         and in {change}" for change in changes[1:_MOST_SHOWN]]
    if len(changes) > _MOST_SHOWN:
        lines.append(f"         and in {len(changes) - _MOST_SHOWN} more places")
    return "\n".join(lines)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _is_elsewhere(asked: WireRequest, one: Recorded) -> bool:
    return place(asked.url)[:2] != place(one.request.url)[:2] or asked.method.upper() != one.request.method


def _distance(asked: WireRequest, one: Recorded) -> tuple[bool, int]:
    return _is_elsewhere(asked, one), abs(len(asked.body) - len(one.request.body))


def differences(asked: WireRequest, recorded: WireRequest) -> Iterator[Difference]:
    """Every difference between two requests, the place first, then the body by JSON path."""
    if asked.method.upper() != recorded.method:
        yield Difference("method", asked.method.upper(), recorded.method)
    for name, left, right in zip(("host", "path", "query"), place(asked.url), place(recorded.url), strict=True):
        if left != right:
            yield Difference(name, left, right)
    yield from _body_differences(canonical_body(asked), canonical_body(recorded))


def _body_differences(asked: bytes, recorded: bytes) -> Iterator[Difference]:
    if asked == recorded:
        return
    try:
        yield from json_differences("", json.loads(asked), json.loads(recorded))
    except ValueError:
        yield Difference("body", _short(asked.decode("utf-8", "replace")), _short(recorded.decode("utf-8", "replace")))


def json_differences(path: str, asked: Any, recorded: Any) -> Iterator[Difference]:
    """Every difference between two JSON values that stand at *path*."""
    if isinstance(asked, dict) and isinstance(recorded, dict):
        for name in [*asked, *(name for name in recorded if name not in asked)]:
            below = f"{path}.{name}" if path else name
            yield from _member_differences(below, asked, recorded, name)
    elif isinstance(asked, list) and isinstance(recorded, list):
        for index, (left, right) in enumerate(zip(asked, recorded, strict=False)):
            yield from json_differences(f"{path}[{index}]", left, right)
        if len(asked) != len(recorded):
            yield Difference(path or "body", f"{len(asked)} items", f"{len(recorded)} items")
    elif asked != recorded or type(asked) is not type(recorded):
        yield Difference(path or "body", *_both(asked, recorded))


def _member_differences(path: str, asked: dict[str, Any], recorded: dict[str, Any], name: str) -> Iterator[Difference]:
    if name not in recorded:
        yield Difference(path, _short(asked[name]), "absent")
    elif name not in asked:
        yield Difference(path, "absent", _short(recorded[name]))
    else:
        yield from json_differences(path, asked[name], recorded[name])


def _both(asked: Any, recorded: Any) -> tuple[str, str]:
    """Both values, cut to where they begin to differ when they are long texts."""
    if not (isinstance(asked, str) and isinstance(recorded, str)) or max(len(asked), len(recorded)) <= _WIDTH:
        return _short(asked), _short(recorded)
    start = next(
        (i for i, (a, b) in enumerate(zip(asked, recorded, strict=False)) if a != b), min(len(asked), len(recorded))
    )
    start = max(0, start - 15)
    lead = "..." if start else ""
    return _short(lead + asked[start:]), _short(lead + recorded[start:])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 4]}...{text[-1]}"


def summary(request: WireRequest) -> str:
    """``POST api.anthropic.com/v1/messages``."""
    parts = urlsplit(request.url)
    return f"{request.method.upper()} {parts.netloc.rsplit('@', 1)[-1]}{parts.path}"
