"""Single values as a snapshot shows them: as they are where text shows them exactly, as a mark where it would not."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import math
import pathlib
import re
import uuid
from typing import Any

__all__ = ["MASKED", "NOT_A_LEAF", "Mark", "leaf", "looks_like_id"]

NOT_A_LEAF = object()
_MOST_CHARACTERS = 50_000
_MOST_BYTES = 32
_MOST_BITS = 4_096  # Python raises ValueError when an integer of many digits is printed
_ID = re.compile(
    r"(?:msg|toolu|srvtoolu|call|chatcmpl|cmpl|resp|req|fc|ctc|rs|ws|run|step|asst|thread|gen|batch|msgbatch)"
    r"[_-](?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{6,}"
)


class Mark(str):
    """A placeholder such as ``<id 1>``; a text that only looks like one is another value, and written in quotes."""

    __slots__ = ()


MASKED = Mark("<masked>")


def looks_like_id(value: Any) -> bool:
    """Return True for an id as providers make them: a known prefix, then random characters with a digit."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def leaf(value: Any) -> Any:  # noqa: PLR0911  one line for each kind of value
    """Return *value* as a snapshot shows it, or `NOT_A_LEAF` where it has parts or is no data at all."""
    match value:
        case None | bool() | Mark():
            return value
        case str():
            return _text(str.__str__(value))
        case int():
            bits = value.bit_length()
            return int(value) if bits <= _MOST_BITS else Mark(f"<integer of {bits} bits, {_digest(b'%x' % value)}>")
        case float():  # NaN does not equal itself; its mark does
            return float(value) if math.isfinite(value) else Mark(f"<{float(value)}>")
        case uuid.UUID():
            return str(value)
        case pathlib.PurePath():
            return value.as_posix()
        case bytes() | bytearray() | memoryview():
            return _binary(bytes(value))
    return _named(value)


def _named(value: Any) -> Any:
    """Return a mark with the kind of *value*: pydantic's JSON gives texts, which a real text would equal."""
    match value:
        case decimal.Decimal():
            return Mark(f"<decimal {value}>")
        case dt.date() | dt.time():  # a datetime is a date
            return Mark(f"<{type(value).__name__} {value.isoformat()}>")
        case dt.timedelta():
            return Mark(f"<timedelta {value}>")
    return Mark("<secret>") if hasattr(type(value), "get_secret_value") else NOT_A_LEAF


def _text(text: str) -> str:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return Mark(f"<{len(text)} characters, {_digest(text.encode('utf-8', 'surrogatepass'))}>")


def _binary(data: bytes) -> Mark:
    shown = data.hex() if len(data) <= _MOST_BYTES else _digest(data)
    return Mark(f"<{len(data)} bytes, {shown}>" if data else "<0 bytes>")


def _digest(data: bytes) -> str:
    return f"sha256 {hashlib.sha256(data).hexdigest()[:16]}"
