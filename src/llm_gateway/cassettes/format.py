"""Encode exchanges as entries of a cassette file, and decode those of vcrpy and pytest-recording as well."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from llm_gateway.cassettes import document
from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.record import ACCOUNTED, CallRecord, end_from, seconds_from
from llm_gateway.types import Headers, WireReply, WireRequest
from llm_gateway.wire.content_encoding import carries, decoded

__all__ = [
    "Spacing",
    "accounted",
    "http_to_mapping",
    "is_http",
    "local",
    "pretty",
    "read_body",
    "readable",
    "rebuild",
    "recorded_times",
    "reply_from",
    "request_from",
    "text_or_bytes",
    "timestamp",
]

Spacing = str
"""How a JSON body was spaced before it was written readably: ``compact``, ``compact-ascii``, ``spaced`` ..."""

_SPACINGS: dict[Spacing, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "compact-ascii": {"separators": (",", ":")},
    "spaced": {"ensure_ascii": False},
    "spaced-ascii": {},
}
_LONE = re.compile("[\ud800-\udfff]")


def is_http(interaction: object) -> bool:
    """Return whether an entry is an HTTP exchange; other tools keep websocket and gRPC records in the same list."""
    return isinstance(interaction, dict) and isinstance(interaction.get("request"), dict) and "response" in interaction


def _headers(raw: object) -> Headers:
    if not isinstance(raw, dict):
        return ()
    pairs: list[tuple[str, str]] = []
    for name, values in raw.items():
        for value in values if isinstance(values, list) else [values]:
            # Early aiohttp cassettes have bytes.
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            pairs.append((name.decode("latin-1") if isinstance(name, bytes) else str(name), text))
    return tuple(pairs)


def _value(headers: Headers, name: str) -> str | None:
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def _without(headers: Headers, *names: str) -> Headers:
    return tuple((key, value) for key, value in headers if key.lower() not in names)


def request_from(interaction: dict[str, Any]) -> WireRequest:
    """Decode the request of an entry, its body without content encoding."""
    raw = interaction["request"]
    headers = _headers(raw.get("headers"))
    body = read_body(raw)
    encoding = _value(headers, "content-encoding")
    if encoding and (plain := decoded(body, encoding)) is not None:
        body, headers = plain, _without(headers, "content-encoding")
    url = str(raw["uri"])
    url = url if "://" in url else f"https://{url.lstrip('/')}"
    urlsplit(url).port  # noqa: B018  raises for a port that is no number, here where the entry is known
    return WireRequest(str(raw["method"]).upper(), url, headers, body)


def reply_from(interaction: dict[str, Any], request: WireRequest) -> HttpExchange:
    """Decode the whole exchange of an entry whose request was decoded already."""
    raw, ours = interaction["response"], interaction.get("llm") or {}
    status = raw.get("status") or {}
    code = raw["status_code"] if "status_code" in raw else status["code"]  # the former in vcrpy's early httpx form
    headers, body = _headers(raw.get("headers")), read_body(raw)
    if "body_form" in ours:
        body = rebuild(body.decode("utf-8", "surrogatepass"), ours["body_form"])
    failure, at = ours.get("failure") or {}, timestamp(ours.get("recorded_at"))
    has_reply = not failure or failure.get("has_reply")
    record = CallRecord.from_dict(ours) if "provider" in ours else None
    return HttpExchange(
        request=request,
        reply=WireReply(int(code), _consistent(headers, body), body) if has_reply else None,
        reason=str(status.get("message") or ""),
        chunks=tuple(Chunk(int(length), float(at_s)) for length, at_s in ours.get("chunks") or ()),
        end=end_from(ours) if record is None else record.end,
        failure=failure.get("kind"),
        failure_text=failure.get("text"),
        recorded_at=at and at.astimezone(UTC),
        duration_s=None if ours.get("duration_s") is None else seconds_from("duration_s", ours["duration_s"]),
        record=record,
    )


def accounted(record: CallRecord | None) -> dict[str, Any]:
    """Return what a cassette keeps of *record*; what is unknown is left out, and a usage of None stays visible."""
    if record is None:
        return {}
    fields = record.to_dict(ACCOUNTED)
    return {name: value for name, value in fields.items() if value is not None or name in ("provider", "usage")}


def _consistent(headers: Headers, body: bytes) -> Headers:
    """Return *headers* as they fit *body*: no encoding that it lacks, and its own length."""
    encoding = _value(headers, "content-encoding")
    if encoding and not carries(body, encoding):
        headers = _without(headers, "content-encoding")
    if _value(headers, "content-length") is None:
        return headers
    headers = _without(headers, "content-length")
    if _value(headers, "transfer-encoding") is None:
        headers = (*headers, ("content-length", str(len(body))))
    return headers


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def text_or_bytes(body: bytes) -> str | bytes:
    """Return *body* as text where it is UTF-8, as YAML writes it best."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


def _request_to(request: WireRequest) -> dict[str, Any]:
    indented = _indented(request)
    return {
        "method": request.method,
        "uri": request.url,
        "headers": _grouped(request.headers),
        "body": indented if indented is not None else text_or_bytes(request.body),
    }


