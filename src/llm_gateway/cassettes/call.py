"""What the report and the budgets know of each call of a test: how it was served, and what it used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from llm_gateway.cassettes.billing import is_billed
from llm_gateway.exchange import Exchange, HttpExchange, Metering

__all__ = ["Call", "Served", "call_of", "unbilled"]

Served = Literal["replay", "fake", "record", "live", "miss", "refused", "fault"]


@dataclass(frozen=True, slots=True)
class Call:
    """
    One call: *duration_s* is what the provider took, when that is known.

    *error* is how it failed without a status: the transport's error (``read_timeout``), or a command's exit code.
    """

    served: Served
    metering: Metering
    status: int | None
    duration_s: float | None
    error: str | None = None
    recorded_at: datetime | None = None
    is_billed: bool = True
    """Whether it may have cost anything."""


def call_of(served: Served, exchange: Exchange, metering: Metering) -> Call:
    """What is to be told of *exchange*."""
    reply = exchange.reply if isinstance(exchange, HttpExchange) else None
    status = reply.status if reply else None
    return Call(
        served,
        metering,
        status,
        exchange.duration_s,
        _error(exchange),
        exchange.recorded_at,
        is_billed(exchange, metering),
    )


def unbilled(exchange: Exchange, metering: Metering) -> Call:
    """What is to be told of an injected fault: nobody was asked, so that nothing was used and nothing is owed."""
    told = replace(metering, usage=None, cost_usd=None, price=None)
    return replace(call_of("fault", exchange, told), is_billed=False, duration_s=None)


def _error(exchange: Exchange) -> str | None:
    if isinstance(exchange, HttpExchange):
        return exchange.failure
    return f"exit code {exchange.exit_code}" if exchange.exit_code else None
