"""Exchanges to and from the mappings of a cassette file. Reads files of vcrpy and pytest-recording as they are."""

from __future__ import annotations

import json
from typing import Any

from llm_gateway.cassettes import document, timestamps
from llm_gateway.cassettes.body import pretty, read_body, readable, rebuild
from llm_gateway.cassettes.llm_members import end_from, metering_from, metering_to
from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.types import Headers, WireReply, WireRequest
from llm_gateway.wire.content_encoding import carries, decoded

__all__ = ["http_to_mapping", "is_http", "reply_from", "request_from"]


def is_http(interaction: object) -> bool:
    """Whether an entry is an HTTP exchange; other tools keep websocket and gRPC records in the same list."""
    return isinstance(interaction, dict) and isinstance(interaction.get("request"), dict) and "response" in interaction


def _headers(raw: object) -> Headers:
    if not isinstance(raw, dict):
        return ()
    pairs: list[tuple[str, str]] = []
    for name, values in raw.items():
        listed = values if isinstance(values, list) else [values]
        pairs += [(_header_text(name), _header_text(value)) for value in listed]
    return tuple(pairs)


def _header_text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _value(headers: Headers, name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name), None)


def _without(headers: Headers, *names: str) -> Headers:
    return tuple((key, value) for key, value in headers if key.lower() not in names)


def request_from(interaction: dict[str, Any]) -> WireRequest:
    """The request of an entry, its body without content encoding."""
    raw = interaction["request"]
    headers = _headers(raw.get("headers"))
    body = read_body(raw)
    encoding = _value(headers, "content-encoding")
    if encoding and (plain := decoded(body, encoding)) is not None:
        body, headers = plain, _without(headers, "content-encoding")
    url = str(raw["uri"])
    return WireRequest(str(raw["method"]).upper(), url if "://" in url else f"https://{url.lstrip('/')}", headers, body)


def reply_from(interaction: dict[str, Any], request: WireRequest) -> HttpExchange:
    """The whole exchange of an entry whose request was read already."""
    raw, ours = interaction["response"], interaction.get("llm") or {}
    status, reason = _status(raw)
    headers, body = _headers(raw.get("headers")), read_body(raw)
    if "body_form" in ours:
        body = rebuild(body.decode("utf-8", "surrogatepass"), ours["body_form"])
    failure = ours.get("failure") or {}
    reply = None if failure and not failure.get("has_reply") else WireReply(status, _consistent(headers, body), body)
    return HttpExchange(
        request=request,
        reply=reply,
        reason=reason,
        chunks=tuple(Chunk(int(length), float(at)) for length, at in ours.get("chunks") or ()),
        end=end_from(ours),
        failure=failure.get("kind"),
        failure_text=failure.get("text"),
        recorded_at=timestamps.universal(ours.get("recorded_at")),
        duration_s=_seconds(ours.get("duration_s")),
        metering=metering_from(ours),
    )


def _seconds(raw: object) -> float | None:
    return None if raw is None else float(str(raw))


def _status(raw: dict[str, Any]) -> tuple[int, str]:
    if "status_code" in raw:  # vcrpy's early httpx form
        return int(raw["status_code"]), ""
    status = raw.get("status") or {}
    return int(status["code"]), str(status.get("message") or "")


def _consistent(headers: Headers, body: bytes) -> Headers:
    """Headers that are true of *body*: no encoding that it lacks, and its own length."""
    encoding = _value(headers, "content-encoding")
    if encoding and not carries(body, encoding):
        headers = _without(headers, "content-encoding")
    had_length = _value(headers, "content-length") is not None
    headers = _without(headers, "content-length")
    if had_length and _value(headers, "transfer-encoding") is None:
        headers = (*headers, ("content-length", str(len(body))))
    return headers


def _grouped(headers: Headers) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def _text_or_bytes(body: bytes) -> str | bytes:
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
        "body": indented if indented is not None else _text_or_bytes(request.body),
    }


def _indented(request: WireRequest) -> str | None:
    """A JSON request readably; it is matched by value, so its spacing need not come back."""
    kind = _value(request.headers, "content-type") or ""
    if not request.body.startswith((b"{", b"[")) or kind.startswith(("application/x-www-form", "multipart/")):
        return None
    try:
        return readable(json.loads(request.body))
    except (ValueError, RecursionError):
        return None


def http_to_mapping(exchange: HttpExchange) -> dict[str, Any]:
    """An exchange as an entry that plain vcrpy can read; what only we know stands under ``llm``."""
    reply = exchange.reply or WireReply(599)
    shaped = pretty(reply.body)
    ours: dict[str, Any] = {
        "recorded_at": timestamps.local(exchange.recorded_at),
        "duration_s": exchange.duration_s,
        **metering_to(exchange.metering),
        "end": exchange.end,
    }
    if shaped:
        ours["body_form"] = shaped[1]
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
            "body": {"string": shaped[0] if shaped else _text_or_bytes(reply.body)},
        },
        "llm": ours,
    }
