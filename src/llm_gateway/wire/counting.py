"""The formats in which providers count tokens: their usual request without what only the answer needs, and a number."""

from __future__ import annotations

from llm_gateway.types import ChatReply, ChatRequest, JsonObject, TokenUsage
from llm_gateway.wire.anthropic import AnthropicMessages
from llm_gateway.wire.openai_responses import OpenAIResponses

__all__ = ["ANTHROPIC", "OPENAI"]

_OF_MESSAGES = frozenset(
    {"cache_control", "messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"}
)
_OF_RESPONSES = frozenset(
    {
        *("conversation", "input", "instructions", "model", "parallel_tool_calls", "previous_response_id"),
        *("reasoning", "text", "tool_choice", "tools", "truncation"),
    }
)


class AnthropicCount(AnthropicMessages):
    """``/v1/messages/count_tokens``."""

    name = "anthropic.count_tokens"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; the API refuses members that it does not know."""
        return _only(_OF_MESSAGES, super().encode_request(request))

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the count, as usage of a reply without content."""
        return _counted(body)


class OpenAICount(OpenAIResponses):
    """``/v1/responses/input_tokens``."""

    name = "openai.count_tokens"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body."""
        return _only(_OF_RESPONSES, super().encode_request(request))

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the count, as usage of a reply without content."""
        return _counted(body)


ANTHROPIC = AnthropicCount()
OPENAI = OpenAICount()


def _only(names: frozenset[str], body: JsonObject) -> JsonObject:
    return {name: value for name, value in body.items() if name in names}


def _counted(body: JsonObject) -> ChatReply:
    return ChatReply((), usage=TokenUsage(input_tokens=int(body["input_tokens"]), output_tokens=0))
