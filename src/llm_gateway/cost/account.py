"""Make the `CallRecord` of an exchange, as its cassette states it, else from its bytes; the only place."""

from __future__ import annotations

import dataclasses
import uuid
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from llm_gateway.exchange import Exchange, HttpExchange, ProcessExchange
from llm_gateway.record import CallRecord, Source, is_cost
from llm_gateway.types import WireReply, WireRequest
from llm_gateway.wire.bounds import FREE
from llm_gateway.wire.content_encoding import plain
from llm_gateway.wire.identify import is_llm_host
from llm_gateway.wire.parts.errors import error_facts
from llm_gateway.wire.reading import read_exchange, read_process

__all__ = ["account", "caller_provider", "known_facts", "priced", "time_of", "was_sent"]

_NEVER_SENT = frozenset({"connect", "connect_timeout"})
_REFUSED = 400


def account(exchange: Exchange, source: Source, *, test_id: str | None = None) -> CallRecord:
    """
    Return the record of *exchange*, answered by *source*; it is also kept on the exchange.

    A real call gets its price in force when it was made. Nothing else is priced: a replay costs what was recorded, and
    an injected fault costs nothing.

    Args:
        exchange: With the record that its file has, or none.

        source: Who answered.

        test_id: The test that made the call.
    """
    record = _facts(exchange)
    if source in ("record", "live"):
        record = priced(record, at=time_of(exchange))
    if source == "fault":
        record = dataclasses.replace(record, usage=None, cost_usd=None, price=None)
    status, error = (None, None) if source in ("miss", "refused") else _outcome(exchange)
    exchange.record = dataclasses.replace(
        record,
        source=source,
        status=status,
        error=error,
        end=exchange.end,
        started_at=exchange.recorded_at,
        duration_s=None if source == "fault" else exchange.duration_s,
        is_billed=source != "fault" and _is_billed(exchange, record, status),
        test_id=test_id,
        id=uuid.uuid4().hex if source in ("record", "live") else None,
    )
    return exchange.record


def known_facts(exchange: Exchange) -> CallRecord:
    """Return the record that the file has of *exchange*, else one with what its bytes say; looks up no price."""
    record, reply = _facts(exchange), exchange.reply if isinstance(exchange, HttpExchange) else None
    return dataclasses.replace(record, is_billed=_is_billed(exchange, record, reply.status if reply else None))


def _facts(exchange: Exchange) -> CallRecord:
    if exchange.record is not None:
        return exchange.record
    if isinstance(exchange, ProcessExchange):
        return read_process(exchange.argv, exchange.channel("stdout"))
    request, reply = exchange.request, exchange.reply or WireReply(0)
    return read_exchange(
        request.method,
        request.url,
        request.body,
        reply.status,
        reply.headers,
        plain(reply.body, reply.header("content-encoding")),
        provider=caller_provider(request),
        end=exchange.end,
    )


def caller_provider(request: WireRequest) -> str | None:
    """Return the provider that the caller of *request* states; None where its address identifies one."""
    is_known = request.provider is None or is_llm_host((urlsplit(request.url).hostname or "").lower())
    return None if is_known else request.provider


def _outcome(exchange: Exchange) -> tuple[int | None, str | None]:
    """Return the HTTP status of *exchange*, and the word for how it failed."""
    if isinstance(exchange, ProcessExchange):
        return None, f"exit code {exchange.exit_code}" if exchange.exit_code else None
    reply = exchange.reply
    if reply is None or exchange.failure is not None or reply.status < _REFUSED:
        return reply.status if reply else None, exchange.failure
    return reply.status, error_facts(reply.status, reply.headers, reply.body).kind


def was_sent(record: CallRecord) -> bool:
    """Return whether the provider got the request; it did not where there was no connection."""
    return record.error not in _NEVER_SENT


def _is_billed(exchange: Exchange, record: CallRecord, status: int | None) -> bool:
    """Return whether tokens may have been used: not by a refused call, a free one, or one to no model."""
    if record.usage is not None or isinstance(exchange, ProcessExchange):
        return True
    is_free = record.api is None or record.api in FREE or exchange.request.method != "POST"
    return not is_free and exchange.failure not in _NEVER_SENT and (status is None or status < _REFUSED)


def priced(record: CallRecord, *, at: datetime) -> CallRecord:
    """Return *record* with the price in force *at* that time; as it is where it has a cost, or no price is known."""
    model = record.model
    if record.cost_usd is not None or record.usage is None or not record.provider or not model:
        return record
    from llm_gateway.cost.prices import price

    found = price(record.provider, model, record.usage, at=at)
    if found is None or not is_cost(found.cost_usd):
        return record
    return dataclasses.replace(record, cost_usd=found.cost_usd, price=found.row)


def time_of(exchange: Exchange) -> datetime:
    """Return when the call was made: as it was recorded, else by the date of the reply, else now."""
    if exchange.recorded_at is not None:
        return exchange.recorded_at
    date = exchange.reply.header("date") if isinstance(exchange, HttpExchange) and exchange.reply else None
    try:
        time = parsedate_to_datetime(date) if date else datetime.now(UTC)
    except ValueError:
        time = datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
