"""An answer as it is kept: plain data, whichever store keeps it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal

from llm_gateway.record import CallRecord
from llm_gateway.types import ChatReply, ImagePart, JsonObject, Part, TextPart, ThinkingPart, TokenUsage, ToolCall

__all__ = ["Entry", "decode", "encode", "is_whole"]

_PARTS: dict[str, Callable[..., Part]] = {one.__name__: one for one in (TextPart, ThinkingPart, ImagePart, ToolCall)}


@dataclass(frozen=True, slots=True)
class Entry:
    """A reply, and the record of the attempt that gave it."""

    reply: ChatReply
    record: CallRecord


def is_whole(reply: ChatReply, *, with_tool_calls: bool) -> bool:
    """Whether *reply* came to its own end and says something; calls of tools count as such only *with_tool_calls*."""
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
    members: JsonObject = {"type": type(part).__name__, **asdict(part)}
    if isinstance(members.get("data"), bytes):
        members["data"] = base64.b64encode(members["data"]).decode()
    return members


def _part_in(members: JsonObject) -> Part:
    if members.get("data") is not None:
        members["data"] = base64.b64decode(members["data"])
    return _PARTS[members.pop("type")](**members)
