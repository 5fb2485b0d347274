"""
The record of one call to a model: who was called, what it used and cost, and how it ended. Standard library only.

It is made once for each call (see `llm_gateway.cost.account`) and travels with the reply. The ``llm`` block of a
cassette, the reports of a test run, the ledger and the client's totals are made from it, with its names and its
conversions to plain data and back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, get_args

from llm_gateway.usage import COUNTS, MOST_TOKENS, TokenUsage

__all__ = [
    "ACCOUNTED",
    "EXTENSION",
    "MOST_USD",
    "CallRecord",
    "End",
    "RecordHolder",
    "Source",
    "end_from",
    "holder_of",
    "is_cost",
    "seconds_from",
]

Source = Literal["replay", "record", "live", "fake", "fault", "miss", "refused"]
"""
Who answered: a recording, a provider whose reply is being recorded, a provider, a script of the test, or an injected
fault. ``miss`` and ``refused`` are calls without an answer: no recording matched, or a limit did not allow the call.
"""
End = Literal["complete", "partial", "error"]
"""``partial``: the caller stopped reading; ``error``: the transport failed."""

EXTENSION = "llm_gateway"
"""
The name of ours in the ``extensions`` of httpx: on a request the name of the provider that the caller means, on a
response (and as an attribute of a transport error) a `RecordHolder`.
"""
MOST_USD = 10**6
"""More US dollars than any call can cost: a larger amount is not believed."""
ACCOUNTED = ("provider", "api", "model_requested", "model_served", "usage", "cost_usd", "price")
"""The fields that a cassette keeps under ``llm``, next to the facts of the exchange itself."""
_REAL = frozenset({"record", "live"})
_NOT_MADE = frozenset({"miss", "refused"})
_ZEROS: dict[str, Any] = dict.fromkeys(COUNTS, 0)
_NOTHING = TokenUsage(**_ZEROS)
_KINDS = {
    "connect": "connection",
    "connect_timeout": "timeout",
    "read_timeout": "timeout",
    "read": "connection",
    "protocol": "connection",
}
_MOST_PARTS = 200  # of a price row: aliases let a line of YAML stand for gigabytes
_LONGEST = 200
_MOST_SECONDS = 10**8


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """
    One request to a model, answered or not. ``None`` is not known or not reported, never zero.

    Attributes:
        provider: As in ``anthropic``; whose prices hold.

        api: The wire format, as in ``openai.chat``; None for a request that calls no model.

        model_served: The model that answered, in the provider's words.

        usage: Tokens, and the tier that sets their price.

        cost_usd: US dollars.

        price: The price row that was applied, as plain data in US dollars for a million tokens; its ``source`` is
            where it comes from.

        source: Who answered.

        status: HTTP status.

        end: How reading the reply ended.

        error: How the call failed: the transport's error (``read_timeout``), ``exit code 1`` of a command, or the kind
            of a `ProviderError` (``rate_limited``). None when it was answered.

        started_at: When the request was sent; for a replay, when it was recorded.

        duration_s: Seconds that the provider took; for a replay, when it was recorded.

        is_billed: Whether tokens may have been used. A call that is not billed cost nothing, and that is known.

        attempt: Which attempt of the client's call this was, counted from 1.

        session_id: The session of the client, or of the run of tests.

        test_id: The test that made the call.

        id: Names a call that was made for real; a ledger takes each id once.

        tags: Labels that a ledger keeps with the call.
    """

    provider: str | None = None
    api: str | None = None
    model_requested: str | None = None
    model_served: str | None = None
    usage: TokenUsage | None = None
    cost_usd: Decimal | None = None
    price: Mapping[str, Any] | None = field(default=None, hash=False)
    source: Source = "live"
    status: int | None = None
    end: End = "complete"
    error: str | None = None
    started_at: datetime | None = None
    duration_s: float | None = None
    is_billed: bool = True
    attempt: int = 1
    session_id: str | None = None
    test_id: str | None = None
    id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def model(self) -> str:
        """The model that answered, else the one that was requested."""
        return self.model_served or self.model_requested or ""

    @property
    def label(self) -> str:
        """What a reader knows the call by: its model, and what became of a call that cost nothing."""
        name = self.model or self.api or "call"
        return name if self.is_billed else f"{name} ({self.status or self.error})"

    @property
    def number(self) -> int:
        """Which attempt of the client's call this was, counted from 1."""
        return self.attempt

    @property
    def latency_s(self) -> float | None:
        """Seconds that the provider took."""
        return self.duration_s

    @property
    def is_real(self) -> bool:
        """Whether a provider was really called, so that its limits on the rate of calls hold."""
        return self.source in _REAL

    @property
    def is_made(self) -> bool:
        """Whether it was answered; a call without a recording and a refused one were not made."""
        return self.source not in _NOT_MADE

    @property
    def is_model_call(self) -> bool:
        """Whether the call was made to a model, so that it counts in every sum of tokens and cost."""
        return self.api is not None and self.source not in _NOT_MADE

    @property
    def outcome(self) -> str:
        """``ok``, or the kind of the error."""
        if self.error is None:
            return "ok"
        return "process" if self.error.startswith("exit code") else _KINDS.get(self.error, self.error)

    def charged(self) -> CallRecord:
        """Return the record with zeros where nothing was billed, since a refused call is known to cost nothing."""
        return self if self.is_billed else dataclasses.replace(self, usage=_NOTHING, cost_usd=Decimal(0))

    def to_dict(self, names: Iterable[str] | None = None) -> dict[str, Any]:
        """
        Return the fields *names*, or all of them, as plain data that JSON and YAML can hold.

        Money is text with the exact amount, a time is ISO 8601, and a usage has the counts that were reported.
        """
        values = {name: getattr(self, name) for name in (_NAMES if names is None else names)}
        if (usage := values.get("usage")) is not None:
            values["usage"] = {name: value for name in _USAGE if (value := getattr(usage, name)) is not None}
        if values.get("cost_usd") is not None:
            values["cost_usd"] = str(values["cost_usd"])
        if values.get("started_at") is not None:
            values["started_at"] = values["started_at"].isoformat()
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> CallRecord:
        """
        Read what `to_dict` wrote, whole or in part; other fields are ignored.

        Raises:
            ValueError: A field is not what `to_dict` writes; names it.
        """
        given = {name: read(name, values[name]) for name, read in _READERS.items() if values.get(name) is not None}
        return cls(**given)


