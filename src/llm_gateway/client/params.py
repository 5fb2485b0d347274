"""Options that an API or a model does not support: the call is rejected, or sent without them."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from llm_gateway.exceptions import ProviderError, UnsupportedParamWarning
from llm_gateway.providers.base import HttpProvider, ProcessProvider, Provider
from llm_gateway.types import ChatRequest
from llm_gateway.wire.params import CONTENT, Rejection, rejections, requested_options

__all__ = ["Params", "Policy"]

Policy: TypeAlias = Literal["error", "warn", "drop"]
BuiltIn: TypeAlias = HttpProvider | ProcessProvider
Names: TypeAlias = frozenset[str] | None
_SETTINGS = frozenset({"temperature", "top_p", "seed", "reasoning_effort"})
_UNSET: dict[str, Any] = {"stop": (), "json_mode": False}
_HERE = str(Path(__file__).parent.parent)


@dataclass
class Params:
    """
    The policy of a client for unsupported options.

    Attributes:
        policy: As in `GatewayConfig`.

        unsupported_by: Returns the options that a request's model does not take, as the user and as the provider's list
            state them; see `ModelCatalog.unsupported_options`.

        warned: Warnings that were given, by provider, model and option.
    """

    policy: Policy = "error"
    unsupported_by: Callable[[BuiltIn, ChatRequest], tuple[Names, Names]] | None = None
    warned: set[tuple[str, str, str]] = field(default_factory=set[tuple[str, str, str]])

    def fit(self, provider: Provider, request: ChatRequest) -> tuple[ChatRequest, tuple[str, ...]]:
        """
        Return *request* as it can be sent, and the names of the options that were left out.

        Raises:
            ProviderError: (``unsupported_param``) It has an unsupported option that may not, or cannot, be left out.
        """
        if not isinstance(provider, HttpProvider | ProcessProvider) or next(requested_options(request), None) is None:
            return request, ()
        found = self._rejections(provider, request)
        if not found:
            return request, ()
        needed = found if self.policy == "error" else [one for one in found if one.name in CONTENT]
        if needed:
            raise _error(provider.name, request.model, needed)
        for one in found if self.policy == "warn" else ():
            self._warn(provider.name, request.model, one)
        unsupported: dict[str, Any] = {one.name: _UNSET.get(one.name) for one in found}
        return dataclasses.replace(request, **unsupported), tuple(unsupported)

    def _rejections(self, provider: BuiltIn, request: ChatRequest) -> list[Rejection]:
        stated, listed = self.unsupported_by(provider, request) if self.unsupported_by is not None else (None, None)
        return rejections(provider.name, provider.dialect.name, request, stated=stated, listed=listed or frozenset())

    def _warn(self, provider: str, model: str, one: Rejection) -> None:
        if (provider, model, one.name) in self.warned:
            return
        self.warned.add((provider, model, one.name))
        text = f"{_subject(provider, model, [one])} takes no {one.words}, so it is left out: {one.why}"
        if sys.version_info >= (3, 12):
            warnings.warn(text, UnsupportedParamWarning, skip_file_prefixes=(_HERE,))
        else:
            warnings.warn(text, UnsupportedParamWarning, stacklevel=2)


def _subject(provider: str, model: str, found: list[Rejection]) -> str:
    return f"{provider}:{model}" if any(one.is_of_model for one in found) else provider


def _error(provider: str, model: str, found: list[Rejection]) -> ProviderError:
    return ProviderError(
        f"{_subject(provider, model, found)} takes no {', '.join(one.words for one in found)}",
        kind="unsupported_param",
        provider=provider,
        cause="; ".join(dict.fromkeys(one.why for one in found)),
        fix="\n".join([*_ways(found), _last_way(provider, model, found)]),
    )


def _ways(found: list[Rejection]) -> list[str]:
    return [f"use its own field: {one.fix}" for one in found if one.fix]


def _last_way(provider: str, model: str, found: list[Rejection]) -> str:
    if all(one.name in CONTENT for one in found):
        return f'choose another model; if this one takes them: register_model("{provider}:{model}", refuses=[])'
    unset = [f"unset LLM_{one.name.upper()}" for one in found if one.name in _SETTINGS]
    leave = " or ".join(["leave it out", *([" and ".join(unset)] if unset else [])])
    return f"{leave}; to send calls without what is not taken: export LLM_UNSUPPORTED_PARAMS=warn"
