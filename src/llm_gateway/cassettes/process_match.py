"""When a run of ``claude`` is the recorded one: its arguments, and the lines that it reads. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["arguments", "is_same", "is_same_line", "is_streaming", "is_turn", "line_value", "live_id"]

# What the scrubber leaves in place of a secret: [SECRET], or the name of the variable that held it.
_WORDS = "KEYS?|TOKENS?|SECRETS?|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PASS|PAT|JWT|AUTH|COOKIE|BEARER|SIGNATURE|PWD"
_REDACTED = re.compile(rf"\[(?:[A-Z0-9]+_)*(?:{_WORDS})(?:_[A-Z0-9]+)*\]")
# Folders that differ between machines and runs: homes, and temporary folders with their numbers.
_HOME = re.compile(r"(?:/home|/Users|[A-Za-z]:\\Users)[/\\][\w.-]+|(?<![\w/])/root\b")
_TEMPORARY = re.compile(
    r"(?:/private)?(?:/var/folders/\w+/\w+/T|/var/tmp|/tmp)(?:/pytest-of-[\w.-]+)?(?:/pytest-\d+)?(?:/tmp[a-z0-9_]{8}\b)?"
)
_WHOLE_PATH = re.compile(r"(?:[A-Za-z]:)?[\\/](?:[\w.@+~-]+[\\/])+([\w.@+~-]+)")
_VARIES = ("--session-id", "--resume", "-r", "--debug-file")
_ANY = "<any>"


def arguments(argv: list[str]) -> list[Any]:
    """
    Return the arguments as they are compared.

    Without the program; ``--name=value`` apart, JSON read, paths by their last part, and values that differ on every
    run left out.
    """
    found: list[Any] = []
    for argument in argv[1:]:
        name, equals, value = argument.partition("=")
        for part in [name, value] if equals and name.startswith("--") else [argument]:
            found.append(_ANY if found and found[-1] in _VARIES else _value(part))
    return found


def _value(text: str) -> Any:
    if text[:1] in ("{", "["):
        try:
            return _plain(json.loads(text))
        except ValueError:
            pass
    return _text(text)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> str:
    """Return text without the folders of this machine; a value that is only a path becomes its last part."""
    if whole := _WHOLE_PATH.fullmatch(text):
        return f".../{whole[1]}"
    return _HOME.sub("~", _TEMPORARY.sub("<tmp>", text))


def is_streaming(argv: list[str]) -> bool:
    """Return whether the run reads JSON lines, each an input; a plain run reads all of its input first."""
    return "stream-json" in arguments(argv)[_after(argv, "--input-format") :][:1]


def _after(argv: list[str], name: str) -> int:
    compared = arguments(argv)
    return compared.index(name) + 1 if name in compared else len(compared)


def line_value(line: bytes) -> Any:
    """Return a line of input as it is compared: without the ids that differ on every run."""
    text = line.decode("utf-8", "replace").rstrip("\r\n")
    value = _value(text)
    if not isinstance(value, dict):
        return value
    dropped = {"uuid", "session_id"}
    if value.get("type") == "control_request":
        dropped.add("request_id")
    return {key: inner for key, inner in value.items() if key not in dropped}


def is_turn(line: bytes) -> bool:
    """Return whether a line is a user's message, of which the order matters."""
    value = line_value(line)
    return isinstance(value, dict) and value.get("type") == "user"


def live_id(line: bytes) -> str | None:
    """Return the id that the caller gave to its request on this line; the answer must have it."""
    if b"control_request" not in line:
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    found = value.get("request_id") if isinstance(value, dict) and value.get("type") == "control_request" else None
    return found if isinstance(found, str) else None


def is_same_line(live: bytes, recorded: bytes) -> bool:
    """Return whether two lines of input are equal as they are compared."""
    return is_same(line_value(live), line_value(recorded))


def is_same(live: Any, recorded: Any) -> bool:
    """Return whether a live value is the recorded one; what was redacted in the recording matches anything."""
    if isinstance(recorded, str) and isinstance(live, str) and _REDACTED.search(recorded):
        return re.fullmatch(r"\S{4,}".join(map(re.escape, _REDACTED.split(recorded))), live) is not None
    if isinstance(recorded, dict) and isinstance(live, dict):
        return live.keys() == recorded.keys() and all(is_same(live[key], recorded[key]) for key in live)
    if isinstance(recorded, list) and isinstance(live, list):
        return len(live) == len(recorded) and all(map(is_same, live, recorded))
    return bool(live == recorded)
