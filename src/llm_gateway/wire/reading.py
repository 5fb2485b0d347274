"""What any recorded exchange says of itself: provider, model and usage, whoever recorded it. Never raises on junk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from llm_gateway.types import Headers, TokenUsage
from llm_gateway.wire.base import Reading
from llm_gateway.wire.claude_cli import flag, last_result, stated_cost, stated_usage
from llm_gateway.wire.identify import identify
from llm_gateway.wire.sse import SseParser
from llm_gateway.wire.usage import READERS

__all__ = ["read_exchange", "read_process"]

_PIECE = 65536


def read_exchange(
    method: str, url: str, request_body: bytes, status: int, reply_headers: Headers, reply_body: bytes
) -> Reading:
    """
    Read one HTTP exchange, its bodies without content encoding.

    Returns:
        A reading whose *api* is None when the request is no LLM call, and whose *usage* is None when the reply
        reports none or speaks a format that is not read.
    """
    endpoint = identify(method, url)
    if endpoint is None:
        return Reading()
    asked = _object(request_body)
    is_stream = _is_stream(reply_headers, reply_body)
    is_good = 200 <= status < 300
    body = _folded(endpoint.api, _events(reply_body)) if is_stream else _object(reply_body)
    reader = READERS.get(endpoint.api)
    return Reading(
        provider=endpoint.provider,
        api=endpoint.api,
        model_requested=_text(asked.get("model")) or endpoint.model,
        model_served=_text(body.get("model")) if is_good else None,
        usage=_real(reader(body)) if reader and is_good else None,
        is_streaming=is_stream,
        service_tier=_text(body.get("service_tier")),
    )


def _real(usage: TokenUsage | None) -> TokenUsage | None:
    return usage if usage is not None and usage != TokenUsage() else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _is_stream(headers: Headers, body: bytes) -> bool:
    """Headers are often stripped from recordings, so look at the body too."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "")
    return "event-stream" in kind or body[:64].lstrip().startswith((b"data:", b"event:", b":"))


def _events(body: bytes) -> Iterator[dict[str, Any]]:
    """The objects of an event stream, one at a time: a stream may be long."""
    parser = SseParser()
    for start in range(0, len(body), _PIECE):
        yield from (
            found for event in parser.feed(body[start : start + _PIECE]) if (found := _object(event.data.encode()))
        )
    yield from (found for event in parser.feed(b"\n\n") if (found := _object(event.data.encode())))


def _folded(api: str, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One reply body out of a stream's events, as far as model and usage go."""
    if api == "anthropic.messages":
        return _folded_messages(events)
    if api == "openai.responses":
        return _folded_responses(events)
    return _folded_chunks(events)


def _folded_messages(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for event in events:
        if event.get("type") == "message_start" and isinstance(event.get("message"), dict):
            body = {**event["message"]}
        elif event.get("type") == "message_delta" and isinstance(event.get("usage"), dict):
            known = {name: value for name, value in event["usage"].items() if value is not None}
            body["usage"] = {**(body.get("usage") or {}), **known}
    return body


def _folded_responses(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for event in events:
        if isinstance(event.get("response"), dict):
            body = event["response"]
    return body


def _folded_chunks(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for event in events:
        groq = event.get("x_groq")
        usage = event.get("usage") or (groq.get("usage") if isinstance(groq, dict) else None)
        body["model"] = event.get("model") or body.get("model")
        body["service_tier"] = event.get("service_tier") or body.get("service_tier")
        if isinstance(usage, dict):
            body["usage"] = usage
    return body


def read_process(argv: tuple[str, ...], stdout: bytes) -> tuple[Reading, Decimal | None]:
    """
    Read one run of the claude CLI.

    Returns:
        The reading, and the cost in US dollars as the CLI states it; None where its output carries neither.
    """
    result = last_result(stdout)
    if result is None:
        return Reading(provider="claude_cli", api="claude_cli", model_requested=flag(argv, "--model")), None
    models = result.get("modelUsage")
    served = list(models) if isinstance(models, dict) else []
    reading = Reading(
        provider="claude_cli",
        api="claude_cli",
        model_requested=flag(argv, "--model"),
        model_served=served[0] if len(served) == 1 else None,
        usage=_real(stated_usage(result)),
        is_streaming="stream-json" in argv,
    )
    return reading, stated_cost(result)
