"""When each exchange of a cassette was recorded, by the clock and in the local time of who recorded it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

__all__ = ["local", "moments", "universal"]


def local(moment: datetime | None) -> str | None:
    """A moment as files hold it: in local time, with its distance from UTC."""
    return moment.astimezone().isoformat() if moment else None


def universal(text: object) -> datetime | None:
    """A moment as files hold it, in UTC; None for anything else."""
    moment = _when(text)
    return moment.astimezone(UTC) if moment else None


def _when(text: object) -> datetime | None:
    if isinstance(text, datetime):
        return text if text.tzinfo else text.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(str(text)) if text else None
    except ValueError:
        return None


def moments(entries: Iterable[Any]) -> list[datetime]:
    """
    When the exchanges began, earliest first, and at last when the last one ended; empty where the file does not say.

    What other tools recorded has the date that the provider put into its reply, in UTC.
    """
    begun = sorted((begin, _seconds(entry)) for entry in entries if (begin := _begin(entry)) is not None)
    if not begun:
        return []
    last, seconds = begun[-1]
    return [*(begin for begin, _ in begun), last + timedelta(seconds=seconds)]


def _begin(entry: Any) -> datetime | None:
    recorded = _when((entry.get("llm") or {}).get("recorded_at"))
    return recorded or _stated((entry.get("response") or {}).get("headers"))


def _stated(headers: Any) -> datetime | None:
    """The ``Date`` of a reply."""
    values = [value for name, value in (headers or {}).items() if str(name).lower() == "date"]
    first = values[0] if values else None
    try:
        said = parsedate_to_datetime(str(first[0] if isinstance(first, list) else first))
    except (ValueError, IndexError):
        return None
    return said.astimezone(UTC)


def _seconds(entry: Any) -> float:
    return float((entry.get("llm") or {}).get("duration_s") or 0)
