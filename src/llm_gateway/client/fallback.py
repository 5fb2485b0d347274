"""Fallbacks: when a model cannot answer, the next of a list is called, until one does."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from llm_gateway.client.attempts import attempt
from llm_gateway.client.cache.lookup import with_cache
from llm_gateway.client.call import Call
from llm_gateway.exceptions import AllFallbacksFailedError, ErrorKind, ProviderError
from llm_gateway.flow.steps import Flow, Now
from llm_gateway.providers.base import Provider, provider_name
from llm_gateway.types import ChatReply, ChatRequest

__all__ = ["Target", "with_fallbacks", "with_truncation"]

_log = logging.getLogger("llm_gateway.fallback")
_OF_THE_REQUEST: frozenset[ErrorKind] = frozenset(
    {"invalid_request", "unsupported_param", "schema_unsupported", "content_filter", "cancelled"}
)
"""Errors that another model would answer just the same: no fallback is tried."""
_OF_THE_ACCOUNT: frozenset[ErrorKind] = frozenset({"auth", "quota_exhausted"})
"""Errors that any model of the same provider would give: its other models are skipped."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a provider; the provider is created when it is needed."""

    name: str
    model: str
    provider: Callable[[], Provider]


def with_fallbacks(call: Call, request: ChatRequest, send: Callable[[Call, ChatRequest], Flow] = attempt) -> Flow:
    """
    Call the model of *request*, then each of the call's fallbacks, until one answers; return its `ChatReply`.

    Raises:
        ProviderError: The only model failed; or the error lies in the request, or a stream had begun, and no fallback
            is tried.
        AllFallbacksFailedError: None of several answered; holds the error of each.
    """
    errors: list[ProviderError] = []
    if call.answering_model is not None:  # a corrected answer comes from the same model
        request = dataclasses.replace(request, model=call.answering_model)
    for target in [None, *call.fallbacks]:
        if target is not None:
            if _is_futile(target, call, errors[-1]):
                continue
            _log.warning("%s, trying %s:%s", errors[-1].message, target.name, target.model)
            call.hop(errors[-1], target.name, target.model)
            call.provider, request = target.provider(), dataclasses.replace(request, model=target.model)
        try:
            reply: ChatReply = yield from with_truncation(call, call.without_unsupported(request), send)
        except ProviderError as error:
            if error.has_begun or (error.kind in _OF_THE_REQUEST and not _may_differ(target, error)):
                raise
            errors.append(error)
            if not call.has_time(0.0, (yield Now())):
                break
        else:
            call.answering_model = request.model
            return reply
    _give_up(errors)


def _is_futile(target: Target, call: Call, error: ProviderError) -> bool:
    return error.kind in _OF_THE_ACCOUNT and target.name == provider_name(call.provider)


def _may_differ(target: Target | None, error: ProviderError) -> bool:
    """Return whether another model of the chain may support what this one does not."""
    return target is not None and error.kind == "unsupported_param"


def _give_up(errors: Sequence[ProviderError]) -> NoReturn:
    if len(errors) == 1:
        raise errors[0]
    raise AllFallbacksFailedError(list(errors)) from errors[-1]


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
