"""Error replies of HTTP providers, both directions: kind, message, wait, and the numbers of a context overflow."""

from __future__ import annotations

import html
import json
import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from llm_gateway.exceptions import ErrorKind
from llm_gateway.types import Headers, JsonObject, WireReply
from llm_gateway.wire.base import ErrorFacts

__all__ = [
    "Overflow",
    "encode_openai_error",
    "error_facts",
    "error_facts_in_stream",
    "error_reply",
    "facts_from_status",
    "kind_of",
    "read_overflow",
    "readable_text",
    "retry_after_s",
]

_BY_STATUS: dict[int, ErrorKind] = {
    401: "auth",
    402: "quota_exhausted",
    403: "permission",
    404: "not_found",
    407: "auth",
    408: "timeout",
    413: "invalid_request",
    429: "rate_limited",
    503: "overloaded",
    504: "timeout",
    529: "overloaded",
}
_BY_TYPE: dict[str, ErrorKind] = {
    "authentication_error": "auth",
    "invalid_api_key": "auth",
    "permission_error": "permission",
    "not_found_error": "not_found",
    "model_not_found": "not_found",
    "rate_limit_error": "rate_limited",
    "rate_limit_exceeded": "rate_limited",
    "insufficient_quota": "quota_exhausted",
    "billing_error": "quota_exhausted",
    "overloaded_error": "overloaded",
    "server_is_overloaded": "overloaded",
    "timeout_error": "timeout",
    "api_error": "server",
    "server_error": "server",
    "context_length_exceeded": "context_window",
    "content_filter": "content_filter",
    "content_policy_violation": "content_filter",
    "unknown_parameter": "unsupported_param",
    "unsupported_parameter": "unsupported_param",
    "unsupported_value": "unsupported_param",
}
_CONTEXT_MESSAGES = (
    "prompt is too long",
    "maximum context length",
    "context window",
    "input is too long",
    "exceed context limit",  # anthropic, with max_tokens
    "exceeds the maximum number of tokens",  # gemini
    "maximum prompt length",  # xai
    "exceeded model token limit",  # moonshot
)
_LONGEST = 500
_OPENAI: dict[ErrorKind, tuple[str, str | None]] = {
    "auth": ("invalid_request_error", "invalid_api_key"),
    "not_found": ("invalid_request_error", "model_not_found"),
    "context_window": ("invalid_request_error", "context_length_exceeded"),
    "content_filter": ("invalid_request_error", "content_policy_violation"),
    "unsupported_param": ("invalid_request_error", "unsupported_parameter"),
    "rate_limited": ("requests", "rate_limit_exceeded"),
    "quota_exhausted": ("insufficient_quota", "insufficient_quota"),
    "overloaded": ("service_unavailable_error", "server_is_overloaded"),
    "timeout": ("timeout_error", None),
    "server": ("server_error", None),
}
"""Type and code of each kind, as OpenAI and compatible hosts write them."""
_LONGEST_MESSAGE = 2000
_LONGEST_PAGE = 8_000
_INVISIBLE = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)


def kind_of(status: int, *names: str | None, message: str = "") -> ErrorKind:
    """Return the kind of an error: by its type or code first, then its message, then the status."""
    for name in names:
        if name in _BY_TYPE:
            return _BY_TYPE[name]
    if any(words in message.lower() for words in _CONTEXT_MESSAGES):
        return "context_window"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "server" if status >= 500 else "invalid_request"


def retry_after_s(headers: Headers) -> float | None:
    """Return the wait in seconds that the reply requests; a date is relative to the date of the reply."""
    values = {name.lower(): value for name, value in headers}
    requested = values.get("retry-after", "")
    try:
        seconds = float(values["retry-after-ms"]) / 1000 if "retry-after-ms" in values else float(requested)
    except ValueError:
        return _seconds_between(values.get("date", ""), requested)
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _seconds_between(sent: str, until: str) -> float | None:
    try:
        return max(0.0, (parsedate_to_datetime(until) - parsedate_to_datetime(sent)).total_seconds())
    except (ValueError, TypeError):  # not a date, or only one of them has a time zone
        return None


def error_facts(status: int, headers: Headers, body: bytes) -> ErrorFacts:
    """Read an error reply, whatever its body: the usual object, text, HTML or nothing."""
    error = _error_object(body)
    stated = str(error.get("message") or error.get("detail") or "")[:_LONGEST_MESSAGE]
    message = stated or readable_text(body) or f"status {status}"
    code, type_ = _names(error)
    return ErrorFacts(kind_of(status, code, type_, message=message), message, type_ or code, retry_after_s(headers))


