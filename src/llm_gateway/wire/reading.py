"""What any recorded exchange says of itself: provider, model and usage, whoever recorded it. Never raises on junk."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from llm_gateway.catalog import find
from llm_gateway.types import Headers, TokenUsage
from llm_gateway.wire.base import Reading
from llm_gateway.wire.claude.arguments import flag
from llm_gateway.wire.claude_cli import last_result, stated_cost, stated_usage
from llm_gateway.wire.framing.reply import is_stream, objects
from llm_gateway.wire.identify import identify
from llm_gateway.wire.usage import READERS, dollars

__all__ = ["read_exchange", "read_process"]


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
    is_good = 200 <= status < 300
    body = _folded(endpoint.api, objects(reply_headers, reply_body))
    reader = READERS.get(endpoint.api)
    return Reading(
        provider=endpoint.provider,
        api=endpoint.api,
        model_requested=_text(asked.get("model")) or endpoint.model,
        model_served=_served(body) if is_good else None,
        usage=_real(reader(body)) if reader and is_good else None,
        is_streaming=is_stream(reply_headers, reply_body),
        stated_cost_usd=_stated(body) if is_good and find(endpoint.provider).states_cost else None,
    )


def _served(body: dict[str, Any]) -> str | None:
    return next((name for place in _SERVED if (name := _text(body.get(place))) is not None), None)


# Gemini and Aleph Alpha have words of their own for the model that answered.
_SERVED = ("model", "modelVersion", "model_version")


def _real(usage: TokenUsage | None) -> TokenUsage | None:
    return usage if usage is not None and usage != TokenUsage(service_tier=usage.service_tier) else None


def _stated(body: dict[str, Any]) -> Decimal | None:
    usage = body.get("usage")
    return dollars(usage.get("cost")) if isinstance(usage, dict) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _folded(api: str, events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """One reply body out of all objects of a reply, as far as model and usage go."""
    if api == "bedrock.agent":
        return {"traces": [usage for event in events if (usage := _at(event, *_TRACED)) is not None]}
    body: dict[str, Any] = {}
    for event in events:
        body = _grown(body, event, is_messages=api.startswith(("anthropic.", "bedrock.invoke")))
    return body


# Where a trace says what one call of a model inside an agent used; the step has a name of its own.
_TRACED = ("trace", None, "modelInvocationOutput", "metadata", "usage")
_NOT_KEPT = frozenset({"choices", "delta", "content", "candidates"})


def _at(value: Any, *path: str | None) -> Any:
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name) if name else next(iter(value.values()), None)
    return value


def _grown(body: dict[str, Any], event: dict[str, Any], *, is_messages: bool) -> dict[str, Any]:
    kind = str(event.get("type"))
    whole = event.get("message") if kind == "message_start" else event.get("response")
    if isinstance(whole, dict) and kind.startswith(("message_start", "response.")):
        return {**body, **whole}
    known = {name: value for name, value in event.items() if value is not None and name not in _NOT_KEPT}
    if is_messages and isinstance(event.get("usage"), dict):  # the later part says only what has changed
        told = {name: value for name, value in event["usage"].items() if value is not None}
        known["usage"] = {**(body.get("usage") or {}), **told}
    return {**body, **known, **_nested(event)}


def _nested(event: dict[str, Any]) -> dict[str, Any]:
    """What stands deeper in the events of some APIs, brought to where their whole replies have it."""
    found: dict[str, Any] = {}
    for place in ("response", "delta", "x_groq", "interaction"):
        value = event.get(place)
        if isinstance(value, dict):
            found.update({name: value[name] for name in ("usage", "meta", "model") if value.get(name)})
    return found


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
