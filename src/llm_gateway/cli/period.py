"""Times as they are typed: ``2026-11-01``, ``2026-11-01T12:00``, or how long ago, as ``7d``."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from llm_gateway.exceptions import ConfigError

__all__ = ["parse_time"]

_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str, option: str, *, now: datetime) -> date | datetime:
    """
    Return the date or the time that *text* is; a time without a zone is in UTC.

    Raises:
        ConfigError: It is none; names *option*.
    """
    try:
        if ago := re.fullmatch(r"(\d+)([hdw])", text):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        stated = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} {text!r} is no time",
            fix=f"for example: {option} 7d, {option} 24h, {option} {now:%Y-%m-%d} or {option} {now:%Y-%m-%dT%H:%M}",
        ) from None
    return stated if stated.tzinfo else stated.replace(tzinfo=UTC)