class RecordHolder:
    """
    The carrier of a record on a reply that is recorded, or answered without the provider, from its head to its end.

    Attributes:
        record: None until the call has ended.

        owns_ledger: Whether the caller is to write no ledger entry: the recorder of the call writes it, or
            it was not made for real.
    """

    __slots__ = ("owns_ledger", "record")

    def __init__(self, record: CallRecord | None = None, *, owns_ledger: bool = True) -> None:
        self.record = record
        self.owns_ledger = owns_ledger


def holder_of(carrier: Any) -> RecordHolder | None:
    """Return the holder that a response of httpx carries, or a transport error; None where it has none."""
    found = getattr(carrier, "extensions", {}).get(EXTENSION) or getattr(carrier, EXTENSION, None)
    return found if isinstance(found, RecordHolder) else None


def end_from(values: Mapping[str, Any]) -> End:
    """
    Return how an exchange ended, as the block *values* of a cassette has it.

    Raises:
        ValueError: It has another value.
    """
    return _end("end", values.get("end", "complete"))


def _wrong(field_name: str, value: object, expected: str) -> ValueError:
    return ValueError(f"`llm.{field_name}` is {_brief(value)}; {expected} expected")


def _brief(value: object) -> str:
    """Return *value* in short; what may have no end, as a list of itself or megabytes of digits, by its kind."""
    if isinstance(value, int) and abs(value) >= 10**30:
        return "a number of more than 30 digits"
    return reprlib.repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def _text(field_name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise _wrong(field_name, value, "a text was")


def _end(field_name: str, value: object) -> End:
    if value not in get_args(End):
        raise _wrong(field_name, value, "complete, partial or error was")
    known: End = value  # type: ignore[assignment]
    return known


def _source(field_name: str, value: object) -> Source:
    if value not in get_args(Source):
        raise _wrong(field_name, value, f"one of {', '.join(get_args(Source))} was")
    known: Source = value  # type: ignore[assignment]
    return known


def _usage(field_name: str, value: object) -> TokenUsage | None:
    if not value:
        return None
    if not isinstance(value, dict):
        raise _wrong(field_name, value, "a mapping was")
    return TokenUsage(**{name: _count(name, count) for name, count in value.items()})


def _count(name: object, value: object) -> Any:
    if name == "service_tier":
        return None if value is None else _text("usage.service_tier", value)
    if name not in COUNTS:
        raise ValueError(f"`llm.usage` has {_brief(name)}; it can have {', '.join(sorted(COUNTS))}, service_tier")
    if type(value) is not int or not 0 <= value <= MOST_TOKENS:
        raise _wrong(f"usage.{name}", value, f"a whole number from 0 to {MOST_TOKENS:,} was")
    return value


def is_cost(amount: Decimal) -> bool:
    """Return whether *amount* is US dollars that a call can cost, and short when it is written without an exponent."""
    _, digits, exponent = amount.as_tuple()
    is_short = isinstance(exponent, int) and -60 <= exponent <= 12 and len(digits) <= 60
    return is_short and 0 <= amount <= MOST_USD


def _cost(field_name: str, value: object) -> Decimal:
    """Return the amount in *value*, which has to be finite, and short when it is written without an exponent."""
    if isinstance(value, str | float) or (isinstance(value, int) and abs(value) <= MOST_USD):
        with contextlib.suppress(InvalidOperation):
            cost = Decimal(str(value))
            if is_cost(cost):
                return cost
    raise _wrong(field_name, value, f"US dollars from 0 to {MOST_USD:,} were")


def _price(field_name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not _is_plain(value):
        raise _wrong(field_name, value, f"a mapping of at most {_MOST_PARTS} short texts and numbers was")
    return value


def _is_plain(row: dict[Any, Any]) -> bool:
    rest: list[Any] = [row]
    for _ in range(_MOST_PARTS):
        if not rest:
            return True
        one = rest.pop()
        if not isinstance(one, dict | list):
            if not _is_leaf(one):
                return False
        elif len(one) > _MOST_PARTS or (isinstance(one, dict) and not set(map(type, one)) <= {str}):
            return False
        else:
            rest += one.values() if isinstance(one, dict) else one
    return not rest


def _is_leaf(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONGEST
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) <= MOST_TOKENS)


def _whole(field_name: str, value: object) -> int:
    if type(value) is not int or abs(value) > MOST_TOKENS:
        raise _wrong(field_name, value, "a whole number was")
    return value


def seconds_from(field_name: str, value: object) -> float:
    """
    Return a duration in seconds, as a cassette has it under *field_name*.

    Raises:
        ValueError: It is no number of seconds that a call can take.
    """
    try:
        seconds = float(str(value))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= _MOST_SECONDS:
        raise _wrong(field_name, value, f"seconds from 0 to {_MOST_SECONDS:,} were")
    return seconds


def _flag(field_name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(field_name, value, "true or false was")
    return value


def _time(field_name: str, value: object) -> datetime:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise _wrong(field_name, value, "a time in ISO 8601 was") from None


def _tags(field_name: str, value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for pair in value.items() for text in pair):
        raise _wrong(field_name, value, "a mapping of texts was")
    return value


_READERS: dict[str, Any] = {
    "provider": _text,
    "api": _text,
    "model_requested": _text,
    "model_served": _text,
    "usage": _usage,
    "cost_usd": _cost,
    "price": _price,
    "source": _source,
    "status": _whole,
    "end": _end,
    "error": _text,
    "started_at": _time,
    "duration_s": seconds_from,
    "is_billed": _flag,
    "attempt": _whole,
    "session_id": _text,
    "test_id": _text,
    "id": _text,
    "tags": _tags,
}
_NAMES = tuple(_READERS)
_USAGE = (*COUNTS, "service_tier")
