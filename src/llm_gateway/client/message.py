"""What callers may pass as messages, in one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_gateway.exceptions import ConfigError
from llm_gateway.types import LLMMessage, TextPart
from llm_gateway.wire.openai_chat import DIALECT

__all__ = ["Messages", "messages_from"]

Messages = str | LLMMessage | Sequence[LLMMessage | dict[str, Any]]
"""A prompt, a message, or messages; dictionaries are read as OpenAI's chat completions have them."""


def messages_from(given: Messages, system: str | None = None) -> tuple[LLMMessage, ...]:
    """
    One tuple of messages out of what a caller gave.

    Raises:
        ConfigError: Something in it is no message.
    """
    listed = [given] if isinstance(given, str | LLMMessage) else list(given)
    messages = tuple(_message(one) for one in listed)
    return (LLMMessage("system", (TextPart(system),)), *messages) if system else messages


def _message(one: object) -> LLMMessage:
    if isinstance(one, LLMMessage):
        return one
    if isinstance(one, str):
        return LLMMessage("user", (TextPart(one),))
    if isinstance(one, dict) and "role" in one:
        return DIALECT.decode_request({"messages": [one]}).messages[0]
    raise ConfigError(
        f"{one!r} is no message",
        cause="a message is a str, an LLMMessage, or a dict with `role` and `content`",
        fix='for example: llm.chat([{"role": "user", "content": "Hello"}])',
    )
