"""Whether an exchange may have cost anything: the one rule for budgets, limits, ledger and comparisons."""

from __future__ import annotations

from http import HTTPStatus

from llm_gateway.exchange import Exchange, Metering, ProcessExchange
from llm_gateway.wire.bounds import FREE

__all__ = ["is_billed", "was_sent"]

_NEVER_SENT = frozenset({"connect", "connect_timeout"})


def was_sent(exchange: Exchange) -> bool:
    """Whether the provider got the request; it did not where there was no connection."""
    return isinstance(exchange, ProcessExchange) or exchange.failure not in _NEVER_SENT


def is_billed(exchange: Exchange, metering: Metering) -> bool:
    """Whether tokens may have been used; a refused call, a free one and one that asks no model cost nothing."""
    if metering.usage is not None or isinstance(exchange, ProcessExchange):
        return True
    if metering.api is None or metering.api in FREE or exchange.request.method != "POST" or not was_sent(exchange):
        return False
    return exchange.reply is None or exchange.reply.status < HTTPStatus.BAD_REQUEST
