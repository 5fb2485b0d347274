"""Event ``result``, which ``claude`` prints at the end of a turn, with all fields of version 2.1.329."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llm_gateway.types import JsonObject, TokenUsage

__all__ = ["NOTHING", "Spent", "encode_usage", "result_event"]

NOTHING = TokenUsage(0, 0, 0, 0, 0, 0, web_searches=0)
"""Usage of a request that was rejected."""
_SUBAGENTS: JsonObject = {
    "spawned": 0,
    "requested": {"background": 0, "foreground": 0, "unset": 0},
    "started_in_background": 0,
    "max_depth": 0,
    "spawned_by_subagents": 0,
    "completed": 0,
    "failed": 0,
    "killed": {"parent": 0, "user": 0, "system": 0},
    "refused": {"depth_limit": 0, "concurrency_limit": 0, "budget": 0},
    "by_type": {},
}
_TIMES = ("ttft_ms", "ttft_stream_ms", "time_to_request_ms", "first_content_frame_ms")
_CONTEXT, _LONGEST = 1_000_000, 128_000


@dataclass(frozen=True, slots=True)
class Spent:
    """
    Usage of a process so far.

    Attributes:
        turn: In this turn; None where it is not known.

        by_model: In all turns, by the model that answered.

        cost_usd: In all turns; None where it is not known.
    """

    turn: TokenUsage | None = None
    by_model: Mapping[str, TokenUsage] = field(default_factory=dict)
    cost_usd: float | None = 0.0


def result_event(fields: JsonObject, spent: Spent, *, session_id: str | None, uuid: str, index: int = 0) -> JsonObject:
    """
    Return the event that ends a turn.

    Args:
        fields: Fields that differ from the defaults: ``result`` or ``errors``, ``stop_reason``, an API error.

        spent: Usage and cost so far.

        session_id: Of the process.

        uuid: Of the event.

        index: Number of results that the process printed before.
    """
    is_answered = not fields.get("is_error")
    return {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "duration_ms": 0,
        "duration_api_ms": 0,
        "num_turns": 1,
        "terminal_reason": "completed",
        "session_id": session_id,
        "total_cost_usd": spent.cost_usd,
        "usage": None if spent.turn is None else encode_usage(spent.turn),
        "modelUsage": {model: _row(model, usage, spent.cost_usd) for model, usage in spent.by_model.items()},
        "permission_denials": [],
        "fast_mode_state": "off",
        "fast_mode_disabled_reason": "sdk_opt_in_required",
        "subagent_stats": _SUBAGENTS,
        "safety_stops": 0,
        "queued_turn_count": 0,
        "result_index": index,
        "uuid": uuid,
        **({} if "errors" in fields else {"api_error_status": None}),
        **(dict.fromkeys(_TIMES, 0) if is_answered else {}),
        **fields,
    }


def encode_usage(usage: TokenUsage) -> JsonObject:
    """Return ``usage`` of the Messages API, whose input count excludes cached tokens."""
    hour = usage.cache_write_1h_tokens
    return {
        "input_tokens": _fresh(usage),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
        "server_tool_use": {"web_search_requests": usage.web_searches, "web_fetch_requests": 0},
        "service_tier": "standard",
        "cache_creation": {
            "ephemeral_1h_input_tokens": hour,
            "ephemeral_5m_input_tokens": _less(usage.cache_write_tokens, hour),
        },
        "inference_geo": "",
        "iterations": [],
        "speed": "standard",
        "fallback_credit": None,
    }


def _row(model: str, usage: TokenUsage, cost_usd: float | None) -> JsonObject:
    hour = usage.cache_write_1h_tokens
    return {
        "inputTokens": _fresh(usage),
        "outputTokens": usage.output_tokens,
        "cacheReadInputTokens": usage.cache_read_tokens,
        "cacheCreationInputTokens": usage.cache_write_tokens,
        "cacheCreationEphemeral5mInputTokens": _less(usage.cache_write_tokens, hour),
        "cacheCreationEphemeral1hInputTokens": hour,
        "webSearchRequests": usage.web_searches,
        "costUSD": cost_usd,
        "contextWindow": _CONTEXT,
        "maxOutputTokens": _LONGEST,
        "thinkingTokens": usage.reasoning_tokens,
        "canonicalModel": model,
        "provider": "firstParty",
        "costBasis": "list",
    }


def _fresh(usage: TokenUsage) -> int:
    return (usage.input_tokens or 0) - (usage.cache_read_tokens or 0) - (usage.cache_write_tokens or 0)


def _less(tokens: int | None, part: int | None) -> int | None:
    return None if tokens is None else tokens - (part or 0)
