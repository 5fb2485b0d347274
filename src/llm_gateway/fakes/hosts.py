"""Hosts that speak OpenAI's chat, each with members and habits of its own."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from llm_gateway.fakes.form import Form
from llm_gateway.types import JsonObject

__all__ = ["HOSTS", "Host"]


@dataclass(frozen=True, slots=True)
class Host:
    """
    How a host differs.

    Attributes:
        reply: The form of a whole reply.

        chunk: The form of each event of a stream.

        ends_with_usage: Whether a stream's last event with a choice tells the usage, in place of one event more.

        calls: How a stream sends calls: in ``pieces``, each in ``one`` event, or all with the ``last``.

        numbers_calls: Whether whole replies number their calls, as streams do.

        head: Events that come before the answer.
    """

    reply: Form = field(default_factory=dict)
    chunk: Form = field(default_factory=dict)
    ends_with_usage: bool = False
    calls: Literal["pieces", "one", "last"] = "pieces"
    numbers_calls: bool = True
    head: tuple[JsonObject, ...] = ()


def _cached(usage: JsonObject) -> int:
    return (usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0


def _rest(usage: JsonObject) -> int:
    return int(usage["prompt_tokens"]) - _cached(usage)


def _ended(choice: JsonObject) -> str | None:
    reason: str | None = choice.get("finish_reason")
    return reason


_SAFE = {"filtered": False, "severity": "safe"}
_UNSEEN = {"filtered": False, "detected": False}
_FILTERS = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), _SAFE)
_PROMPT = [{"prompt_index": 0, "content_filter_results": {**_FILTERS, "jailbreak": _UNSEEN}}]
_ANSWER = {**_FILTERS, "protected_material_code": _UNSEEN, "protected_material_text": _UNSEEN}
_PIECE = {"protected_material_text": _UNSEEN}
_NONE = {
    "prompt_tokens_details": {"audio_tokens": 0},
    "completion_tokens_details": {
        **dict.fromkeys(("accepted_prediction_tokens", "audio_tokens", "rejected_prediction_tokens"), 0)
    },
}
_TIMES = {**dict.fromkeys(("queue_time", "prompt_time", "completion_time", "total_time"), 0.001)}
_GROQ = {"id": "req_fake", "seed": 1}
_OPENAI = {"service_tier": "default", "system_fingerprint": None, "usage?": _NONE}
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
    "usage?": {"prompt_cache_hit_tokens": _cached, "prompt_cache_miss_tokens": _rest},
}


def _groq_chunk(chunk: JsonObject) -> Form:
    """It tells its own id with the first event and the last."""
    choice: JsonObject = next(iter(chunk["choices"]), {})
    if choice.get("finish_reason"):
        told = {"id": "req_fake", "usage": {**_TIMES, **(chunk.get("usage") or {})}}
        return {"system_fingerprint": "fp_fake", "usage?": _TIMES, "x_groq": told}
    is_first = "role" in choice.get("delta", {})
    started = {"x_groq": _GROQ, "choices": [{"delta": {"content": ""}}]} if is_first else {}
    return {"system_fingerprint": "fp_fake", **started}


def _together_choice(choice: JsonObject) -> Form:
    text = choice["delta"].get("content") or ""
    ended = 1 if choice.get("finish_reason") else None
    return {"seed": ended, "text": text, "delta": {"role": "assistant", "content": "", "token_id": 1}}


HOSTS: dict[str, Host] = {
    "azure": Host(
        reply={
            **{name: form for name, form in _OPENAI.items() if name != "service_tier"},
            "prompt_filter_results": _PROMPT,
            "choices": [{"content_filter_results": _ANSWER, "message": {"annotations": []}}],
        },
        chunk={**_OPENAI, "obfuscation": "abcdefgh", "choices": [{"content_filter_results": _PIECE}]},
        numbers_calls=False,
        head=({"choices": [], "created": 0, "id": "", "model": "", "object": "", "prompt_filter_results": _PROMPT},),
    ),
    "deepseek": Host(
        reply=_DEEPSEEK,
        chunk={**_DEEPSEEK, "usage": None, "choices": [{"delta": {"content": None, "reasoning_content": None}}]},
        ends_with_usage=True,
    ),
    "groq": Host(
        reply={
            "service_tier": "on_demand",
            "system_fingerprint": "fp_fake",
            "usage?": _TIMES,
            "usage_breakdown": None,
            "x_groq": _GROQ,
        },
        chunk=_groq_chunk,
        ends_with_usage=True,
        calls="one",
        numbers_calls=False,
    ),
    "mistral": Host(
        reply={"usage?": {"num_cached_tokens": _cached}, "choices": [{"message": {"content": "", "tool_calls": None}}]},
        chunk={"choices": [{"delta": {"content": ""}}]},
        ends_with_usage=True,
        calls="last",
    ),
    "openai": Host(
        reply={**_OPENAI, "choices": [{"message": {"annotations": []}}]},
        chunk=_OPENAI,
        numbers_calls=False,
    ),
    "openrouter": Host(
        reply={**_OPENROUTER, "choices": [{"native_finish_reason": _ended, "message": {"reasoning": None}}]},
        chunk={
            **_OPENROUTER,
            "choices": [{"native_finish_reason": _ended, "delta": {"role": "assistant", "content": ""}}],
        },
    ),
    "together": Host(
        reply={"prompt": [], "choices": [{"seed": 1}], "usage?": {"cached_tokens": _cached}},
        chunk={"choices": [_together_choice], "usage?": {"cached_tokens": _cached}, "usage": None},
        ends_with_usage=True,
    ),
}
"""Of those that are not here, whole replies number their calls, and nothing else is known."""
