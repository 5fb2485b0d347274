"""Read stop reason and tool calls of recorded replies, from any recorder. Never raises on malformed replies."""

from __future__ import annotations

import json
from dataclasses import dataclass

from llm_gateway.exchange import Exchange, HttpExchange, ProcessExchange
from llm_gateway.types import ChatReply, ToolCall, WireReply
from llm_gateway.wire.anthropic import decode_content
from llm_gateway.wire.base import Dialect
from llm_gateway.wire.claude_cli import DIALECT as CLAUDE_CLI
from llm_gateway.wire.content_encoding import plain
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.framing.reply import is_stream, objects

__all__ = ["Answer", "answer_of", "decoded"]

_MALFORMED = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of a reply. ``None``: not reported, or in a format without a dialect; ``()``: no tool calls."""

    stop_reason: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None


def answer_of(exchange: Exchange, api: str | None) -> Answer:
    """Return the answer of *exchange*, in the format of *api*."""
    try:
        return _of_run(exchange) if isinstance(exchange, ProcessExchange) else _of_http(exchange, find_dialect(api))
    except _MALFORMED:
        return Answer()


def _of_http(exchange: HttpExchange, dialect: Dialect | None) -> Answer:
    reply = exchange.reply
    if dialect is None or reply is None or not 200 <= reply.status < 300:
        return Answer()
    chat = decoded(reply, dialect)
    is_over = chat.stop_reason is not None or chat.tool_calls  # a queued response may still call tools
    return Answer(chat.stop_reason, chat.tool_calls if is_over else None)


def decoded(reply: WireReply, dialect: Dialect) -> ChatReply:
    """Return *reply*, streamed or not, decoded by *dialect*; raises what a malformed reply makes it raise."""
    body = plain(reply.body, reply.header("content-encoding"))
    if not is_stream(reply.headers, body):
        return dialect.decode_reply(json.loads(body))
    decoder = dialect.stream_decoder()
    decoder.feed(body)
    if not decoder.is_finished:
        decoder.feed(b"\n\n")  # some recorders drop the blank line that ends the last event
    return decoder.reply()


def _of_run(run: ProcessExchange) -> Answer:
    stdout = run.channel("stdout")
    messages = [event["message"] for event in objects((), stdout) if event.get("type") == "assistant"]
    parts = [part for message in messages for part in decode_content(message.get("content"))]
    calls = tuple(part for part in parts if isinstance(part, ToolCall))
    # Only a run that prints its events shows its tools; plain output is the last text alone.
    return Answer(CLAUDE_CLI.decode_reply(stdout).stop_reason, calls if messages else None)
