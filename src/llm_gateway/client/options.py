"""What a caller may say beside the messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypedDict

from llm_gateway.client.truncation import Strategy
from llm_gateway.types import JsonObject, ReasoningEffort, Tool

__all__ = ["ChatOptions", "CompleteOptions"]


class CompleteOptions(TypedDict, total=False):
    """
    Options of ``complete``; None, or leaving one out, takes the client's setting.

    Attributes:
        model: A model of the client's provider.

        system: The system prompt, put in front of the messages.

        max_tokens: The most tokens that the answer may have.

        max_context_tokens: The most tokens that the input may have, by an estimate; older messages are left out.

        context_strategy: Which messages stay then; `drop_oldest` unless it is given.

        temperature: From 0 to 2.

        top_p: Of the likeliest tokens, those that make up this share; from 0 to 1.

        seed: The same one asks for the same answer, as far as the provider can.

        reasoning_effort: How hard to think, from ``none`` to ``max``; each model knows some of the levels.

        unsupported_params: What is done with an option that the API or the model does not take: ``error``, ``warn``
            and leave it out, or ``drop`` it; see `GatewayConfig`.

        extra: Members of the provider's own request body, merged into it as they are.

        cache: False neither looks into the cache nor keeps the answer there.

        timeout_s: How long one attempt may take; what a stream may wait for where nothing else is set.

        total_timeout_s: How long the whole call may take, its retries and fallbacks included.

        session_id: What the call belongs to, as in `LLMClient.get_session_cost`.
    """

    model: str | None
    system: str | None
    max_tokens: int | None
    max_context_tokens: int | None
    context_strategy: Strategy | None
    temperature: float | None
    top_p: float | None
    seed: int | None
    reasoning_effort: ReasoningEffort | None
    unsupported_params: Literal["error", "warn", "drop"] | None
    extra: JsonObject | None
    cache: bool | None
    timeout_s: float | None
    total_timeout_s: float | None
    session_id: str | None


class ChatOptions(CompleteOptions, total=False):
    """
    Options of ``chat`` and ``stream``.

    Attributes:
        stop: Texts, or one, at which the answer ends.

        tools: What the model may call: `Tool`, or a dict with ``name``, ``description`` and ``parameters``.

        tool_choice: ``auto``, ``none``, ``required``, or the name of a tool.

        json_mode: True asks for a JSON object of any shape; `complete` asks for one of a certain shape.
    """

    stop: str | Sequence[str]
    tools: Sequence[Tool | JsonObject]
    tool_choice: str | None
    json_mode: bool
