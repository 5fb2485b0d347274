"""What is known of a model, and how one list of a provider's models follows another."""

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
"""The words that say what a model can do."""
Lifecycle = Literal["active", "deprecated", "retired", "vanished"]
_ENDING: frozenset[Lifecycle | None] = frozenset({"deprecated", "retired", "vanished"})
_VERSION = re.compile(r"-(latest|0|\d{8})$")


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """
    What is known of a model; None is not known.

    Attributes:
        id: Its name, as calls have it.

        provider: As in ``anthropic``.

        created: When it came out.

        context_tokens: How many tokens of input it takes, or of input and output where the provider counts so.

        max_output_tokens: How many it can write in one answer.

        capabilities: What it is said to be able to do, in words of `CAPABILITIES`; None where nothing is said.

        refuses: What it is said not to take, in words of `llm_gateway.wire.params.NAMES`; None where nothing is said.

        lifecycle: As the provider says; ``vanished`` once its list no longer names the model.

        deprecated_at: When it is no longer for new work.

        retires_at: When it stops answering.

        replaced_by: The model that the provider offers instead.

        owner: Who made it, in the provider's word.

        is_fine_tuned: Whether the list says that it is trained by a customer.

        first_seen: When a list first named it, as far as lists were kept.

        last_seen: When a list last named it.
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
        """Whether it is deprecated, retired or vanished at *at*; an announced end counts unless a date says when."""
        if self.lifecycle in _ENDING:
            return True
        if self.deprecated_at is None:
            return self.retires_at is not None
        return min(self.deprecated_at, self.retires_at or self.deprecated_at) <= at


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list; *next* is the query that asks for the part after it, None at the end."""

    models: tuple[ModelInfo, ...]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Detail:
    """A second request for each model, where the list says too little: its path, its body and its reply's meaning."""

    path: str
    encode: Callable[[ModelInfo], Any]
    decode: Callable[[ModelInfo, Any], ModelInfo]


@dataclass(frozen=True, slots=True)
class Listing:
    """
    How a provider lists its models.

    Attributes:
        path: From the provider's base address, with a query that asks for long pages.

        decode: The page behind the parsed body of a reply to the provider that is named.

        leaves: An end of the base address that *path* does not lie under.

        detail: How more is asked of each model.

        base_url: Where *path* begins, if not at the provider's base address.

        also: Another list at the same address, of models that this one does not name.
    """

    path: str
    decode: Callable[[str, Any], Page]
    leaves: str = ""
    detail: Detail | None = None
    base_url: str | None = None
    also: Listing | None = None


def merge_lists(old: Iterable[ModelInfo], new: Iterable[ModelInfo], at: datetime) -> tuple[ModelInfo, ...]:
    """The list *new*, seen at *at*, with what *old* knew: a model that is gone stays, marked as vanished."""
    before = {one.id: one for one in old}
    seen = {one.id: _seen(one, before.get(one.id), at) for one in new}
    gone = [dataclasses.replace(one, lifecycle="vanished") for one in before.values() if one.id not in seen]
    return (*seen.values(), *gone)


def _seen(model: ModelInfo, before: ModelInfo | None, at: datetime) -> ModelInfo:
    first = before.first_seen if before is not None else None
    return dataclasses.replace(model, first_seen=first or at, last_seen=at)


def find_model(models: Iterable[ModelInfo], name: str) -> ModelInfo | None:
    """The one of *models* that a provider takes *name* for: its own, else the newest dated version of an alias."""
    by_id = {one.id: one for one in models}
    plain = name.removeprefix("models/")
    for one in (name, plain, f"{plain}:latest"):
        if one in by_id:
            return by_id[one]
    if re.search(r"-\d{8}$", plain):
        return None  # a version that is named has to be there
    stem = _VERSION.sub("", plain)
    versions = [one for one in by_id if re.fullmatch(rf"{re.escape(stem)}-\d{{8}}", one)]
    return by_id[max(versions)] if versions else None
