"""JSON mode where an API has none, and where it wants to hear of JSON as well."""

from __future__ import annotations

import dataclasses

from llm_gateway.types import ChatRequest, LLMMessage

__all__ = ["in_words", "with_a_mention"]

_WORDS = LLMMessage.system("Answer with one JSON object alone, without a code fence.")


def in_words(request: ChatRequest) -> ChatRequest:
    """*request* with its JSON mode said in a system message, for APIs that have no member for it."""
    if not request.json_mode or request.response_schema is not None:
        return request
    return dataclasses.replace(request, messages=(_WORDS, *request.messages))


def with_a_mention(request: ChatRequest) -> ChatRequest:
    """
    The same where no message speaks of JSON yet.

    OpenAI refuses JSON mode otherwise; Cohere and Gemini warn that the model may write without end.
    """
    if request.json_mode and any("json" in message.text.lower() for message in request.messages):
        return request
    return in_words(request)
