"""Usage and price of an exchange: what the file says of it, else what its bytes say."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from llm_gateway.cost import recorded
from llm_gateway.exchange import Exchange, HttpExchange, Metering, ProcessExchange
from llm_gateway.types import TokenUsage, WireReply
from llm_gateway.wire.content_encoding import plain
from llm_gateway.wire.identify import is_llm_host
from llm_gateway.wire.reading import read_exchange, read_process

__all__ = ["billed_by", "metered", "priced"]


def metered(exchange: Exchange) -> Metering:
    """The usage of *exchange*; never looks up a price."""
    if exchange.metering is not None:
        return exchange.metering
    if isinstance(exchange, ProcessExchange):
        return _of_process(exchange)
    return _of_http(exchange)


def _of_http(exchange: HttpExchange) -> Metering:
    request, reply = exchange.request, exchange.reply or WireReply(0)
    body = plain(reply.body, reply.header("content-encoding"))
    reading = read_exchange(request.method, request.url, request.body, reply.status, reply.headers, body)
    return Metering(
        provider=reading.provider,
        api=reading.api,
        model_requested=reading.model_requested,
        model_served=reading.model_served,
        usage=_known(reading.usage, exchange) if reading.is_streaming else reading.usage,
        cost_usd=reading.stated_cost_usd,
        price=None if reading.stated_cost_usd is None else {"source": str(reading.provider)},
    )


def _known(usage: TokenUsage | None, exchange: HttpExchange) -> TokenUsage | None:
    """What a stream that did not reach its end said of its output is only how it began."""
    return usage if usage is None or exchange.end == "complete" else dataclasses.replace(usage, output_tokens=None)


def _of_process(exchange: ProcessExchange) -> Metering:
    reading, cost_usd = read_process(exchange.argv, exchange.channel("stdout"))
    return Metering(
        provider=reading.provider,
        api=reading.api,
        model_requested=reading.model_requested,
        model_served=reading.model_served,
        usage=reading.usage,
        cost_usd=cost_usd,
        price=None if cost_usd is None else {"source": "claude CLI"},
    )


def billed_by(url: str) -> str | None:
    """The provider that whoever is calling *url* says to call; None where the address itself tells, or nobody says."""
    return None if is_llm_host((urlsplit(url).hostname or "").lower()) else recorded.said_provider()


def priced(exchange: Exchange, provider: str | None = None) -> Metering:
    """
    The usage of *exchange* with its price in force when it was recorded; a cost that is not known stays None.

    Args:
        exchange: Any.

        provider: Whose prices hold; None is the one that its address tells.
    """
    metering = metered(exchange)
    if provider is not None and metering.provider is not None:
        metering = dataclasses.replace(metering, provider=provider)
    model = metering.model_served or metering.model_requested
    if metering.cost_usd is not None or metering.usage is None or not metering.provider or not model:
        return metering
    from llm_gateway.cost.prices import price

    found = price(metering.provider, model, metering.usage, at=_moment(exchange))
    if found is None:
        return metering
    return dataclasses.replace(metering, cost_usd=found.cost_usd, price=found.row)


def _moment(exchange: Exchange) -> datetime:
    """When the call was made: as it was recorded, else as the reply says, else now."""
    if exchange.recorded_at is not None:
        return exchange.recorded_at
    said = exchange.reply.header("date") if isinstance(exchange, HttpExchange) and exchange.reply else None
    try:
        moment = parsedate_to_datetime(said) if said else datetime.now(UTC)
    except ValueError:
        moment = datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
