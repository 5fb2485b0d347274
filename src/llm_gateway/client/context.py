"""Limits on the input of a call: messages are left out until it fits, by an estimate that refusals correct."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field

from llm_gateway.client.truncation import Strategy, drop_oldest, truncate_to_context
from llm_gateway.exceptions import ProviderError
from llm_gateway.types import ChatRequest
from llm_gateway.wire.parts.errors import read_overflow
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["Context"]

_MARGIN = 1.02  # the messages that are left have another ratio of tokens to text


@dataclass
class Context:
    """
    The limit on the input of a call.

    Attributes:
        most: Tokens of input.

        strategy: Chooses the messages that stay.

        ratios: By model, how many tokens its provider counts for one estimated token; learnt from its refusals.

        truncated: How many messages were left out of what was sent last.
    """

    most: int
    strategy: Strategy = drop_oldest
    ratios: MutableMapping[str, float] = field(default_factory=dict)
    truncated: int = 0

    def fit(self, request: ChatRequest, limit: int | None = None) -> ChatRequest:
        """Return *request* with the messages that fit; *limit* is the model's own, where that is known."""
        most = self.most if limit is None else min(limit, self.most)
        sent = truncate_to_context(request, most, self.strategy, self.ratios.get(request.model, 1.0))
        self.truncated = len(request.messages) - len(sent.messages)
        return sent

    def refit(self, request: ChatRequest, sent: ChatRequest, error: ProviderError) -> ChatRequest | None:
        """Return what to send instead of *sent*, which was too long; None when no count is stated or nothing can go."""
        overflow = read_overflow(error.message) if error.kind == "context_window" and not error.has_begun else None
        if overflow is None:
            return None
        self.ratios[request.model] = overflow.counted / estimate_tokens(sent).tokens * _MARGIN
        again = self.fit(request, overflow.limit)
        return again if len(again.messages) < len(sent.messages) else None
