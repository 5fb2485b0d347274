"""Runs of commands to and from the mappings of a cassette file, under ``processes``, which plain vcrpy ignores."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from llm_gateway.cassettes.format import accounted, local, text_or_bytes, timestamp
from llm_gateway.exchange import Frame, ProcessExchange
from llm_gateway.record import CallRecord, end_from

__all__ = ["process_from", "process_to_mapping"]

_CHANNELS = ("stdin", "stdout", "stderr")


def process_from(entry: dict[str, Any]) -> ProcessExchange:
    """Read one entry of ``processes``."""
    ours = entry.get("llm") or {}
    at = timestamp(ours.get("recorded_at"))
    return ProcessExchange(
        argv=tuple(str(argument) for argument in entry["argv"]),
        frames=tuple(_frame(raw) for raw in entry.get("frames") or ()),
        stdin_closed=bool(entry.get("stdin_closed", True)),
        exit_code=entry.get("exit_code"),
        end=end_from(ours),
        recorded_at=at and at.astimezone(UTC),
        duration_s=None if ours.get("duration_s") is None else float(ours["duration_s"]),
        record=CallRecord.from_dict(ours) if "provider" in ours else None,
    )


def _frame(raw: dict[str, Any]) -> Frame:
    channel: Any = next(name for name in _CHANNELS if name in raw)
    data = raw[channel]
    return Frame(channel, data if isinstance(data, bytes) else str(data).encode(), float(raw.get("at_s") or 0.0))


def process_to_mapping(exchange: ProcessExchange) -> dict[str, Any]:
    """Write one entry of ``processes``."""
    return {
        "argv": list(exchange.argv),
        "frames": [
            {frame.channel: text_or_bytes(frame.data), "at_s": round(frame.at_s, 4)} for frame in exchange.frames
        ],
        "stdin_closed": exchange.stdin_closed,
        "exit_code": exchange.exit_code,
        "llm": {
            "recorded_at": local(exchange.recorded_at),
            "duration_s": exchange.duration_s,
            **accounted(exchange.record),
            "end": exchange.end,
        },
    }
