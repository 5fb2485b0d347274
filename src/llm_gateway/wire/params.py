"""
Options that APIs and models reject, as far as that is certain; any other option is sent.

What a provider's models reject is in the catalogue. Names of deployments on Azure do not show the model, so nothing is
known about those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llm_gateway.catalog import Unsupported, find
from llm_gateway.types import ChatRequest, ImagePart

__all__ = ["CONTENT", "NAMES", "OPTIONS", "Rejection", "rejections", "requested_options"]

OPTIONS = ("temperature", "top_p", "seed", "reasoning_effort", "stop", "json_mode")
"""What can be left out of a request."""
CONTENT = ("images", "tools")
"""What cannot: without these it would be another request."""
NAMES = frozenset({*OPTIONS, *CONTENT})


@dataclass(frozen=True, slots=True)
class Rejection:
    """
    An option of a request that would be rejected.

    Attributes:
        name: One of `NAMES`.

        words: The name, with the value where another value would be accepted.

        why: The reason.

        is_of_model: Whether the model rejects it, and not the whole API.

        fix: Another way to send it, where there is one.
    """

    name: str
    words: str
    why: str
    is_of_model: bool
    fix: str | None = None


_NO_FIELD = "its API has no field for it"
_BY_API = {
    # Version 2026-10-21 of the API; the SDK of that version has no such arguments.
    "anthropic.messages": (
        Unsupported(("temperature", "top_p"), "its API refuses the whole request"),
        Unsupported(("seed",), _NO_FIELD),
    ),
    "bedrock.converse": (Unsupported(("seed",), _NO_FIELD, fix='extra={"additionalModelRequestFields": {"seed": 7}}'),),
    "claude_cli": (Unsupported(("temperature", "top_p", "seed", "stop"), "it has no option for that"),),
    "cohere.v2.chat": (
        Unsupported(
            ("reasoning_effort",),
            "it thinks within a budget of tokens, and knows no levels",
            allowed=("none",),
            fix='extra={"thinking": {"type": "enabled", "token_budget": 2048}}',
        ),
    ),
    "openai.responses": (Unsupported(("seed", "stop"), _NO_FIELD),),
}
"""By the name of the dialect; from the official SDKs' types."""
_OPEN_WEIGHTS = (Unsupported(("images",), "it reads text alone", r"llama-?3\.[13](?!\d)|gpt-oss"),)
"""Models with open weights, at any host."""


def rejections(
    provider: str,
    api: str,
    request: ChatRequest,
    *,
    stated: frozenset[str] | None = None,
    listed: frozenset[str] = frozenset(),
) -> list[Rejection]:
    """
    Return the options of *request* that are known to be rejected.

    Args:
        provider: As in ``openai``.

        api: The name of the dialect.

        stated: Options that the model rejects according to the user; nothing else counts then.

        listed: Options that it rejects according to the provider's list of models.
    """
    found = (
        _rejection(name, value, provider, api, request, stated, listed) for name, value in requested_options(request)
    )
    return [one for one in found if one is not None]


def requested_options(request: ChatRequest) -> Iterator[tuple[str, Any]]:
    """Yield the options of `NAMES` that *request* sets, each with its value where it has one."""
    for name in OPTIONS:
        value = getattr(request, name)
        if value is not None and value is not False and value != ():
            yield name, value
    if request.tools:
        yield "tools", None
    if any(isinstance(part, ImagePart) for message in request.messages for part in message.parts):
        yield "images", None


def _rejection(
    name: str,
    value: Any,
    provider: str,
    api: str,
    request: ChatRequest,
    stated: frozenset[str] | None,
    listed: frozenset[str],
) -> Rejection | None:
    if stated is not None:
        return Rejection(name, name, "it is set so for this model", is_of_model=True) if name in stated else None
    if name in listed:
        return Rejection(name, name, "according to the provider's list of models", is_of_model=True)
    for rule in _rules(provider, api, request.model):
        if name in rule.options and not _is_accepted(rule, value, request):
            words = f"{name}={value!r}" if rule.allowed or rule.rejected else name
            return Rejection(name, words, rule.reason, rule.models is not None, rule.fix)
    return None


def _is_accepted(rule: Unsupported, value: Any, request: ChatRequest) -> bool:
    if rule.unless_effort and request.reasoning_effort in rule.unless_effort:
        return True
    return value not in rule.rejected if rule.rejected else value in rule.allowed


@lru_cache(maxsize=256)
def _rules(provider: str, api: str, model: str) -> tuple[Unsupported, ...]:
    entry, name = find(provider), model.lower()
    of_models = () if entry.has_deployments else (*entry.unsupported, *_OPEN_WEIGHTS)
    fitting = (rule for rule in of_models if rule.models is not None and re.search(rule.models, name))
    return (*_BY_API.get(api, ()), *fitting)
