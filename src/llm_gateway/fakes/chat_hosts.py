"""Hosts of OpenAI's chat completions: the fields that each adds, and where its streams have usage and tool calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from llm_gateway.catalog import find
from llm_gateway.fakes.template import Template, fill
from llm_gateway.types import JsonObject

__all__ = ["chat_chunks", "chat_reply"]


@dataclass(frozen=True, slots=True)
class Fields:
    """
    The fields that one host adds to OpenAI's format.

    Attributes:
        reply: The template of a whole reply.

        chunk: The template of each chunk of a stream.

        head: Chunks that come before the answer.
    """

    reply: Template = field(default_factory=dict)
    chunk: Template = field(default_factory=dict)
    head: tuple[JsonObject, ...] = ()


def _cached(usage: JsonObject) -> int:
    return (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0


def _uncached(usage: JsonObject) -> int:
    return int(usage["prompt_tokens"]) - _cached(usage)


def _finish_reason(choice: JsonObject) -> str | None:
    reason: str | None = choice.get("finish_reason")
    return reason


_SAFE = {"filtered": False, "severity": "safe"}
_UNDETECTED = {"filtered": False, "detected": False}
_FILTERS = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), _SAFE)
_PROMPT_FILTERS = [{"prompt_index": 0, "content_filter_results": {**_FILTERS, "jailbreak": _UNDETECTED}}]
_ANSWER_FILTERS = {**_FILTERS, "protected_material_code": _UNDETECTED, "protected_material_text": _UNDETECTED}
_AZURE_HEAD = {
    "choices": [],
    "created": 0,
    **dict.fromkeys(("id", "model", "object"), ""),
    "prompt_filter_results": _PROMPT_FILTERS,
}
_CHUNK_FILTERS = {"protected_material_text": _UNDETECTED}
_NO_DETAILS = {
    "prompt_tokens_details": {"audio_tokens": 0},
    "completion_tokens_details": {
        **dict.fromkeys(("accepted_prediction_tokens", "audio_tokens", "rejected_prediction_tokens"), 0)
    },
}
_TIMES = {**dict.fromkeys(("queue_time", "prompt_time", "completion_time", "total_time"), 0.001)}
_GROQ = {"id": "req_fake", "seed": 1}
_OPENAI = {"service_tier": "default", "system_fingerprint": None, "usage?": _NO_DETAILS}
_COST = dict.fromkeys(
    (f"upstream_inference_{name}" for name in ("cost", "prompt_cost", "completions_cost")),
    0.0,
)
_OPENROUTER = {
    "provider": "Fake",
    "system_fingerprint": None,
    "usage?": {
        "cost": 0.0,
        "cost_details": _COST,
        "is_byok": False,
        "prompt_tokens_details": {"audio_tokens": 0, "video_tokens": 0},
        "completion_tokens_details": {"audio_tokens": 0, "image_tokens": 0},
    },
}
_DEEPSEEK = {
    "system_fingerprint": "fp_fake",
    "usage?": {"prompt_cache_hit_tokens": _cached, "prompt_cache_miss_tokens": _uncached},
}


def _groq_chunk(chunk: JsonObject) -> Template:
    """Return the fields of Groq's *chunk*; its own id is in the first one and the last."""
    choice: JsonObject = next(iter(chunk["choices"]), {})
    if choice.get("finish_reason"):
        last = {"id": "req_fake", "usage": {**_TIMES, **(chunk.get("usage") or {})}}
        return {"system_fingerprint": "fp_fake", "usage?": _TIMES, "x_groq": last}
    is_first = "role" in choice.get("delta", {})
    started = {"x_groq": _GROQ, "choices": [{"delta": {"content": ""}}]} if is_first else {}
    return {"system_fingerprint": "fp_fake", **started}


def _together_choice(choice: JsonObject) -> Template:
    text = choice["delta"].get("content") or ""
    ended = 1 if choice.get("finish_reason") else None
    return {"seed": ended, "text": text, "delta": {"role": "assistant", "content": "", "token_id": 1}}


