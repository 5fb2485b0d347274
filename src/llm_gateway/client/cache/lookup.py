"""Read the response cache before a call, and fill it when the call has succeeded."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeVar

from llm_gateway.client.cache.entry import Entry
from llm_gateway.client.cache.key import key_of
from llm_gateway.client.call import Call
from llm_gateway.client.retry import with_retries
from llm_gateway.cost.totals import Totals
from llm_gateway.flow.steps import Emit, Flow
from llm_gateway.types import ChatReply, ChatRequest, LLMResponse, StreamDelta

__all__ = ["settled", "with_cache"]

M = TypeVar("M")


def with_cache(call: Call, request: ChatRequest, send: Callable[[Call, ChatRequest], Flow]) -> Flow:
    """
    Return the kept `ChatReply` for *request*, or request one; errors as in `with_retries`.

    New replies are kept by `settled`, once the whole call has succeeded.
    """
    cache = call.cache
    key = None if cache is None else key_of(call.provider, request, cache.tenant)
    if cache is None or key is None:
        return (yield from with_retries(call, request, send))
    found: Entry | None = yield from cache.find(key)
    if found is not None:
        call.hits.append(found)
        if request.stream:
            yield from _emitted(found.reply)
        return found.reply
    reply: ChatReply = yield from with_retries(call, request, send)
    call.fresh.append((key, Entry(reply, call.attempts[-1])))
    return reply


def _emitted(reply: ChatReply) -> Flow:
    if reply.text:
        yield Emit(StreamDelta(text=reply.text))
    for one in reply.tool_calls:
        yield Emit(StreamDelta(tool_call=one))


def settled(call: Call, response: LLMResponse[M]) -> Flow:
    """Keep the new replies, and return *response* with what came from the cache marked on it."""
    if call.cache is None:
        return response
    for key, entry in call.fresh:
        yield from call.cache.keep(key, entry)
    return _with_hits(call, response) if call.hits else response


def _with_hits(call: Call, response: LLMResponse[M]) -> LLMResponse[M]:
    kept = [one.record for one in call.hits]
    return dataclasses.replace(
        response,
        cached=response.reply is call.hits[-1].reply,
        usage=Totals.of([*kept, *call.attempts]).usage,
        saved_cost_usd=Totals.of(kept).cost_usd,
    )
