"""Formats of the APIs that count tokens: a request without settings of the answer, and a number as the reply."""

from __future__ import annotations

import dataclasses

from llm_gateway.types import ChatReply, ChatRequest, Headers, JsonObject, TokenUsage
from llm_gateway.wire.anthropic import AnthropicMessages
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.bedrock import BedrockConverse
from llm_gateway.wire.gemini import GenerateContent
from llm_gateway.wire.openai_responses import OpenAIResponses
from llm_gateway.wire.parts import bedrock_errors
from llm_gateway.wire.usage import number

__all__ = ["ANTHROPIC", "BEDROCK", "GEMINI", "OPENAI", "VERTEX"]

_OF_MESSAGES = frozenset(
    {"cache_control", "messages", "model", "output_config", "system", "thinking", "tool_choice", "tools"}
)
_OF_RESPONSES = frozenset(
    {
        *("conversation", "input", "instructions", "model", "parallel_tool_calls", "previous_response_id"),
        *("reasoning", "text", "tool_choice", "tools", "truncation"),
    }
)

_OF_CONTENTS = frozenset({"contents", "generationConfig", "systemInstruction", "tools"})
_OF_CONVERSE = frozenset({"additionalModelRequestFields", "messages", "system", "toolConfig"})
_NOT_HERE = "support counting tokens"


class AnthropicCount(AnthropicMessages):
    """``/v1/messages/count_tokens``."""

    name = "anthropic.count_tokens"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; the API rejects unknown fields."""
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


class GeminiCount(GenerateContent):
    """``:countTokens``, which takes contents alone, or a whole request that repeats its model."""

    name = "gemini.count_tokens"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body."""
        model = "models/" + request.model.removeprefix("models/")
        return {"generateContentRequest": {"model": model, **super().encode_request(request)}}

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the count, as usage of a reply without content."""
        return _counted(body, "totalTokens")


class VertexCount(GeminiCount):
    """``:countTokens`` of Vertex, which takes the fields of a request unchanged."""

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body; the API rejects unknown fields."""
        return _only(_OF_CONTENTS, GenerateContent.encode_request(self, request))


class BedrockCount(BedrockConverse):
    """``/model/.../count-tokens``."""

    name = "bedrock.count_tokens"

    def encode_request(self, request: ChatRequest) -> JsonObject:
        """Write the request body."""
        return {"input": {"converse": _only(_OF_CONVERSE, super().encode_request(request))}}

    def decode_reply(self, body: JsonObject) -> ChatReply:
        """Read the count, as usage of a reply without content."""
        return _counted(body, "inputTokens")

    def decode_error(self, status: int, headers: Headers, body: bytes) -> ErrorFacts:
        """Read an error reply; most models have no count, which is no mistake in the request."""
        facts = bedrock_errors.error_facts(status, headers, body)
        return dataclasses.replace(facts, kind="unsupported_param") if _NOT_HERE in facts.message else facts


ANTHROPIC = AnthropicCount()
BEDROCK = BedrockCount()
GEMINI = GeminiCount()
OPENAI = OpenAICount()
VERTEX = VertexCount()


def _only(names: frozenset[str], body: JsonObject) -> JsonObject:
    return {name: value for name, value in body.items() if name in names}


def _counted(body: JsonObject, name: str = "input_tokens") -> ChatReply:
    count = number(body, name)
    if count is None:
        raise ValueError(f"{body.get(name)!r} is no count")
    return ChatReply((), usage=TokenUsage(input_tokens=count, output_tokens=0))
