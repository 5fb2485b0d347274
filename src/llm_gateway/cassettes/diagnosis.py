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
    """A difference between two requests: a path such as ``messages[0].content``, and both values as text."""

    path: str
    actual: str
    recorded: str

    def __str__(self) -> str:
        return f"{self.path}: {self.actual} != {self.recorded}"


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
    """Return the error for the exchanges *left*, of *count* in the file at *path*, that no call used."""
    few = [*left[:_MOST_SHOWN], f"and {len(left) - _MOST_SHOWN} more"] if len(left) > _MOST_SHOWN else left
    return CassetteUnusedError(
        f"{len(left)} of {count} recorded exchanges were not used in {shown(path)}",
        cause="never requested: " + ", ".join(few),
        fix=f"to record it again: {command}\nto accept it: @pytest.mark.llm(allow_unused=True)",
    )


def claimed_twice(path: Path, what: str, recorded: str) -> FakeScriptError:
    """Return the error for a call that a file and a script would answer: the other would seem unused."""
    return FakeScriptError(
        f"both fake_llm and {shown(path)} would answer {what}",
        cause=f"the cassette holds {recorded}, and fake_llm answers every model's calls",
        fix="delete the cassette, or name who is faked: fake_llm.only('anthropic')",
    )


def nearest_text(request: WireRequest, recorded: Sequence[Recorded], normalize: Normalize | None = None) -> str:
    """Return lines on the recorded request that is closest to *request*, both as they are compared."""
    if not recorded:
        return "nothing is recorded yet"
    if normalize is not None:
        request = normalize(request)
        recorded = [replace(one, request=normalize(one.request)) for one in recorded]
    same = [one for one in recorded if key(one.request) == key(request)]
    if same:
        used = ", ".join(f"#{one.number}" for one in same)
        return f"the same request was recorded {_times(len(same))} ({used}) and each recording was used already"
    ranked = sorted(recorded, key=lambda one: _distance(request, one))[:_MOST_COMPARED]
    found = [(len(changes := list(differences(request, one.request))), one, changes) for one in ranked]
    _, nearest, changes = min(found, key=lambda row: (_is_elsewhere(request, row[1]), row[0], row[1].is_used))
    lines = [f"nearest: #{nearest.number}{' (used already)' if nearest.is_used else ''}, differs in {changes[0]}"]
    lines += [f"         and in {change}" for change in changes[1:_MOST_SHOWN]]
    if len(changes) > _MOST_SHOWN:
        lines.append(f"         and in {len(changes) - _MOST_SHOWN} more places")
    return "\n".join(lines)


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _is_elsewhere(request: WireRequest, one: Recorded) -> bool:
    return place(request.url)[:2] != place(one.request.url)[:2] or request.method.upper() != one.request.method


def _distance(request: WireRequest, one: Recorded) -> tuple[bool, int]:
    return _is_elsewhere(request, one), abs(len(request.body) - len(one.request.body))


def differences(request: WireRequest, recorded: WireRequest) -> Iterator[Difference]:
    """Yield every difference between two requests, the address first, then the body by JSON path."""
    if request.method.upper() != recorded.method:
        yield Difference("method", request.method.upper(), recorded.method)
    for name, left, right in zip(("host", "path", "query"), place(request.url), place(recorded.url), strict=True):
        if left != right:
            yield Difference(name, left, right)
    yield from _body_differences(canonical_body(request), canonical_body(recorded))


def _body_differences(actual: bytes, recorded: bytes) -> Iterator[Difference]:
    if actual == recorded:
        return
    try:
        yield from json_differences("", json.loads(actual), json.loads(recorded))
    except ValueError:
        yield Difference("body", _short(actual.decode("utf-8", "replace")), _short(recorded.decode("utf-8", "replace")))


def json_differences(path: str, actual: Any, recorded: Any) -> Iterator[Difference]:
    """Yield every difference between two JSON values at *path*."""
    if isinstance(actual, dict) and isinstance(recorded, dict):
        for name in [*actual, *(name for name in recorded if name not in actual)]:
            below = f"{path}.{name}" if path else name
            yield from _field_differences(below, actual, recorded, name)
    elif isinstance(actual, list) and isinstance(recorded, list):
        for index, (left, right) in enumerate(zip(actual, recorded, strict=False)):
            yield from json_differences(f"{path}[{index}]", left, right)
        if len(actual) != len(recorded):
            yield Difference(path or "body", f"{len(actual)} items", f"{len(recorded)} items")
    elif actual != recorded or type(actual) is not type(recorded):
        yield Difference(path or "body", *_both(actual, recorded))


def _field_differences(path: str, actual: dict[str, Any], recorded: dict[str, Any], name: str) -> Iterator[Difference]:
    if name not in recorded:
        yield Difference(path, _short(actual[name]), "absent")
    elif name not in actual:
        yield Difference(path, "absent", _short(recorded[name]))
    else:
        yield from json_differences(path, actual[name], recorded[name])


def _both(actual: Any, recorded: Any) -> tuple[str, str]:
    """Return both values as text, long ones from where they begin to differ."""
    if not (isinstance(actual, str) and isinstance(recorded, str)) or max(len(actual), len(recorded)) <= _WIDTH:
        return _short(actual), _short(recorded)
    start = next(
        (i for i, (a, b) in enumerate(zip(actual, recorded, strict=False)) if a != b), min(len(actual), len(recorded))
    )
    start = max(0, start - 15)
    lead = "..." if start else ""
    return _short(lead + actual[start:]), _short(lead + recorded[start:])


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 4]}...{text[-1]}"


def summary(request: WireRequest) -> str:
    """Return a request in short, as in ``POST api.anthropic.com/v1/messages``."""
    parts = urlsplit(request.url)
    return f"{request.method.upper()} {parts.netloc.rsplit('@', 1)[-1]}{parts.path}"
