"""Facts about models, lists of models, and the merge of a new list with an old one."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

__all__ = ["CAPABILITIES", "Detail", "Lifecycle", "Listing", "ModelInfo", "Page", "find_model", "merge_lists"]

CAPABILITIES = frozenset(
    "audio chat embeddings images json_schema moderation pdf reasoning rerank streaming tools".split(),
)
"""Names of what a model can do."""
Lifecycle = Literal["active", "deprecated", "retired", "vanished"]
_ENDING: frozenset[Lifecycle | None] = frozenset({"deprecated", "retired", "vanished"})
_VERSION = re.compile(r"-(latest|0|\d{8})$")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """
    Facts about a model; None means unknown.

    Attributes:
        id: Its name, as in requests.

        provider: As in ``anthropic``.

        created: When it came out.

        context_tokens: How many tokens of input it takes, or of input and output where the provider counts so.

        max_output_tokens: How many it can write in one answer.

        capabilities: Supported features, as in `CAPABILITIES`; None where the list has none.

        refuses: Unsupported parameters, as in `llm_gateway.wire.params.NAMES`; None where the list has none.

        lifecycle: As the provider lists it; ``vanished`` once the model is missing from its list.

        deprecated_at: When it is no longer meant for new work.

        retires_at: When it stops answering.

        replaced_by: The model that the provider offers instead.

        owner: Its maker, as the provider names it.

        is_fine_tuned: True where the list marks it as trained by a customer.

        first_seen: When a list first contained it, as far as lists were kept.

        last_seen: When a list last contained it.
    """

    id: str
    provider: str
    created: datetime | None = None
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    capabilities: frozenset[str] | None = None
    refuses: frozenset[str] | None = None
    lifecycle: Lifecycle | None = None
    deprecated_at: datetime | None = None
    retires_at: datetime | None = None
    replaced_by: str | None = None
    owner: str | None = None
    is_fine_tuned: bool = False
    first_seen: datetime | None = None
    last_seen: datetime | None = None

    def is_deprecated(self, at: datetime) -> bool:
        """Return True when it is deprecated, retired or vanished at *at*; an announced end without a date counts."""
        if self.lifecycle in _ENDING:
            return True
        if self.deprecated_at is None:
            return self.retires_at is not None
        return min(self.deprecated_at, self.retires_at or self.deprecated_at) <= at


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list; *next* is the query of the next page, None at the end."""

    models: tuple[ModelInfo, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """Second request for each model, where the list has too few details: path, request body and reply decoder."""

    path: str
    encode: Callable[[ModelInfo], Any]
    decode: Callable[[ModelInfo, Any], ModelInfo]


@dataclass(frozen=True, slots=True)
class Listing:
    """
    API with which a provider lists its models.

    Attributes:
        path: Relative to the provider's base URL, with a query for long pages.

        decode: Function from a provider name and a parsed reply body to a page.

        leaves: Suffix of the base URL that *path* does not share.

        detail: Request for more details of each model.

        base_url: Base URL of *path*, if it is not the provider's.

        also: Another list at the same URL, of models that this one leaves out.
    """

    path: str
    decode: Callable[[str, Any], Page]
    leaves: str = ""
    detail: Detail | None = None
    base_url: str | None = None
    also: Listing | None = None


def merge_lists(old: Iterable[ModelInfo], new: Iterable[ModelInfo], at: datetime) -> tuple[ModelInfo, ...]:
    """Return the list *new* of time *at*, with the models that only *old* contains marked as vanished."""
    before = {one.id: one for one in old}
    seen = {one.id: _seen(one, before.get(one.id), at) for one in new}
    gone = [dataclasses.replace(one, lifecycle="vanished") for one in before.values() if one.id not in seen]
    return (*seen.values(), *gone)


def _seen(model: ModelInfo, before: ModelInfo | None, at: datetime) -> ModelInfo:
    first = before.first_seen if before is not None else None
    return dataclasses.replace(model, first_seen=first or at, last_seen=at)


def find_model(models: Iterable[ModelInfo], name: str) -> ModelInfo | None:
    """Return the model that *name* selects among *models*: its own, else the newest dated version of an alias."""
    by_id = {one.id: one for one in models}
    plain = name.removeprefix("models/")
    for one in (name, plain, f"{plain}:latest"):
        if one in by_id:
            return by_id[one]
    if re.search(r"-\d{8}$", plain):
        return None  # a dated version is never replaced by another
    stem = _VERSION.sub("", plain)
    versions = [one for one in by_id if re.fullmatch(rf"{re.escape(stem)}-\d{{8}}", one)]
    return by_id[max(versions)] if versions else None
