"""Errors of Google's APIs, both directions: a status by name, and details with reason, quota and wait."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import Headers, JsonObject, WireReply
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.parts.errors import error_facts, error_reply, kind_of, retry_after_s

__all__ = ["decode_error_object", "read_error", "write_error"]

_BY_STATUS: dict[str, ErrorKind] = {
    "ABORTED": "server",
    "CANCELLED": "cancelled",
    "DEADLINE_EXCEEDED": "timeout",
    "INTERNAL": "server",
    "NOT_FOUND": "not_found",
    "PERMISSION_DENIED": "permission",
    "RESOURCE_EXHAUSTED": "rate_limited",
    "UNAUTHENTICATED": "auth",
    "UNAVAILABLE": "overloaded",
    "UNKNOWN": "server",
}
_BY_REASON: dict[str, ErrorKind] = {
    "API_KEY_INVALID": "auth",  # comes with 400 and INVALID_ARGUMENT
    "BILLING_DISABLED": "quota_exhausted",
}
_PER_DAY = "PerDay"
_NAMES: dict[ErrorKind, str] = {
    **{kind: name for name, kind in _BY_STATUS.items()},
    "server": "INTERNAL",  # three names have this kind
    "quota_exhausted": "RESOURCE_EXHAUSTED",
}
_TYPES = "type.googleapis.com/google.rpc."


def read_error(status: int, headers: Headers, body: bytes) -> ErrorFacts:
    """Read an error reply; a body in another format, such as a proxy's page, is read as of any provider."""
    error = _object(body)
    if not error:
        return error_facts(status, headers, body)
    facts = decode_error_object(error, status)
    wait_s = retry_after_s(headers) if facts.retry_after_s is None else facts.retry_after_s
    return dataclasses.replace(facts, retry_after_s=wait_s)


def decode_error_object(error: JsonObject, status: int | None = None) -> ErrorFacts:
    """Read the value of ``error`` in a reply or a stream."""
    code = error.get("code")
    number = status or (code if isinstance(code, int) else 500)
    name, message = error.get("status"), str(error.get("message") or f"status {number}")
    type_ = name if isinstance(name, str) else None
    return ErrorFacts(_kind(error, number, type_, message), message, type_, _wait_s(error))


def _kind(error: JsonObject, number: int, name: str | None, message: str) -> ErrorKind:
    for detail in _details(error):
        if reason := _BY_REASON.get(str(detail.get("reason"))):
            return reason
        # Its delay ends within a minute, when the day's quota is still used up.
        if any(_PER_DAY in quota for quota in _quotas(detail)):
            return "quota_exhausted"
    return _BY_STATUS.get(name or "") or kind_of(number, message=message)


def _quotas(detail: JsonObject) -> Iterator[str]:
    yield from (str(one.get("quotaId")) for one in detail.get("violations") or () if isinstance(one, dict))
    metadata = detail.get("metadata")
    yield str(metadata.get("quota_limit")) if isinstance(metadata, dict) else ""


def _wait_s(error: JsonObject) -> float | None:
    delays = (str(detail["retryDelay"]) for detail in _details(error) if "retryDelay" in detail)
    try:
        return next((float(delay.removesuffix("s")) for delay in delays), None)
    except ValueError:
        return None


def _details(error: JsonObject) -> list[JsonObject]:
    details = error.get("details")
    return [one for one in details if isinstance(one, dict)] if isinstance(details, list) else []


def _object(body: bytes) -> JsonObject:
    """Return the error in a body; an endpoint that streams JSON wraps it in an array."""
    try:
        parsed: Any = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    error = first.get("error") if isinstance(first, dict) else None
    return error if isinstance(error, dict) else {}


def write_error(status: int, facts: ErrorFacts) -> WireReply:
    """Write an error reply, the wait in its details alone."""
    name = facts.type or _NAMES.get(facts.kind, "INVALID_ARGUMENT")
    error: JsonObject = {"code": status, "message": facts.message, "status": name}
    if details := list(_encode_details(facts)):
        error["details"] = details
    return error_reply(status, {"error": error}, dataclasses.replace(facts, retry_after_s=None))


def _encode_details(facts: ErrorFacts) -> Iterator[JsonObject]:
    if facts.kind == "quota_exhausted":
        violation = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
        yield {"@type": f"{_TYPES}QuotaFailure", "violations": [violation]}
    if facts.retry_after_s is not None:
        yield {"@type": f"{_TYPES}RetryInfo", "retryDelay": f"{facts.retry_after_s:g}s"}
