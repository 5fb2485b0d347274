"""Single values: as they are where text shows them exactly, as a mark where it would not."""

from __future__ import annotations

import datetime as dt
import decimal
import hashlib
import math
import pathlib
import uuid
from typing import Any

from llm_gateway.pytest_plugin.snapshots.mark import Mark

__all__ = ["NOT_A_LEAF", "leaf"]

NOT_A_LEAF = object()
_MOST_CHARACTERS = 50_000
_MOST_BYTES = 32
_MOST_BITS = 4_096  # Python refuses to print integers of many digits


def leaf(value: Any) -> Any:
    """*value* as a snapshot shows it, or `NOT_A_LEAF` where it has parts or is no data at all."""
    if value is None or isinstance(value, bool | Mark):
        return value
    if isinstance(value, str):
        return _text(str.__str__(value))
    if isinstance(value, int):
        return _integer(int(value))
    if isinstance(value, float):
        return _real(float(value))
    return _special(value)


def _text(text: str) -> Any:
    if len(text) <= _MOST_CHARACTERS:
        return text
    return Mark(f"<{len(text)} characters, {_digest(text.encode('utf-8', 'surrogatepass'))}>")


def _integer(number: int) -> Any:
    bits = number.bit_length()
    return number if bits <= _MOST_BITS else Mark(f"<integer of {bits} bits, {_digest(b'%x' % number)}>")


def _real(number: float) -> Any:
    return number if math.isfinite(number) else Mark(f"<{number}>")  # NaN is not equal to itself; its mark is


def _special(value: Any) -> Any:
    found: Any = NOT_A_LEAF
    match value:
        case decimal.Decimal():
            found = Mark(f"<decimal {value}>")
        case dt.date() | dt.time():  # a datetime is a date
            found = Mark(f"<{type(value).__name__} {value.isoformat()}>")
        case dt.timedelta():
            found = Mark(f"<timedelta {value}>")
        case uuid.UUID():
            found = str(value)
        case pathlib.PurePath():
            found = value.as_posix()
        case bytes() | bytearray() | memoryview():
            found = _binary(bytes(value))
        case _ if hasattr(type(value), "get_secret_value"):
            found = Mark("<secret>")
    return found


def _binary(data: bytes) -> Mark:
    shown = data.hex() if len(data) <= _MOST_BYTES else _digest(data)
    return Mark(f"<{len(data)} bytes, {shown}>" if data else "<0 bytes>")


def _digest(data: bytes) -> str:
    return f"sha256 {hashlib.sha256(data).hexdigest()[:16]}"