_FIELDS = {
    "azure": Fields(
        reply={
            **{name: form for name, form in _OPENAI.items() if name != "service_tier"},
            "prompt_filter_results": _PROMPT_FILTERS,
            "choices": [{"content_filter_results": _ANSWER_FILTERS, "message": {"annotations": []}}],
        },
        chunk={**_OPENAI, "obfuscation": "abcdefgh", "choices": [{"content_filter_results": _CHUNK_FILTERS}]},
        head=(_AZURE_HEAD,),
    ),
    "deepseek": Fields(
        reply=_DEEPSEEK,
        chunk={**_DEEPSEEK, "usage": None, "choices": [{"delta": {"content": None, "reasoning_content": None}}]},
    ),
    "groq": Fields(
        reply={
            "service_tier": "on_demand",
            "system_fingerprint": "fp_fake",
            "usage?": _TIMES,
            "usage_breakdown": None,
            "x_groq": _GROQ,
        },
        chunk=_groq_chunk,
    ),
    "mistral": Fields(
        reply={"usage?": {"num_cached_tokens": _cached}, "choices": [{"message": {"content": "", "tool_calls": None}}]},
        chunk={"choices": [{"delta": {"content": ""}}]},
    ),
    "openai": Fields(
        reply={**_OPENAI, "choices": [{"message": {"annotations": []}}]},
        chunk=_OPENAI,
    ),
    "openrouter": Fields(
        reply={**_OPENROUTER, "choices": [{"native_finish_reason": _finish_reason, "message": {"reasoning": None}}]},
        chunk={
            **_OPENROUTER,
            "choices": [{"native_finish_reason": _finish_reason, "delta": {"role": "assistant", "content": ""}}],
        },
    ),
    "together": Fields(
        reply={"prompt": [], "choices": [{"seed": 1}], "usage?": {"cached_tokens": _cached}},
        chunk={"choices": [_together_choice], "usage?": {"cached_tokens": _cached}, "usage": None},
    ),
}
"""By provider; of the others no field is known."""


def chat_reply(provider: str, body: JsonObject) -> JsonObject:
    """Return *body*, a reply in OpenAI's own format, as *provider* sends it."""
    reply: JsonObject = fill(body, _FIELDS.get(provider, Fields()).reply)
    if find(provider).chat.numbers_calls:
        for index, call in enumerate(reply["choices"][0]["message"].get("tool_calls") or ()):
            call["index"] = index
    return reply


def chat_chunks(provider: str, chunks: list[JsonObject]) -> list[JsonObject]:
    """Return *chunks*, a stream in OpenAI's own format, as *provider* sends them."""
    fields, quirks = _FIELDS.get(provider, Fields()), find(provider).chat
    if quirks.stream_calls != "chunks":
        chunks = _join_calls(chunks)
    if quirks.stream_calls == "last":
        chunks = _move_calls_last(chunks)
    if quirks.stream_usage == "last":
        chunks = _move_usage_last(chunks)
    return [*fields.head, *(fill(chunk, fields.chunk) for chunk in chunks)]


def _delta(chunk: JsonObject) -> JsonObject:
    choice: JsonObject = next(iter(chunk["choices"]), {})
    return choice.get("delta") or {}


def _join_calls(chunks: list[JsonObject]) -> list[JsonObject]:
    """Return *chunks* with each tool call whole, in the chunk that names it."""
    kept: list[JsonObject] = []
    functions: dict[int, JsonObject] = {}
    for chunk in chunks:
        calls = _delta(chunk).get("tool_calls") or ()
        if all(call["index"] not in functions for call in calls):
            kept.append(chunk)
            functions.update({call["index"]: call["function"] for call in calls})
        else:
            for call in calls:
                functions[call["index"]]["arguments"] += call["function"]["arguments"]
    return kept


def _move_calls_last(chunks: list[JsonObject]) -> list[JsonObject]:
    """Return *chunks* with all tool calls in the chunk that ends the answer."""
    calls = [call for chunk in chunks for call in _delta(chunk).get("tool_calls") or ()]
    kept = [chunk for chunk in chunks if "tool_calls" not in _delta(chunk)]
    for choice in (choice for chunk in kept for choice in chunk["choices"] if calls and choice["finish_reason"]):
        choice["delta"] = {"content": None, "tool_calls": calls}
    return kept


def _move_usage_last(chunks: list[JsonObject]) -> list[JsonObject]:
    """Return *chunks* with the usage in the chunk that ends the answer, and in no other one."""
    usage = next(chunk["usage"] for chunk in chunks if not chunk["choices"])
    kept = [{name: one for name, one in chunk.items() if name != "usage"} for chunk in chunks if chunk["choices"]]
    kept[-1]["usage"] = usage
    return kept
