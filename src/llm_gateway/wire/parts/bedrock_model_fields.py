"""
Fields of Converse that are passed on to the model unchanged: reasoning effort and seed.

Source: the guides of Claude, Nova 2 and gpt-oss on Bedrock. Other models get the fields of gpt-oss.
"""

from __future__ import annotations

from typing import Any

from llm_gateway.types import ChatRequest, JsonObject, ReasoningEffort
from llm_gateway.wire import anthropic

__all__ = ["decode_effort", "encode_model_fields", "extra_model_fields"]


def encode_model_fields(request: ChatRequest) -> JsonObject:
    """Return the fields for the model of *request*."""
    seed = {} if request.seed is None else {"seed": request.seed}
    return seed | _encode_effort(request.model, request.reasoning_effort)


def _encode_effort(model: str, effort: ReasoningEffort | None) -> JsonObject:
    if effort is None:
        return {}
    if "claude" in model:
        return anthropic.encode_effort(effort)
    if "nova" not in model:
        return {"reasoning_effort": effort}
    config = {"type": "disabled"} if effort == "none" else {"type": "enabled", "maxReasoningEffort": effort}
    return {"reasoningConfig": config}


def decode_effort(fields: JsonObject) -> ReasoningEffort | None:
    """Return the level in *fields*, in the fields of any model; None without one."""
    nova: Any = fields.get("reasoningConfig") or {}
    if nova.get("type") == "disabled":
        return "none"
    return fields.get("reasoning_effort") or nova.get("maxReasoningEffort") or anthropic.decode_effort(fields)


def extra_model_fields(fields: JsonObject) -> JsonObject:
    """Return the other fields."""
    known = ("seed", "reasoning_effort", "reasoningConfig", "thinking", "output_config")
    return {name: value for name, value in fields.items() if name not in known} | anthropic.extra_thinking(fields)