def _indented(request: WireRequest) -> str | None:
    """Return a JSON body with indents, None for any other; it is matched by value, so its spacing may be lost."""
    kind = _value(request.headers, "content-type") or ""
    if not request.body.startswith((b"{", b"[")) or kind.startswith(("application/x-www-form", "multipart/")):
        return None
    try:
        return readable(json.loads(request.body))
    except (ValueError, RecursionError):
        return None


def http_to_mapping(exchange: HttpExchange) -> dict[str, Any]:
    """Encode an exchange as an entry that plain vcrpy can read; what only we know is under ``llm``."""
    reply = exchange.reply or WireReply(599)
    spaced = pretty(reply.body)
    ours: dict[str, Any] = {
        "recorded_at": local(exchange.recorded_at),
        "duration_s": exchange.duration_s,
        **accounted(exchange.record),
        "end": exchange.end,
    }
    if spaced:
        ours["body_form"] = spaced[1]
    if exchange.chunks:
        ours["chunks"] = document.flow([[chunk.length, chunk.at_s] for chunk in exchange.chunks])
    if exchange.failure:
        failure = {"kind": exchange.failure, "text": exchange.failure_text, "has_reply": exchange.reply is not None}
        ours["failure"] = failure
    return {
        "request": _request_to(exchange.request),
        "response": {
            "status": {"code": reply.status, "message": exchange.reason},
            "headers": _grouped(reply.headers),
            "body": {"string": spaced[0] if spaced else text_or_bytes(reply.body)},
        },
        "llm": ours,
    }


def pretty(body: bytes) -> tuple[str, Spacing] | None:
    """
    Return *body* as indented JSON, and the spacing that `rebuild` needs to give back the same bytes.

    None when it is not a JSON object or array, or when no spacing gives back exactly these bytes.
    """
    if not body.startswith((b"{", b"[")):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for spacing, options in _SPACINGS.items():
        if _encoded(value, options) == body:
            return readable(value), spacing
    return None


def readable(value: Any) -> str:
    """Return *value* as indented JSON; half of a surrogate pair, which no file can hold, stays an escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if not _LONE.search(text) else json.dumps(value, indent=2)


def _encoded(value: Any, options: dict[str, Any]) -> bytes:
    return json.dumps(value, **options).encode("utf-8", "surrogatepass")


def rebuild(text: str, spacing: Spacing) -> bytes:
    """Return the bytes that `pretty` was given."""
    return _encoded(json.loads(text), _SPACINGS[spacing])


def read_body(message: dict[str, Any]) -> bytes:
    """
    Return the body of a recorded request or response, whichever tool wrote it.

    Reads ``body: {string: ...}``, ``body: {base64_string: ...}``, a bare string, a mapping that is the JSON itself,
    ``parsed_body`` and the early httpx form ``content``.
    """
    if "parsed_body" in message:
        return _from_parsed(message["parsed_body"])
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "base64_string" in body:
            return base64.b64decode(body["base64_string"])
        if "string" not in body and body:
            return _from_parsed(body)
        body = body.get("string")
    if body is None or isinstance(body, bytes):
        return body or b""
    return str(body).encode("utf-8", "surrogatepass")


def _from_parsed(parsed: object) -> bytes:
    if isinstance(parsed, bytes):
        return parsed
    if isinstance(parsed, str):
        return parsed.encode("utf-8", "surrogatepass")
    return json.dumps(parsed, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def local(at: datetime | None) -> str | None:
    """Encode a timestamp as files hold it: in local time, with its offset from UTC."""
    return at.astimezone().isoformat() if at else None


def timestamp(raw: object) -> datetime | None:
    """Decode a timestamp of a file, with the offset that it has there, UTC where it has none; None for no timestamp."""
    try:
        found = raw if isinstance(raw, datetime) else datetime.fromisoformat(str(raw))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def recorded_times(entries: Iterable[Any]) -> list[datetime]:
    """
    Return when the exchanges began, earliest first, and at last when the last one ended; empty where that is unknown.

    Times are in local time of the machine that recorded. What other tools recorded has the date of the reply, in UTC.
    """
    begun = sorted((begin, _duration(entry)) for entry in entries if (begin := _begin(entry)) is not None)
    if not begun:
        return []
    last, seconds = begun[-1]
    return [*(begin for begin, _ in begun), last + timedelta(seconds=seconds)]


def _begin(entry: Any) -> datetime | None:
    recorded = timestamp((entry.get("llm") or {}).get("recorded_at"))
    return recorded or _date_of((entry.get("response") or {}).get("headers"))


def _date_of(headers: Any) -> datetime | None:
    """Return the ``Date`` of a reply."""
    values = [value for name, value in (headers or {}).items() if str(name).lower() == "date"]
    first = values[0] if values else None
    try:
        date = parsedate_to_datetime(str(first[0] if isinstance(first, list) else first))
    except (ValueError, IndexError):
        return None
    return date.astimezone(UTC)


def _duration(entry: Any) -> float:
    return float((entry.get("llm") or {}).get("duration_s") or 0)
