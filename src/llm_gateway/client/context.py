"""How much of a conversation is sent: what is allowed, corrected once by what the provider says that it counted."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field

from llm_gateway.client.truncation import Strategy, drop_oldest, fitted
from llm_gateway.exceptions import ProviderError
from llm_gateway.types import ChatRequest
from llm_gateway.wire.parts.errors import read_overflow
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["Context"]

_MARGIN = 1.02  # what is left after the correction is not the same text


@dataclass
class Context:
    """
    What a call may send.

    Attributes:
        most: Tokens of input.

        strategy: Which messages stay.

        ratios: By model, how many tokens its provider counts for one of the estimate; learnt from its refusals.

        truncated: How many messages were left out of what was sent last.
    """

    most: int
    strategy: Strategy = drop_oldest
    ratios: MutableMapping[str, float] = field(default_factory=dict)
    truncated: int = 0

    def fit(self, request: ChatRequest, limit: int | None = None) -> ChatRequest:
        """*request* with as many messages as may be sent; *limit* is the model's own where that is known."""
        most = self.most if limit is None else min(limit, self.most)
        sent = fitted(request, most, self.strategy, self.ratios.get(request.model, 1.0))
        self.truncated = len(request.messages) - len(sent.messages)
        return sent

    def refit(self, request: ChatRequest, sent: ChatRequest, error: ProviderError) -> ChatRequest | None:
        """What to send in place of *sent*, which was too long; None when *error* does not tell, or nothing can go."""
        overflow = read_overflow(error.message) if error.kind == "context_window" and not error.has_begun else None
        if overflow is None:
            return None
        self.ratios[request.model] = overflow.counted / estimate_tokens(sent).tokens * _MARGIN
        again = self.fit(request, overflow.limit)
        return again if len(again.messages) < len(sent.messages) else None
