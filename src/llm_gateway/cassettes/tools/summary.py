"""What two recordings of the same call are compared by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from llm_gateway.cassettes.match import key
from llm_gateway.cassettes.playback import Playback
from llm_gateway.cassettes.process_match import arguments, line_value
from llm_gateway.cassettes.tools.answer import answer_of
from llm_gateway.cost.account import known_facts
from llm_gateway.exchange import Exchange, ProcessExchange
from llm_gateway.record import CallRecord
from llm_gateway.usage import CACHE_READ, CACHE_WRITE

__all__ = ["COUNTS", "FACTS", "Facts", "facts_of"]

COUNTS = ("input_tokens", "output_tokens", CACHE_READ, CACHE_WRITE, "reasoning_tokens", "cost_usd")
"""The facts that are sums of something."""
FACTS = ("status", "model_served", "stop_reason", "tool_calls", *COUNTS)


@dataclass(frozen=True, slots=True)
class Facts:
    """
    One exchange. *values* has a value for each name of `FACTS`; ``None`` means not reported or not known.

    *index* is its place in the file's list, *key* equal for equal requests. *record* is what counts in a sum.
    """

    index: int
    kind: str
    api: str | None
    model: str | None
    key: bytes
    exchange: Exchange
    values: dict[str, Any]
    record: CallRecord


def facts_of(playback: Playback) -> list[Facts]:
    """
    Return the facts of each exchange in *playback*, in its order.

    Raises:
        CassetteReadError: An entry's reply is malformed.
    """
    return [*_of_http(playback), *_of_runs(playback)]


def _of_http(playback: Playback) -> Iterator[Facts]:
    for position, index in enumerate(playback.places):
        exchange = playback.exchange(position)
        status = exchange.reply.status if exchange.reply else None
        yield _facts(index, "http", exchange, status, key(exchange.request))


def _of_runs(playback: Playback) -> Iterator[Facts]:
    for index, run in enumerate(playback.processes):
        yield _facts(index, "process", run, run.exit_code, _run_key(run))


def _facts(index: int, kind: str, exchange: Exchange, status: int | None, same: bytes) -> Facts:
    record = known_facts(exchange)
    answer, usage = answer_of(exchange, record.api), record.usage
    values = {
        "status": status,
        "model_served": record.model_served,
        "stop_reason": answer.stop_reason,
        "tool_calls": _calls(answer.tool_calls),
        **{name: getattr(usage, name) if usage else None for name in COUNTS[:-1]},
        "cost_usd": record.cost_usd,
    }
    return Facts(index, kind, record.api, record.model or None, same, exchange, values, record)


def _calls(calls: Any) -> list[dict[str, Any]] | None:
    """Return names and arguments; ids differ on every run."""
    return None if calls is None else [{"name": call.name, "arguments": call.arguments} for call in calls]


def _run_key(run: ProcessExchange) -> bytes:
    compared = [arguments(list(run.argv)), [line_value(line) for line in run.channel("stdin").splitlines()]]
    return hashlib.blake2b(
        json.dumps(compared, sort_keys=True).encode("utf-8", "surrogatepass"), digest_size=16
    ).digest()
