"""A conversation that is too long is sent in part: what is allowed, and less when the provider counts more."""

from __future__ import annotations

from collections.abc import Callable

from llm_gateway.client.cache.lookup import with_cache
from llm_gateway.client.call import Call
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.steps import Flow
from llm_gateway.types import ChatRequest

__all__ = ["with_fit"]


def with_fit(call: Call, request: ChatRequest, ask: Callable[[Call, ChatRequest], Flow]) -> Flow:
    """
    Ask with what fits, and once more with less after a refusal that states numbers; come back with the `ChatReply`.

    Raises:
        ContextWindowError: Not even the last turn fits.
        ProviderError: As with `with_retries`.
    """
    context = call.context
    if context is None:
        return (yield from with_cache(call, request, ask))
    sent = context.fit(request)
    try:
        return (yield from with_cache(call, sent, ask))
    except ProviderError as error:
        again = context.refit(request, sent, error)
        if again is None:
            raise
    return (yield from with_cache(call, again, ask))
