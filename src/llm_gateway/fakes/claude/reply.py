"""What was scripted as the answer that ``claude`` got from the model."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus

from llm_gateway.cassettes.tools.answer import decoded
from llm_gateway.fakes.asked import FakeCall
from llm_gateway.fakes.content import reply_of
from llm_gateway.fakes.counted import counted
from llm_gateway.fakes.outcome import Answer, Broken, Outcome, Played, Refused, Scripted
from llm_gateway.types import ChatReply, TextPart, TokenUsage, ToolCall
from llm_gateway.wire.claude_models import resolved
from llm_gateway.wire.dialect import dialect_of

__all__ = ["STRUCTURED", "meant", "whole"]

STRUCTURED = "StructuredOutput"
"""The tool through which the model gives an object of the schema."""


def meant(outcome: Outcome) -> Answer | Refused | Broken:
    """*outcome*, also of what was recorded from an API."""
    if not isinstance(outcome, Played):
        return outcome
    dialect, reply = dialect_of(outcome.api), outcome.exchange.reply
    assert dialect is not None
    if reply is None:
        how = "timeout" if "timeout" in str(outcome.exchange.failure) else "disconnect"
        return Broken("timeout", Answer("")) if how == "timeout" else Broken("disconnect", Answer(""))
    if reply.status >= HTTPStatus.BAD_REQUEST:
        return Refused(reply.status, dialect.decode_error(reply.status, reply.headers, reply.body).message)
    return Answer(decoded(reply, dialect))


def whole(answer: Answer, scripted: Scripted, call: FakeCall) -> ChatReply:
    """The reply with model, id and usage; an object for a schema is given through the tool that is meant for it."""
    reply = reply_of(answer.content, call, stop_reason=answer.stop_reason)
    usage = scripted.usage or reply.usage or counted(call.chat, reply)
    if call.chat.response_schema is not None and isinstance(reply.structured, dict):
        others = tuple(part for part in reply.parts if not isinstance(part, TextPart))
        given = ToolCall(f"toolu_fake_{call.number}", STRUCTURED, reply.structured)
        reply = replace(reply, parts=(*others, given), stop_reason="tool_use")
    return replace(reply, model=resolved(call.model), id=f"msg_fake_{call.number}", usage=_all(usage))


def _all(usage: TokenUsage) -> TokenUsage:
    """All that the command line tells of; a fake used nothing that it does not say."""
    return TokenUsage(
        usage.input_tokens or 0,
        usage.output_tokens or 0,
        usage.cache_read_tokens or 0,
        usage.cache_write_tokens or 0,
        usage.cache_write_1h_tokens or 0,
        usage.reasoning_tokens or 0,
        web_searches=usage.web_searches or 0,
    )
