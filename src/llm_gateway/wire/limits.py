"""Context and output limits of well-known models, as their makers publish them: the one table of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llm_gateway.catalog import find

__all__ = ["Limits", "most_output", "published"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How many tokens a model takes, and how many it can write in one answer; None where its maker does not say."""

    context_tokens: int | None = None
    max_output_tokens: int | None = None


_END = r"(-\d|-latest|-preview|@|:|$)"
_PUBLISHED = tuple(
    (re.compile(pattern), Limits(*limits))
    for pattern, limits in (
        (r"claude-(opus-4-[678]|sonnet-4-6|(fable|haiku|mythos|opus|sonnet)-5)", (1_000_000, 128_000)),
        (r"claude-(haiku|opus|sonnet)-4-5", (200_000, 64_000)),
        (r"claude-opus-4", (200_000, 32_000)),
        (r"claude-sonnet-4", (200_000, 64_000)),
        (r"gpt-3\.5", (16_385, 4_096)),
        (r"gpt-4o", (128_000, 16_384)),
        (r"gpt-4\.1", (1_047_576, 32_768)),
        (r"gpt-4-turbo", (128_000, 4_096)),
        (r"gpt-4(-0613)?$", (8_192, 8_192)),
        (r"gpt-5[.\d]*-chat", (128_000, 16_384)),
        (r"gpt-5-pro", (400_000, 272_000)),
        (r"gpt-5\.[45](-pro)?" + _END, (1_050_000, 128_000)),
        (r"gpt-(5\.6|6|6\.1)-(astra|luna|sol|terra)", (1_050_000, 128_000)),
        (r"gpt-5(\.[1-4])?(-codex)?(-pro|-mini|-nano|-max)?" + _END, (400_000, 128_000)),
        (r"(^|[:/])(o1|o3|o4-mini|o3-mini|o1-pro|o3-pro)" + _END, (200_000, 100_000)),
        (r"gemini-4", (1_048_576, 1_048_576)),
        (r"gemini-(2\.5|3[.\d]*)-(pro|flash)(-lite)?(-preview)?" + _END, (1_048_576, 65_536)),
        (r"gemini-2\.0-flash", (1_048_576, 8_192)),
        (r"mistral-large-4", (1_048_576, None)),
        (r"(mistral-(large|medium)|ministral-(8b|14b))-(2512|latest)|mistral-small-(2603|latest)", (262_144, None)),
        (r"deepseek-(v4-)?(flash|pro)", (1_000_000, 393_216)),
        (r"grok-4\.(20|3)", (1_000_000, None)),
        (r"grok-4\.[567]", (500_000, None)),
        (r"command-a-03", (256_000, 8_000)),
        (r"command-r(7b|-plus)?-\d", (128_000, 4_096)),
    )
)
"""The first pattern that is found in a model's name counts."""
_FAMILIES = (
    (re.compile(r"gpt-4"), 8_192),
    (re.compile(r"gemini-(1|2\.0)"), 8_192),
    (re.compile(r"gemini"), 65_536),
    (re.compile(r"command|mistral|mixtral|llama|qwen"), 32_768),
)
"""What no model of a family passes, where its own limit is not in the table."""
_OTHERWISE = 128_000


def published(provider: str, model: str) -> Limits:
    """Return the limits that the maker of *model* publishes; none at a *provider* that sets limits of its own."""
    return (_listed(model) if find(provider).has_published_limits else None) or Limits()


def most_output(model: str) -> int:
    """Return how many tokens *model* can write in one answer: published, else estimated on the safe side."""
    listed = _listed(model)
    if listed is not None and listed.max_output_tokens is not None:
        return listed.max_output_tokens
    return next((limit for pattern, limit in _FAMILIES if pattern.search(model.lower())), _OTHERWISE)


def _listed(model: str) -> Limits | None:
    return next((limits for pattern, limits in _PUBLISHED if pattern.search(model.lower())), None)
