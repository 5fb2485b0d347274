"""How hosts of OpenAI's chat send the same stream: where calls and usage stand in it."""

from __future__ import annotations

from llm_gateway.fakes.form import filled
from llm_gateway.fakes.hosts import Host
from llm_gateway.types import JsonObject

__all__ = ["chunks_of"]


def chunks_of(host: Host, chunks: list[JsonObject]) -> list[JsonObject]:
    """The events that *host* sends for *chunks*, which are OpenAI's own."""
    if host.calls != "pieces":
        chunks = _whole_calls(chunks)
    if host.calls == "last":
        chunks = _calls_last(chunks)
    if host.ends_with_usage:
        chunks = _ending_with_usage(chunks)
    return [*host.head, *(filled(chunk, host.chunk) for chunk in chunks)]


def _delta(chunk: JsonObject) -> JsonObject:
    choice: JsonObject = next(iter(chunk["choices"]), {})
    return choice.get("delta") or {}


def _whole_calls(chunks: list[JsonObject]) -> list[JsonObject]:
    """Each call in the event that names it."""
    made: list[JsonObject] = []
    known: dict[int, JsonObject] = {}
    for chunk in chunks:
        pieces = _delta(chunk).get("tool_calls") or ()
        if all(piece["index"] not in known for piece in pieces):
            made.append(chunk)
            known.update({piece["index"]: piece["function"] for piece in pieces})
        else:
            for piece in pieces:
                known[piece["index"]]["arguments"] += piece["function"]["arguments"]
    return made


def _calls_last(chunks: list[JsonObject]) -> list[JsonObject]:
    """All calls in the event that ends the answer."""
    calls = [call for chunk in chunks for call in _delta(chunk).get("tool_calls") or ()]
    kept = [chunk for chunk in chunks if "tool_calls" not in _delta(chunk)]
    for choice in (choice for chunk in kept for choice in chunk["choices"] if calls and choice["finish_reason"]):
        choice["delta"] = {"content": None, "tool_calls": calls}
    return kept


def _ending_with_usage(chunks: list[JsonObject]) -> list[JsonObject]:
    """The usage, which these hosts always tell, in the event that ends the answer; no other one speaks of it."""
    usage = next(chunk["usage"] for chunk in chunks if not chunk["choices"])
    kept = [{name: one for name, one in chunk.items() if name != "usage"} for chunk in chunks if chunk["choices"]]
    kept[-1]["usage"] = usage
    return kept
