"""Options that a caller may give with the messages, and arguments of a client: their names, kinds and values."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, get_args

from llm_gateway.client.params import Policy
from llm_gateway.client.truncation import Strategy
from llm_gateway.config import LONGEST_S, GatewayConfig
from llm_gateway.exceptions import ConfigError
from llm_gateway.types import JsonObject, ReasoningEffort, Tool

__all__ = ["ChatOptions", "CompleteOptions", "NoMore", "check_no_more", "check_options"]


class CompleteOptions(TypedDict, total=False):
    """
    Options of ``complete``; None, or leaving one out, takes the client's setting.

    Attributes:
        model: A model of the client's provider.

        system: The system prompt, put in front of the messages.

        max_tokens: The most tokens that the answer may have.

        max_context_tokens: The most tokens that the input may have, by an estimate; older messages are left out.

        context_strategy: Which messages stay then; `drop_oldest` unless it is given.

        temperature: From 0 to 2.

        top_p: Of the likeliest tokens, those that make up this share; from 0 to 1.

        seed: The same seed gives the same answer, as far as the provider supports it.

        reasoning_effort: How hard to think, from ``none`` to ``max``; each model supports some of the levels.

        unsupported_params: What is done with an option that the API or the model does not take: ``error``, ``warn``
            and leave it out, or ``drop`` it; see `GatewayConfig`.

        extra: Fields of the provider's own request body, merged into it as they are.

        cache: False neither reads the cache nor writes the answer to it.

        timeout_s: How long one attempt may take; what a stream may wait for where nothing else is set.

        total_timeout_s: How long the whole call may take, its retries and fallbacks included.

        session_id: What the call belongs to, as in `LLMClient.get_session_cost`.
    """

    model: str | None
    system: str | None
    max_tokens: int | None
    max_context_tokens: int | None
    context_strategy: Strategy | None
    temperature: float | None
    top_p: float | None
    seed: int | None
    reasoning_effort: ReasoningEffort | None
    unsupported_params: Policy | None
    extra: JsonObject | None
    cache: bool | None
    timeout_s: float | None
    total_timeout_s: float | None
    session_id: str | None


class ChatOptions(CompleteOptions, total=False):
    """
    Options of ``chat`` and ``stream``.

    Attributes:
        stop: Texts, or one, at which the answer ends.

        tools: Tools that the model may call: `Tool`, or a dict with ``name``, ``description`` and ``parameters``.

        tool_choice: ``auto``, ``none``, ``required``, or the name of a tool.

        json_mode: True requests a JSON object of any shape; `complete` requests one that fits a model.
    """

    stop: str | Sequence[str]
    tools: Sequence[Tool | JsonObject]
    tool_choice: str | None
    json_mode: bool


_OPTIONS = (*ChatOptions.__required_keys__, *ChatOptions.__optional_keys__)
_SECONDS = f"a number of seconds above 0, and at most {LONGEST_S:,}"
_KINDS: dict[str, tuple[Any, str, str]] = {
    "max_context_tokens": (int, "a number of tokens above 0", "max_context_tokens=8_000"),
    "model": (str, "a name", 'model="gpt-5-mini"'),
    "stop": ((str, Sequence), "a text, or a list of texts", 'stop=["END"]'),
    "system": (str, "a text", 'system="Be brief."'),
    "timeout_s": (int | float, _SECONDS, "timeout_s=30"),
    "tools": (Sequence, "a list of tools", 'tools=[Tool("weigh", "Weigh a thing.", {"type": "object"})]'),
    "total_timeout_s": (int | float, _SECONDS, "total_timeout_s=120"),
}
"""Options whose wrong kind would otherwise end in a bare TypeError further down."""
_WORDS = {"reasoning_effort": get_args(ReasoningEffort), "unsupported_params": get_args(Policy)}


def check_options(options: Mapping[str, Any]) -> None:
    """
    Raise for an option that does not exist, as for a wrong argument, and for a value that an option cannot have.

    Raises:
        TypeError: There is no such option.
        ConfigError: An option has a value that it cannot have.
    """
    for name, value in options.items():
        if name not in _OPTIONS:
            raise TypeError(f"there is no option {name!r}; {_offer(name, _OPTIONS, 'options')}")
        if value is not None and name in _KINDS:
            _check_kind(name, value, *_KINDS[name])
        if name in _WORDS and value is not None and value not in _WORDS[name]:
            raise ConfigError(
                f"{name}={value!r} is not known",
                cause=_offer(str(value), _WORDS[name], "values"),
                fix=f"leave it out, or give one of {', '.join(map(repr, _WORDS[name]))}",
            )
    if not isinstance(options.get("extra") or {}, dict):
        raise ConfigError(
            f"extra={options['extra']!r} is no dict",
            cause="it is merged into the provider's own request body",
            fix='for example: extra={"service_tier": "flex"}',
        )


def _check_kind(name: str, value: object, kind: Any, what: str, example: str) -> None:
    is_kind = isinstance(value, kind) and not isinstance(value, bool)
    if is_kind and (not isinstance(value, int | float) or 0 < value <= LONGEST_S):
        return
    raise ConfigError(f"{name}={value!r} cannot be used", cause=f"it has to be {what}", fix=f"for example: {example}")


def _offer(name: str, known: Sequence[str], what: str) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"{what} are {', '.join(sorted(known))}"


class NoMore(TypedDict):
    """No further arguments: type checkers reject any, and `check_no_more` explains which setting was meant."""


def check_no_more(function: Callable[..., Any], unknown: Mapping[str, object]) -> None:
    """
    Raise for arguments that *function* does not have, as Python does, and name the setting that was meant.

    Raises:
        TypeError: There is one.
    """
    if not unknown:
        return
    name, value = next(iter(unknown.items()))
    keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(function).parameters.values()
    taken = [one.name for one in parameters if one.kind in keyword and one.name != "self"]
    setting = next(iter(_near(name, GatewayConfig.model_fields)), None)
    near = _near(name, taken)
    if near and name not in GatewayConfig.model_fields:
        cause, fix = f"did you mean {near[0]!r}?", f"arguments are {', '.join(taken)}"
    elif setting:
        shown = repr(value) if isinstance(value, int | float) else "..."
        cause = "it is a setting of the client" if setting == name else f"did you mean the setting {setting!r}?"
        fix = f"SyncLLMClient(config=GatewayConfig({setting}={shown})), or export LLM_{setting.upper()}=..."
    else:
        cause, fix = f"arguments are {', '.join(taken)}", "other settings: SyncLLMClient(config=GatewayConfig(...))"
    raise TypeError(f"there is no argument {name!r}\n  {cause}\n  {fix}")


def _near(name: str, known: Any) -> list[str]:
    return difflib.get_close_matches(name, list(known), n=1)
