"""Errors of Bedrock: replies of their own, and exceptions inside a stream."""

from __future__ import annotations

import json

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import Headers, JsonObject, WireReply
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.parts import errors
from llm_gateway.wire.parts.errors import kind_of, readable_text, retry_after_s

__all__ = ["error_facts", "error_facts_in_stream", "error_reply"]

_BY_TYPE: dict[str, ErrorKind] = {
    "accessdenied": "permission",
    "expiredtoken": "auth",
    "incompletesignature": "auth",
    "internalfailure": "server",
    "internalserver": "server",
    "invalidclienttokenid": "auth",
    "invalidsignature": "auth",
    "missingauthenticationtoken": "auth",
    "modelerror": "server",
    "modelnotready": "overloaded",
    "modelstreamerror": "server",
    "modeltimeout": "timeout",
    "resourcenotfound": "not_found",
    "servicequotaexceeded": "quota_exhausted",
    "serviceunavailable": "overloaded",
    "signaturedoesnotmatch": "auth",
    "throttling": "rate_limited",
    "toomanyrequests": "rate_limited",
    "unrecognizedclient": "auth",
}
"""By the name of the exception in lower case, without the suffix ``exception``, which some services leave out."""
_BY_MESSAGE: tuple[tuple[str, ErrorKind], ...] = (
    ("too many input tokens", "context_window"),
    ("model identifier is invalid", "not_found"),
    ("security token", "auth"),
)
"""By a part of the message, where there is no exception name, or a proxy dropped the header."""
_NAMES: dict[ErrorKind, str] = {
    "auth": "UnrecognizedClientException",
    "permission": "AccessDeniedException",
    "not_found": "ResourceNotFoundException",
    "rate_limited": "ThrottlingException",
    "quota_exhausted": "ServiceQuotaExceededException",
    "overloaded": "ServiceUnavailableException",
    "timeout": "ModelTimeoutException",
    "server": "InternalServerException",
}


def error_facts(status: int, headers: Headers, body: bytes) -> ErrorFacts:
    """Read an error reply; its type is in a header or in the body, with or without a namespace."""
    error = _object(body)
    type_ = next((value for name, value in headers if name.lower() == "x-amzn-errortype"), error.get("__type"))
    text = error.get("message") or error.get("Message") or readable_text(body)
    return _facts(status, type_, str(text) or f"status {status}", retry_after_s(headers))


def error_reply(status: int, facts: ErrorFacts) -> WireReply:
    """Write an error reply, its type in a header."""
    name = facts.type or _NAMES.get(facts.kind, "ValidationException")
    return errors.error_reply(status, {"message": facts.message}, facts, ("x-amzn-errortype", name))


def error_facts_in_stream(headers: dict[str, str], payload: bytes) -> ErrorFacts:
    """Read the error in a frame: an exception of the API, or an error of the stream itself."""
    type_ = headers.get(":exception-type") or headers.get(":error-code")
    text = _object(payload).get("message") or headers.get(":error-message") or type_ or "an error without a name"
    return _facts(500, type_, str(text), None)


def _facts(status: int, type_: object, message: str, wait_s: float | None) -> ErrorFacts:
    name = type_.partition(":")[0].rpartition("#")[2] if isinstance(type_, str) else None
    kind = _BY_TYPE.get(name.lower().removesuffix("exception")) if name else None
    return ErrorFacts(kind or _kind_by_message(status, name, message), message, name, wait_s)


def _kind_by_message(status: int, name: str | None, message: str) -> ErrorKind:
    for text, kind in _BY_MESSAGE:
        if text in message.lower():
            return kind
    is_invalid = name is not None and name.lower() == "validationexception"  # also inside a stream, which has no status
    return kind_of(400 if is_invalid else status, message=message)


def _object(body: bytes) -> JsonObject:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) else {}
