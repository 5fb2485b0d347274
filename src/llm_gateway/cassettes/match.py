"""Matching of live requests with recorded ones: a canonical key in a hash index, so every look-up costs the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from llm_gateway.redaction.secret_patterns import QUERY
from llm_gateway.types import WireRequest

__all__ = ["Index", "Normalize", "canonical_body", "key", "place"]

Normalize = Callable[[WireRequest], WireRequest]
_PORTS = {"http": 80, "https": 443}
_IGNORED_QUERY = QUERY | frozenset({"x-amz-date", "x-amz-expires", "x-goog-date", "x-goog-expires"})
"""Query parameters that carry credentials or the time of signing, which differ between equal requests."""
_CALL_IDS = ("tool_call_id", "tool_use_id", "toolUseId", "call_id")
_CALL_KINDS = frozenset({"tool_use", "function", "function_call", "tool_call", "custom_tool_call"})
_SIGNS_OF_CALLS = re.compile(rb'call_id|tool_use|toolUse|tool_call|"function')
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)


def key(request: WireRequest) -> bytes:
    """Return a digest of *request*; credentials, ids of tool calls and the spelling of JSON do not change it."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (request.method.upper(), *place(request.url)):
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(canonical_body(request))
    return digest.digest()


@lru_cache(maxsize=512)
def place(url: str) -> tuple[str, str, str]:
    """Return the origin, path and query of *url* in one spelling, without credentials."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme.lower(), 0)
    # Without percent-encoding, but for encoded slashes, which separate nothing.
    path = unquote(parts.path.replace("%2F", "%252F").replace("%2f", "%252F")) or "/"
    query = _query(parts.query) if parts.query else []
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}:{port}", path, repr(query)


def _query(text: str) -> list[tuple[str, str]]:
    """Return the fields of a query or a form, in order, without those that differ between equal requests."""
    return sorted(pair for pair in parse_qsl(text, keep_blank_values=True) if pair[0].lower() not in _IGNORED_QUERY)


def canonical_body(request: WireRequest) -> bytes:
    """Return the body in one spelling: JSON by value, forms and multipart bodies without what differs between runs."""
    body = request.body
    if not body:
        return b""
    try:
        value = json.loads(body, parse_float=_number)
    except (ValueError, RecursionError):
        return _canonical_text(request)
    if _SIGNS_OF_CALLS.search(body):
        value = _Ordinals().apply(value)
    return json.dumps(value, sort_keys=True).encode()


def _number(text: str) -> int | float:
    """Return the number in *text*; 1.0 and 1e0 are the integer 1, as JSON makes no difference."""
    value = float(text)
    return int(value) if value.is_integer() else value


def _canonical_text(request: WireRequest) -> bytes:
    """Return a body that is no JSON in one spelling, where it is a form."""
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    if "multipart/" in kind and (boundary := _BOUNDARY.search(kind)):
        return request.body.replace(boundary[1].encode(), b"boundary")
    if kind.startswith("application/x-www-form-urlencoded"):
        return repr(_query(request.body.decode("utf-8", "replace"))).encode()
    return request.body


class _Ordinals:
    """Replacement of the ids of tool calls by ordinals, in order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[str, str] = {}

    def apply(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.apply(item) for item in value]
        if not isinstance(value, dict):
            return value
        named = _CALL_IDS + (("id",) if value.get("type") in _CALL_KINDS else ())
        return {
            name: self._number(item) if name in named and isinstance(item, str) else self.apply(item)
            for name, item in value.items()
        }

    def _number(self, identity: str) -> str:
        return self._numbers.setdefault(identity, f"call_{len(self._numbers) + 1}")


class Index:
    """Positions of recorded requests by key; equal requests are returned in recorded order, each once."""

    def __init__(self, requests: Iterable[WireRequest], normalize: Normalize | None = None) -> None:
        self._key = key if normalize is None else lambda request: key(normalize(request))
        self._waiting: dict[bytes, deque[int]] = defaultdict(deque)
        for position, request in enumerate(requests):
            self._waiting[self._key(request)].append(position)

    def take(self, request: WireRequest) -> int | None:
        """Remove and return the position of the next recorded request that equals *request*, or None."""
        waiting = self._waiting.get(self._key(request))
        return waiting.popleft() if waiting else None

    def put_back(self, position: int, request: WireRequest) -> None:
        """Make the request at *position* available again, before others that equal it."""
        self._waiting[self._key(request)].appendleft(position)
