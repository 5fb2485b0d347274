"""Which model answers when one cannot: the next of a list, until one does."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

from llm_gateway.client.attempts import attempt
from llm_gateway.client.call import Call, provider_name
from llm_gateway.client.fit import with_fit
from llm_gateway.exceptions import AllFallbacksFailedError, ErrorKind, ProviderError
from llm_gateway.flow.steps import Flow, Now
from llm_gateway.providers.base import Provider
from llm_gateway.types import ChatReply, ChatRequest

__all__ = ["Target", "with_fallbacks"]

_log = logging.getLogger("llm_gateway.fallback")
_OF_THE_REQUEST: frozenset[ErrorKind] = frozenset(
    {"invalid_request", "unsupported_param", "schema_unsupported", "content_filter", "cancelled"}
)
"""What is not asked elsewhere."""
_OF_THE_ACCOUNT: frozenset[ErrorKind] = frozenset({"auth", "quota_exhausted"})
"""What another model of the same provider would refuse just the same."""


@dataclass(frozen=True, slots=True)
class Target:
    """A model of a provider; the provider is made when it is needed."""

    name: str
    model: str
    provider: Callable[[], Provider]


def with_fallbacks(call: Call, request: ChatRequest, ask: Callable[[Call, ChatRequest], Flow] = attempt) -> Flow:
    """
    Ask the model of *request*, then each of the call's fallbacks, until one answers; come back with its `ChatReply`.

    Raises:
        ProviderError: None answered, and there was one only; or the failure is the request's own, or a stream had
            begun. Those are never asked elsewhere.
        AllFallbacksFailedError: None of several answered; holds what each said.
    """
    errors: list[ProviderError] = []
    if call.answering_model is not None:  # an answer that is asked for again comes from the same model
        request = dataclasses.replace(request, model=call.answering_model)
    for target in [None, *call.fallbacks]:
        if target is not None:
            if _is_vain(target, call, errors[-1]):
                continue
            _log.warning("%s, trying %s:%s", errors[-1].message, target.name, target.model)
            call.hop(errors[-1], target.name, target.model)
            call.provider, request = target.provider(), dataclasses.replace(request, model=target.model)
        try:
            reply: ChatReply = yield from with_fit(call, call.fitted(request), ask)
        except ProviderError as error:
            if error.has_begun or (error.kind in _OF_THE_REQUEST and not _is_own(target, error)):
                raise
            errors.append(error)
            if not call.has_time(0.0, (yield Now())):
                break
        else:
            call.answering_model = request.model
            return reply
    _give_up(errors)


def _is_vain(target: Target, call: Call, error: ProviderError) -> bool:
    return error.kind in _OF_THE_ACCOUNT and target.name == provider_name(call.provider)


def _is_own(target: Target | None, error: ProviderError) -> bool:
    """Whether another model may well take what this one does not: those of a chain differ in that."""
    return target is not None and error.kind == "unsupported_param"


def _give_up(errors: Sequence[ProviderError]) -> NoReturn:
    if len(errors) == 1:
        raise errors[0]
    raise AllFallbacksFailedError(list(errors)) from errors[-1]
