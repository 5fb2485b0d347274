"""
What APIs and models do not take: the one table of it.

It holds what is known for sure; whatever else is asked is sent, and the provider answers for itself. Names of
deployments on Azure say nothing of the model behind them, so no row is about those.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from llm_gateway.types import ChatRequest, ImagePart

__all__ = ["CONTENT", "NAMES", "OPTIONS", "Refusal", "asked", "refused"]

OPTIONS = ("temperature", "top_p", "seed", "reasoning_effort", "stop", "json_mode")
"""What a request can do without."""
CONTENT = ("images", "tools")
"""What it cannot: without these it would be another request."""
NAMES = frozenset({*OPTIONS, *CONTENT})
_SAMPLING = OPTIONS[:2]
_EFFORT = ("reasoning_effort",)


@dataclass(frozen=True, slots=True)
class Refusal:
    """
    Something that is asked, and not taken.

    Attributes:
        name: One of `NAMES`.

        words: The same with its value, where another value would be taken.

        why: The reason.

        is_of_model: Whether it is the model that does not take it, and not the whole API.

        fix: Another way to say it, where there is one.
    """

    name: str
    words: str
    why: str
    is_of_model: bool
    fix: str | None = None


Takes = Callable[[ChatRequest, Any], bool]


@dataclass(frozen=True, slots=True)
class _Row:
    """What is not taken, but for values that *takes* lets through; *model* is None for the API as a whole."""

    names: tuple[str, ...]
    why: str
    model: re.Pattern[str] | None = None
    takes: Takes | None = None
    fix: str | None = None


def _of(model: str, names: tuple[str, ...], why: str, takes: Takes | None = None, fix: str | None = None) -> _Row:
    return _Row(names, why, re.compile(model), takes, fix)


def _levels(*levels: str) -> Takes:
    return lambda _, value: value in levels


def _one(_: ChatRequest, value: Any) -> bool:
    return bool(value == 1)


def _one_while(*efforts: str | None) -> Takes:
    """1 while the model reasons, anything at the *efforts* at which it does not."""
    return lambda request, value: value == 1 or request.reasoning_effort in efforts


_NO_MEMBER = "its API has no member for it"
_REASONS = "it reasons, and takes 1 alone"
_NO_LEVEL = "it has no such level"
_NO_REASONING = "it does not reason"
_TEXT_ONLY = "it reads text alone"
_BUDGET = "it thinks within a budget of tokens, and knows no levels"
_THINKING = '{"type": "enabled", "budget_tokens": 2048}'
_FIELDS = "additionalModelRequestFields"
_OF_GEMINI = 'extra={"generationConfig": {"thinkingConfig": {"thinkingBudget": 2048}}}'

_BY_API = {
    # Version 2026-10-21 of the API; the SDK of that version has no such arguments.
    "anthropic.messages": (
        _Row(_SAMPLING, "its API refuses the whole request"),
        _Row(("seed",), _NO_MEMBER),
    ),
    "bedrock.converse": (_Row(("seed",), _NO_MEMBER, fix=f'extra={{"{_FIELDS}": {{"seed": 7}}}}'),),
    "claude_cli": (_Row(("temperature", "top_p", "seed", "stop"), "it has no option for that"),),
    "cohere.v2.chat": (
        _Row(_EFFORT, _BUDGET, None, _levels("none"), 'extra={"thinking": {"type": "enabled", "token_budget": 2048}}'),
    ),
    "openai.responses": (_Row(("seed", "stop"), _NO_MEMBER),),
}
"""By the name of the dialect; from the official SDKs' types."""

_OLD_CLAUDE = r"claude-(v?[123]|instant|(haiku|opus|sonnet)-4(-[015])?(-\d{8}|-v\d|@|$))"
_GEMINI = (
    _of(r"gemini-(1|2\.0)", _EFFORT, _NO_REASONING),
    _of(r"gemini-2\.5-pro", _EFFORT, _BUDGET, None, _OF_GEMINI),
    _of(r"gemini-2\.5", _EFFORT, _BUDGET, _levels("none"), _OF_GEMINI),
    _of(r"gemini-[3-9]", _EFFORT, _NO_LEVEL, _levels("minimal", "low", "medium", "high", "xhigh")),
)
"""ai.google.dev/gemini-api/docs/thinking, and google-genai's ThinkingLevel."""

