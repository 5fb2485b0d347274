"""How hard Gemini is to think: a level since its version 3, a budget of tokens before. Source: google-genai's types."""

from __future__ import annotations

from typing import get_args

from llm_gateway.types import JsonObject, ReasoningEffort
from llm_gateway.wire.gemini_parts import camel

__all__ = ["effort_in", "thinking_out", "thinking_rest"]

_LEVELS: dict[str, ReasoningEffort] = {level: level for level in get_args(ReasoningEffort) if level != "none"}


def thinking_out(effort: ReasoningEffort | None) -> JsonObject | None:
    """The API's own words; it has none for no thinking but a budget of nothing."""
    if effort is None:
        return None
    return {"thinkingBudget": 0} if effort == "none" else {"thinkingLevel": effort}


def effort_in(config: JsonObject) -> ReasoningEffort | None:
    """The level that *config* names, or ``none`` where it leaves nothing for thoughts."""
    told = camel(config.get("thinkingConfig") or {})
    level = _LEVELS.get(str(told.get("thinkingLevel")).lower())
    return level or ("none" if told.get("thinkingBudget") == 0 else None)


def thinking_rest(config: JsonObject) -> JsonObject:
    """What *config* says of thoughts beside that: a budget of tokens, or whether they are shown."""
    known = {"none": "thinkingBudget"}.get(str(effort_in(config)), "thinkingLevel")
    rest = {name: value for name, value in camel(config.get("thinkingConfig") or {}).items() if name != known}
    return {"thinkingConfig": rest} if rest else {}
