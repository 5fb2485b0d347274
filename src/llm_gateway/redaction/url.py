"""URLs and forms without the credentials that they carry, all else in its own spelling."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_plus

from llm_gateway.redaction.secret_patterns import QUERY, REDACTED_IN_URL

__all__ = ["clean_query", "clean_url"]


def clean_url(url: str, clean: Callable[[bytes], bytes]) -> str:
    """
    Return *url* without login, with secret parameters replaced and *clean* applied to all after the host.

    The host stays: a recording that went elsewhere could not be matched.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "", url
    end = min((place for mark in "/?#" if (place := rest.find(mark)) >= 0), default=len(rest))
    login, at, host = rest[:end].rpartition("@")
    path, question, query = rest[end:].partition("?")
    kept = _text(clean, path) + question + _text(clean, clean_query(query))
    return scheme + separator + (REDACTED_IN_URL.decode() + at if login else "") + host + kept


def clean_query(query: str) -> str:
    """Return a query or a form with the values of secret parameters replaced."""
    return "&".join(_parameter(pair) for pair in query.split("&"))


def _parameter(pair: str) -> str:
    name, equals, value = pair.partition("=")
    if not value or unquote_plus(name).lower() not in QUERY:
        return pair
    return name + equals + REDACTED_IN_URL.decode()


def _text(clean: Callable[[bytes], bytes], text: str) -> str:
    return clean(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
