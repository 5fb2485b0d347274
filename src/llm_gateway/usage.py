"""Tokens of a call: the one place that names each count. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypedDict

__all__ = [
    "CACHE_READ",
    "CACHE_WRITE",
    "COUNTS",
    "LABELS",
    "MAIN_COUNTS",
    "MOST_TOKENS",
    "SHORT_COUNTS",
    "OptionalCounts",
    "TokenUsage",
    "scripted_usage",
]

MOST_TOKENS = 10**12
"""More than any call can use: a larger number is not believed. Sums of ten million calls still fit into 64 bits."""


@dataclass(frozen=True, slots=True)
class TokenUsage:
    """
    Tokens of one or more calls, as the provider reported them. ``None`` means not reported, never zero.

    *input_tokens* is all input, cached included; *cache_read_tokens* and *cache_write_tokens* say how much of it was
    read from and written to a prompt cache (*cache_write_1h_tokens* is the part of the writes with a one-hour life).
    *output_tokens* includes *reasoning_tokens*. Audio and images are parts of input and output as well.
    *web_searches* are searches that the provider ran and bills one by one. *service_tier* is what the call was
    served as, in the provider's word (``default``, ``flex``, ``priority``, ``batch``, ``fast``); it sets the price.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    cache_write_1h_tokens: int | None = None
    reasoning_tokens: int | None = None
    input_audio_tokens: int | None = None
    output_audio_tokens: int | None = None
    output_image_tokens: int | None = None
    web_searches: int | None = None
    service_tier: str | None = None

    @property
    def total_tokens(self) -> int | None:
        """Input plus output, or None when either is unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens

    @property
    def fresh_input_tokens(self) -> int | None:
        """Input that no prompt cache had a part in; None when the input or the part read from a cache is unknown."""
        if self.input_tokens is None or self.cache_read_tokens is None:
            return None  # APIs that only ever read from a cache report no writes
        return max(0, self.input_tokens - self.cache_read_tokens - (self.cache_write_tokens or 0))

    def __add__(self, other: TokenUsage) -> TokenUsage:
        """Sum count by count; a count that one side did not report is not known of the sum either."""
        sums: dict[str, Any] = {}
        for name in COUNTS:
            left, right = getattr(self, name), getattr(other, name)
            sums[name] = None if left is None or right is None else left + right
        sums["service_tier"] = self.service_tier if self.service_tier == other.service_tier else None
        return TokenUsage(**sums)


class OptionalCounts(TypedDict, total=False):
    """Counts that a test may script in addition to input and output, by their short names."""

    cache_read: int
    cache_write: int
    reasoning: int


def scripted_usage(
    input_tokens: int, output_tokens: int, *, cache_read: int = 0, cache_write: int = 0, reasoning: int = 0
) -> TokenUsage:
    """Return a usage with these counts: all input, cached included, and all output, reasoning included."""
    return TokenUsage(input_tokens, output_tokens, cache_read, cache_write, reasoning_tokens=reasoning)


CACHE_READ, CACHE_WRITE = "cache_read_tokens", "cache_write_tokens"
COUNTS: tuple[str, ...] = tuple(one.name for one in fields(TokenUsage) if one.name != "service_tier")
"""The names of all counts."""
MAIN_COUNTS = ("input_tokens", CACHE_READ, CACHE_WRITE, "output_tokens", "reasoning_tokens")
"""The counts that reports list for each call."""
SHORT_COUNTS = ("input_tokens", CACHE_READ, "output_tokens")
"""The counts that narrow tables have room for."""
LABELS = {
    **{name: name.removesuffix("_tokens").replace("_", " ") for name in COUNTS},
    CACHE_READ: "cached",
}
"""How tables call each count."""