def error_facts_in_stream(error: JsonObject, otherwise: str) -> ErrorFacts:
    """Read an error inside a stream, which may state a status; *otherwise* is the message if it has none."""
    code, type_ = _names(error)
    stated = [value for name in ("status_code", "code") if isinstance(value := error.get(name), int)]
    status = stated[0] if stated else 400 if "invalid_request_error" in (code, type_) else 500
    message = str(error.get("message") or otherwise)[:_LONGEST_MESSAGE]
    return ErrorFacts(kind_of(status, code, type_, message=message), message, type_ or code)


def _names(error: JsonObject) -> tuple[str | None, str | None]:
    code, type_ = error.get("code"), error.get("type")
    return code if isinstance(code, str) else None, type_ if isinstance(type_, str) else None


def readable_text(body: bytes) -> str:
    """Return the readable text of a body that is no JSON: the title or the text of a page, else its beginning."""
    text = body[:_LONGEST_PAGE].decode("utf-8", "replace").strip()
    if not text.startswith("<"):
        return text[:_LONGEST]
    title = _TITLE.search(text)
    seen = html.unescape(title[1] if title else _INVISIBLE.sub(" ", text))
    return " ".join(seen.split())[:_LONGEST] or text[:_LONGEST]


def _error_object(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = parsed.get("error", parsed) if isinstance(parsed, dict) else {}
    return error if isinstance(error, dict) else {"message": str(error)}


def facts_from_status(status: int, message: str, *, retry_after_s: float | None = None) -> ErrorFacts:
    """Return an error of which only the status is known."""
    return ErrorFacts(kind_of(status), message, retry_after_s=retry_after_s)


def error_reply(status: int, body: JsonObject, facts: ErrorFacts, *headers: tuple[str, str]) -> WireReply:
    """Return an error reply with *body*, and the wait of *facts* in ``retry-after``."""
    raw = json.dumps(body).encode()
    sized = (("content-type", "application/json"), ("content-length", str(len(raw))))
    return WireReply(status, (*sized, *headers, *_wait(facts.retry_after_s)), raw)


def _wait(seconds: float | None) -> Headers:
    """Return the headers for a wait: fractions of a second in milliseconds too, as not every SDK reads them."""
    if seconds is None:
        return ()
    whole = ("retry-after", f"{seconds:g}")
    return (whole,) if float(seconds).is_integer() else (whole, ("retry-after-ms", f"{seconds * 1000:g}"))


def encode_openai_error(status: int, facts: ErrorFacts) -> WireReply:
    """Write an error reply of OpenAI."""
    type_, code = _OPENAI.get(facts.kind, ("invalid_request_error", None))
    error = {"message": facts.message, "type": facts.type or type_, "param": None, "code": code}
    return error_reply(status, {"error": error}, facts, ("x-request-id", "req_injected"))


@dataclass(frozen=True, slots=True)
class Overflow:
    """
    Numbers in an error about a prompt that is too long.

    Attributes:
        counted: Input tokens of the request.

        limit: Input tokens that the model accepts.
    """

    counted: int
    limit: int


_N = r"(?P<{}>\d[\d,]*)"
_COUNTED, _LIMIT, _OUTPUT = (_N.format(name) for name in ("counted", "limit", "output"))
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.DOTALL)
    for form in (
        rf"context limit: {_COUNTED} \+ {_OUTPUT} > {_LIMIT}",  # anthropic, with max_tokens
        rf"{_COUNTED} tokens > {_LIMIT}",  # anthropic, also behind others
        rf"token count \(?{_COUNTED}\)? exceeds the maximum number of tokens allowed \(?{_LIMIT}",  # gemini
        rf"maximum context length is {_LIMIT}.*?\({_COUNTED} in (?:the messages|your prompt)[,;] {_OUTPUT} ",  # openai
        rf"maximum context length is {_LIMIT}.*?(?:resulted in|requested(?: about)?|has|contains) {_COUNTED}",
        rf"maximum prompt length is {_LIMIT} .*?contains {_COUNTED}",  # xai
        rf"contains {_COUNTED} tokens.*?too large for model with {_LIMIT}",  # mistral
        rf"exceeded model token limit: {_LIMIT} \(requested: {_COUNTED}\)",  # moonshot
    )
)


def read_overflow(message: str) -> Overflow | None:
    """Read the numbers in *message*; None when it states none, or impossible ones."""
    for form in _FORMS:
        if found := form.search(message):
            numbers = {name: int(value.replace(",", "")) for name, value in found.groupdict().items()}
            overflow = Overflow(numbers["counted"], numbers["limit"] - numbers.get("output", 0))
            return overflow if 0 < overflow.limit < overflow.counted else None
    return None
