"""Reader of any exchange: provider, models, usage and stated cost. Never raises on junk."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from llm_gateway.catalog import find
from llm_gateway.record import CallRecord, End
from llm_gateway.types import Headers
from llm_gateway.wire.claude.arguments import flag
from llm_gateway.wire.claude_cli import last_result, stated_cost, stated_usage
from llm_gateway.wire.framing.reply import is_stream, objects
from llm_gateway.wire.identify import identify
from llm_gateway.wire.usage import UsageReader, text_or_none

__all__ = ["read_exchange", "read_process"]

_OK = range(200, 300)


def read_exchange(
    method: str,
    url: str,
    request_body: bytes,
    status: int,
    reply_headers: Headers,
    reply_body: bytes,
    *,
    provider: str | None = None,
    end: End = "complete",
) -> CallRecord:
    """
    Read one HTTP exchange, its bodies without content encoding; a *status* of 0 means no reply.

    *provider* is the one that was called where the URL does not show it. The output count of a stream that *end* calls
    incomplete is ignored, as it is only the beginning.

    Returns:
        A record whose *api* is None when the request is no LLM call, whose *usage* is None when the reply reports none
        or has an unsupported format, and whose cost is set only where the provider states it.
    """
    endpoint = identify(method, url)
    if endpoint is None:
        return CallRecord()
    requested = _object(request_body).get("model")
    record = CallRecord(
        provider=provider or endpoint.provider,
        api=endpoint.api,
        model_requested=requested if isinstance(requested, str) and requested else endpoint.model,
    )
    return _with_reply(record, reply_headers, reply_body, end) if status in _OK else record


def _with_reply(record: CallRecord, headers: Headers, body: bytes, end: End) -> CallRecord:
    """Return *record* with the model, usage and cost that a reply states."""
    reader = UsageReader(str(record.api))
    for event in objects(headers, body):
        reader.take(event)
    usage, cost = reader.usage, reader.stated_cost_usd if find(str(record.provider)).states_cost else None
    if usage is not None and end != "complete" and is_stream(headers, body):
        usage = dataclasses.replace(usage, output_tokens=None)
    price = None if cost is None else {"source": record.provider}
    return dataclasses.replace(record, model_served=reader.model, usage=usage, cost_usd=cost, price=price)


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def read_process(argv: tuple[str, ...], stdout: bytes) -> CallRecord:
    """Read one run of the claude CLI; usage and cost are None where its output carries none."""
    record = CallRecord(provider="claude_cli", api="claude_cli", model_requested=flag(argv, "--model"))
    result = last_result(stdout)
    if result is None:
        return record
    models = result.get("modelUsage")
    served = list(models) if isinstance(models, dict) else []
    cost = stated_cost(result)
    return dataclasses.replace(
        record,
        model_served=text_or_none(served[0]) if len(served) == 1 else None,
        usage=stated_usage(result),
        cost_usd=cost,
        price=None if cost is None else {"source": "claude CLI"},
    )