_BY_PROVIDER = {
    "anthropic": (
        _of(_OLD_CLAUDE, _EFFORT, _BUDGET, None, f'extra={{"thinking": {_THINKING}}}'),
        # Guide to adaptive thinking on Bedrock: these always think.
        _of(r"claude-(fable|mythos)-5", _EFFORT, "it always thinks", lambda _, value: value != "none"),
    ),
    "bedrock": (
        _of(_OLD_CLAUDE, _EFFORT, _BUDGET, None, f'extra={{"{_FIELDS}": {{"thinking": {_THINKING}}}}}'),
        _of(r"claude-(fable|mythos)-5", _EFFORT, "it always thinks", lambda _, value: value != "none"),
        # "What's new in Claude 4.7": sampling parameters are gone.
        _of(r"claude-opus-4-7", _SAMPLING, "it refuses the whole request"),
        _of(r"nova-2", _EFFORT, _NO_LEVEL, _levels("none", "low", "medium", "high")),
    ),
    "gemini": _GEMINI,
    "vertex": _GEMINI,
    # groq 1.7, types of chat completions.
    "groq": (
        _of(r"llama-(3|4|guard)|gemma", _EFFORT, _NO_REASONING),
        _of("", _EFFORT, "its host has no such level", _levels("none", "low", "medium", "high")),
    ),
    # together 3.1, types of chat completions.
    "together": (_of("", _EFFORT, "its host has no such level", _levels("low", "medium", "high")),),
    # docs.x.ai, guide to reasoning.
    "xai": (_of(r"^grok-4(-\d{4}|-latest|-fast\S*|-1-fast\S*)?$|^grok-code-fast-1", _EFFORT, "it has no levels"),),
    # developers.openai.com: guide to reasoning, parameter compatibility of 5.1 to 5.4, and openai 3.52's types.
    "openai": (
        _of(r"^(o[134](-|$)|gpt-5(-mini|-nano|-\d{4}|$))", _SAMPLING, _REASONS, _one),
        _of(r"^gpt-5\.[1-4](-mini|-nano|-\d{4}|$)", _SAMPLING, _REASONS, _one_while(None, "none")),
        _of(r"^(gpt-3|gpt-4|chatgpt|gpt-5-chat)", _EFFORT, _NO_REASONING),
        _of(r"^gpt-5(-mini|-nano|-\d{4}|$)", _EFFORT, _NO_LEVEL, _levels("minimal", "low", "medium", "high")),
        _of(r"^gpt-5\.1(-\d{4}|$)", _EFFORT, _NO_LEVEL, _levels("none", "low", "medium", "high")),
        _of(r"^o[134](-|$)", _EFFORT, _NO_LEVEL, _levels("low", "medium", "high")),
        _of(r"^(o3|o4-mini)(-\d{4}|$)", ("stop",), "it refuses the whole request"),
        _of(r"^(gpt-3\.5|gpt-4(-32k)?(-\d{4})?(-preview)?$|gpt-4-turbo-preview|o3-mini)", ("images",), _TEXT_ONLY),
    ),
    "cohere": (_of(r"^command-(r|a-03)", ("images",), _TEXT_ONLY),),
}
_ANYWHERE = (_of(r"llama-?3\.[13](?!\d)|gpt-oss", ("images",), _TEXT_ONLY),)
"""Open weights, whoever serves them."""


def refused(
    provider: str,
    api: str,
    request: ChatRequest,
    *,
    said: frozenset[str] | None = None,
    listed: frozenset[str] = frozenset(),
) -> list[Refusal]:
    """
    What of *request* is known not to be taken.

    Args:
        provider: As in ``openai``.

        api: The name of the dialect.

        said: What the user says that the model does not take; nothing else counts then.

        listed: What the provider's own list says of the model.
    """
    found = (_refusal(name, value, provider, api, request, said, listed) for name, value in asked(request))
    return [one for one in found if one is not None]


def asked(request: ChatRequest) -> Iterator[tuple[str, Any]]:
    """What of `NAMES` *request* asks for, with its value where it has one."""
    for name in OPTIONS:
        value = getattr(request, name)
        if value is not None and value is not False and value != ():
            yield name, value
    if request.tools:
        yield "tools", None
    if any(isinstance(part, ImagePart) for message in request.messages for part in message.parts):
        yield "images", None


def _refusal(
    name: str,
    value: Any,
    provider: str,
    api: str,
    request: ChatRequest,
    said: frozenset[str] | None,
    listed: frozenset[str],
) -> Refusal | None:
    if said is not None:
        return Refusal(name, name, "so it was said of this model", is_of_model=True) if name in said else None
    if name in listed:
        return Refusal(name, name, "the provider's list of models says so", is_of_model=True)
    for row in _rows(provider, api, request.model):
        if name in row.names and not (row.takes and row.takes(request, value)):
            words = name if row.takes is None else f"{name}={value!r}"
            return Refusal(name, words, row.why, row.model is not None, row.fix)
    return None


@lru_cache(maxsize=256)
def _rows(provider: str, api: str, model: str) -> tuple[_Row, ...]:
    of_models = () if provider == "azure" else (*_BY_PROVIDER.get(provider, ()), *_ANYWHERE)
    name = model.lower()
    return (*_BY_API.get(api, ()), *(row for row in of_models if row.model and row.model.search(name)))
