"""A cached answer as plain data, for any store."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal

from llm_gateway.record import CallRecord
from llm_gateway.types import ChatReply, ImagePart, JsonObject, Part, TextPart, ThinkingPart, TokenUsage, ToolCall

__all__ = ["Entry", "decode", "encode", "is_cacheable"]

_PARTS: dict[str, Callable[..., Part]] = {one.__name__: one for one in (TextPart, ThinkingPart, ImagePart, ToolCall)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A reply, and the record of the attempt that gave it."""

    reply: ChatReply
    record: CallRecord


def is_cacheable(reply: ChatReply, *, with_tool_calls: bool) -> bool:
    """Return whether *reply* is complete and not empty; tool calls are cacheable only *with_tool_calls*."""
    if reply.tool_calls or reply.stop_reason == "tool_use":
        return with_tool_calls and reply.stop_reason in ("tool_use", "end_turn")
    return bool(reply.parts) and reply.stop_reason in ("end_turn", "stop_sequence")


def encode(entry: Entry) -> bytes:
    """Write *entry* as JSON."""
    reply = {name: getattr(entry.reply, name) for name in ("model", "id", "stop_reason", "cost_usd", "structured")}
    reply["parts"] = [_part_out(part) for part in entry.reply.parts]
    reply["usage"] = entry.reply.usage and asdict(entry.reply.usage)
    return json.dumps({"reply": reply, "record": entry.record.to_dict()}, default=str).encode()


def decode(value: bytes) -> Entry | None:
    """Read what `encode` wrote; None when it is something else, or of another version."""
    try:
        return _entry(json.loads(value))
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return None


def _entry(whole: JsonObject) -> Entry:
    reply = whole["reply"]
    reply["parts"] = tuple(_part_in(part) for part in reply["parts"])
    reply["usage"] = reply["usage"] and TokenUsage(**reply["usage"])
    reply["cost_usd"] = _decimal(reply["cost_usd"])
    return Entry(ChatReply(**reply), CallRecord.from_dict(whole["record"]))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _part_out(part: Part) -> JsonObject:
    fields: JsonObject = {"type": type(part).__name__, **asdict(part)}
    if isinstance(fields.get("data"), bytes):
        fields["data"] = base64.b64encode(fields["data"]).decode()
    return fields


def _part_in(fields: JsonObject) -> Part:
    if fields.get("data") is not None:
        fields["data"] = base64.b64decode(fields["data"])
    return _PARTS[fields.pop("type")](**fields)
