"""Send the part of a conversation that fits, and less when the provider counts more tokens than estimated."""

from __future__ import annotations

from collections.abc import Callable

from llm_gateway.client.cache.lookup import with_cache
from llm_gateway.client.call import Call
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.steps import Flow
from llm_gateway.types import ChatRequest

__all__ = ["with_truncation"]


def with_truncation(call: Call, request: ChatRequest, send: Callable[[Call, ChatRequest], Flow]) -> Flow:
    """
    Send what fits, and once more with less after a refusal that states numbers; return the `ChatReply`.

    Raises:
        ContextWindowError: Not even the last turn fits.
        ProviderError: As with `with_retries`.
    """
    context = call.context
    if context is None:
        return (yield from with_cache(call, request, send))
    sent = context.fit(request)
    try:
        return (yield from with_cache(call, sent, send))
    except ProviderError as error:
        shorter = context.refit(request, sent, error)
        if shorter is None:
            raise
    return (yield from with_cache(call, shorter, send))
