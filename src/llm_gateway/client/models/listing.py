"""List the models of a provider, as flows of steps: the same for sync and async."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from llm_gateway.client.models.catalog import ModelCatalog
from llm_gateway.client.models.nearest import nearest_of
from llm_gateway.client.models.store import Listed
from llm_gateway.client.redact_key import redact_key_bytes
from llm_gateway.client.retry import wait_s
from llm_gateway.exceptions import ConfigError, ProviderError, UnknownModelError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Flow, Send, Sleep
from llm_gateway.providers.base import HttpProvider, Provider, provider_name
from llm_gateway.types import Headers, WireReply, WireRequest
from llm_gateway.wire.models import Listing, ModelInfo, Page, find_model

__all__ = ["ModelLister"]

_log = logging.getLogger("llm_gateway.models")
_FRESH = timedelta(hours=24)
_MOST_PAGES = 50  # a server whose list never ends is not read forever
_RAW = 2000


@dataclass(frozen=True, slots=True)
class ModelLister:
    """Lister of the models of *provider*; lists are kept by *catalog*, as seen at *at*."""

    provider: Provider
    catalog: ModelCatalog
    max_retries: int
    at: datetime

    def refresh(self) -> Flow:
        """
        Request the list and return `ModelInfo` of every model, vanished ones included.

        Raises:
            ConfigError: The provider has no list.
            ProviderError: The provider refused or failed.
        """
        return self.catalog.all(self.provider, (yield from self._fetch_list()))

    def available(self, *, include_deprecated: bool, include_fine_tuned: bool) -> Flow:
        """Return the models for use, from a list of the last day or a new one."""
        listed = yield from self._current()
        return [
            one
            for one in self.catalog.all(self.provider, listed)
            if (include_deprecated or not one.is_deprecated(self.at)) and (include_fine_tuned or not one.is_fine_tuned)
        ]

    def validate(self, name: str) -> Flow:
        """
        Return True if the provider has the model *name*; a kept list that lacks it is requested again first.

        Raises:
            UnknownModelError: The provider has no such model; the text offers the nearest names.
        """
        listed = yield from self._current()
        if not self._has(listed, name) and listed is not None and listed.at != self.at:
            listed = yield from self._fetch_list()
        if not self._has(listed, name):
            self._raise_unknown(listed, name)
        return True

    def _has(self, listed: Listed | None, name: str) -> bool:
        found = find_model(self.catalog.all(self.provider, listed), name)
        return found is not None and found.lifecycle not in ("vanished", "retired")

    def _raise_unknown(self, listed: Listed | None, name: str) -> None:
        own, models = provider_name(self.provider), self.catalog.all(self.provider, listed)
        gone = find_model(models, name)
        names = [one.id for one in models if not one.is_deprecated(self.at)]
        near = nearest_of(name, names)
        why = [f"it was last listed on {gone.last_seen:%Y-%m-%d}"] if gone and gone.last_seen else []
        why += [f"{own} offers {gone.replaced_by!r} instead"] if gone and gone.replaced_by else []
        why += [f"did you mean {' or '.join(map(repr, near))}?"] if near else []
        raise UnknownModelError(
            f"{own} lists no model {name!r}",
            nearest=near,
            cause="\n".join(why) or None,
            fix=f"get_available_models() has all {len(names)}; for one that no list names: "
            f'register_model("{own}:{name}")',
        )

    def _current(self) -> Flow:
        """Return the kept list while it is fresh, else a new one; an old one where the provider cannot be reached."""
        listed: Listed | None = yield steps.Call(lambda: self.catalog.listed(self.provider))
        if listed is not None and listed.at <= self.at < listed.at + _FRESH:
            return listed
        if listed is None and not _is_listing(self.provider) and self.catalog.names(self.provider):
            return None  # the models that the user registered are all there are
        try:
            return (yield from self._fetch_list())
        except ProviderError as error:
            if listed is None or not error.is_retryable:
                raise
            _log.warning("%s; its models are as listed on %s", error.message, f"{listed.at:%Y-%m-%d}")
            return listed

    def _fetch_list(self) -> Flow:
        provider = self.provider
        if not isinstance(provider, HttpProvider) or provider.models is None:
            raise ConfigError(
                f"{provider_name(provider)} has no list of models",
                cause="it has no API that lists them",
                fix=f'register its models: register_model("{provider_name(provider)}:<model>", context_tokens=...)',
            )
        models = yield from _pages(provider, provider.models, self.max_retries)
        return (yield steps.Call(lambda: self.catalog.store.update(provider.name, provider.base_url, models, self.at)))


def _is_listing(provider: Provider) -> bool:
    return isinstance(provider, HttpProvider) and provider.models is not None


def _pages(provider: HttpProvider, listing: Listing, max_retries: int) -> Flow:
    """Return all models of a list, page after page."""
    path, _, query = listing.path.partition("?")
    found: list[ModelInfo] = []
    for _ in range(_MOST_PAGES):
        target = f"{path}?{query}" if query else path
        body = yield from _fetch_json(provider, _request(provider, listing, target), max_retries)
        page: Page = _decoded(provider, listing, body)
        found += page.models
        if page.next is None:
            break
        query = page.next
    else:
        raise ProviderError(
            f"{provider.name} lists models without an end",
            kind="invalid_request",
            provider=provider.name,
            cause=f"after {_MOST_PAGES} pages it names another one: {query!r}",
            fix="check LLM_BASE_URL: it may be the address of another server",
        )
    if listing.detail is not None:
        found = yield from _fetch_details(provider, listing, found, max_retries)
    if listing.also is None:
        return found
    also = dataclasses.replace(listing.also, base_url=listing.base_url)
    return [*found, *(yield from _pages(provider, also, max_retries))]


def _fetch_details(provider: HttpProvider, listing: Listing, models: Sequence[ModelInfo], max_retries: int) -> Flow:
    """Return *models* with the details of each; one that has vanished by then is left as it was listed."""
    detail, whole = listing.detail, list[ModelInfo]()
    assert detail is not None
    for model in models:
        request = _request(provider, listing, detail.path, json.dumps(detail.encode(model)).encode())
        try:
            whole.append(detail.decode(model, (yield from _fetch_json(provider, request, max_retries))))
        except (ProviderError, TypeError, AttributeError) as error:
            if isinstance(error, ProviderError) and error.kind != "not_found":
                raise
            whole.append(model)
    return whole


def _request(provider: HttpProvider, listing: Listing, target: str, body: bytes = b"") -> WireRequest:
    headers = (("accept", "application/json"), *provider.headers)
    headers += (("content-type", "application/json"),) if body else ()
    base_url = listing.base_url or provider.base_url.removesuffix(listing.leaves)
    return WireRequest("POST" if body else "GET", base_url + target, headers, body)


def _fetch_json(provider: HttpProvider, request: WireRequest, max_retries: int) -> Flow:
    """Return the parsed body that answers *request*, retried while that may help."""
    auth, attempt = provider.auth, 0
    while True:
        attempt += 1
        try:
            sent = (yield steps.Call(lambda: auth.apply(request))) if auth.may_wait else auth.apply(request)
            reply: WireReply = yield Send(sent, provider.client)
            return _parsed(provider, reply.status, reply.headers, redact_key_bytes(provider, reply.body))
        except ProviderError as error:
            seconds = wait_s(error, attempt, max_retries)
            if seconds is None:
                raise
        yield Sleep(seconds)


def _parsed(provider: HttpProvider, status: int, headers: Headers, body: bytes) -> Any:
    if not 200 <= status < 300:
        facts = provider.dialect.decode_error(status, headers, body)
        raise ProviderError(
            f"{provider.name} answered {status} to the request for its models: {facts.message}",
            kind=facts.kind,
            provider=provider.name,
            status=status,
            retry_after_s=facts.retry_after_s,
            raw=_text(body),
            fix="check that the key may list models, and LLM_BASE_URL if it is set",
        )
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise _not_a_list(provider, body) from None


def _decoded(provider: HttpProvider, listing: Listing, body: Any) -> Page:
    try:
        return listing.decode(provider.name, body)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        raise _not_a_list(provider, json.dumps(body).encode()) from None


def _not_a_list(provider: HttpProvider, body: bytes) -> ProviderError:
    return ProviderError(
        f"{provider.name} answered with something that is no list of models",
        kind="invalid_request",
        provider=provider.name,
        raw=_text(body),
        cause=f"it begins with {_text(body)[:100]!r}",
        fix="check LLM_BASE_URL: it may be the address of another server",
    )


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")[:_RAW]
