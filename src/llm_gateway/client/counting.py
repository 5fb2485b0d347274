"""Count the tokens of a request: by the provider where its API does that, else by an estimate."""

from __future__ import annotations

from llm_gateway.client.attempts import attempt
from llm_gateway.client.call import Call, provider_name
from llm_gateway.client.retry import with_retries
from llm_gateway.client.vocabulary import sizer_of
from llm_gateway.config.folder import vocabulary_folder
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Flow
from llm_gateway.providers.base import HttpProvider
from llm_gateway.types import ChatReply, ChatRequest
from llm_gateway.wire.tokens import Estimate, estimate_tokens, framed_tokens

__all__ = ["count"]

_OWNER = "openai"  # elsewhere the same names may be other models


def count(call: Call, request: ChatRequest) -> Flow:
    """
    Request the provider's count, and return an `Estimate`, which states whether the provider counted.

    Raises:
        ProviderError: The provider refused or failed.
    """
    counter = call.provider.counter if isinstance(call.provider, HttpProvider) else None
    if counter is None:
        local = (
            (yield steps.Call(lambda: _counted_locally(request))) if provider_name(call.provider) == _OWNER else None
        )
        return local or estimate_tokens(request)
    call.provider = counter
    try:
        reply: ChatReply = yield from with_retries(call, request, attempt)
    except ProviderError as error:
        if error.kind != "unsupported_param":
            raise
        return estimate_tokens(request)  # it counts, but not for this model
    assert reply.usage is not None
    assert reply.usage.input_tokens is not None  # replies of a counter hold nothing else
    return Estimate(reply.usage.input_tokens, "counted")


def _counted_locally(request: ChatRequest) -> Estimate | None:
    """Return the count by the model's own vocabulary, where that is on this machine."""
    size = sizer_of(request.model, vocabulary_folder())
    tokens = framed_tokens(request, size) if size is not None else None
    return None if tokens is None else Estimate(tokens, "counted")
