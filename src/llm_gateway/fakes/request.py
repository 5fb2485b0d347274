"""The call that code under test made to a fake, decoded from the request that its SDK sent."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

from llm_gateway.exceptions import FakeMissError
from llm_gateway.redaction.url import clean_url
from llm_gateway.types import (
    ChatRequest,
    JsonObject,
    LLMMessage,
    Part,
    TextPart,
    Tool,
    ToolCall,
    ToolResult,
    WireRequest,
)
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.identify import Endpoint, identify

__all__ = ["FakeCall", "decode_chat", "decode_request"]

_STREAMED_AT = re.compile(r":streamGenerateContent$|/converse-stream$|/invoke-with-response-stream$")
_SHOWN_HEADERS = frozenset({"accept", "content-type", "user-agent", "anthropic-version", "anthropic-beta"})
_MAX_SHOWN = 200
_NOT_PARAMS = frozenset({"model", "messages", "tools", "response_schema_name", "stream", "extra"})
"""Fields of a request that `FakeCall` shows as attributes of its own."""
_PARAMS = {one.name: one.default for one in fields(ChatRequest) if one.name not in _NOT_PARAMS}
"""The other fields, with their default values."""


@dataclass(frozen=True)
class FakeCall:
    """
    One call that a fake answered.

    Attributes:
        number: Position among the calls of the test, from 1.

        provider: Name of the provider, as in ``anthropic``.

        api: Name of the wire format, as in ``anthropic.messages``.

        chat: The request in provider-independent form.

        url: The URL, with credentials masked.

        headers: Headers that describe the format and the SDK, names in lower case; never a credential.

        body: The JSON body as the SDK sent it; empty for a command.
    """

    number: int
    provider: str
    api: str
    chat: ChatRequest
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: JsonObject = field(default_factory=dict, repr=False)

    @property
    def model(self) -> str:
        """Return the model that the request names."""
        return self.chat.model

    @property
    def messages(self) -> tuple[LLMMessage, ...]:
        """Return the conversation without its system prompt."""
        return tuple(message for message in self.chat.messages if message.role != "system")

    @property
    def system(self) -> str:
        """Return the system prompt; empty where there is none."""
        return "\n".join(message.text for message in self.chat.messages if message.role == "system")

    @property
    def text(self) -> str:
        """Return the text of the last message."""
        return self.chat.messages[-1].text if self.chat.messages else ""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """Return the tools that the model may call."""
        return self.chat.tools

    @property
    def tool_results(self) -> dict[str, str]:
        """Return what tools returned since the model's last turn, by the id of the tool call."""
        parts = [part for message in _after_last_answer(self.chat.messages) for part in message.parts]
        return {part.tool_call_id: part.content for part in parts if isinstance(part, ToolResult)}

    @property
    def params(self) -> dict[str, Any]:
        """Return the options that are not at their default, by their names in `ChatRequest`, and all unknown fields."""
        values = ((name, getattr(self.chat, name), default) for name, default in _PARAMS.items())
        return {**{name: value for name, value, default in values if value != default}, **self.chat.extra}

    @property
    def is_streaming(self) -> bool:
        """Return whether the request is for a stream."""
        return self.chat.stream

    def __str__(self) -> str:
        messages = [f"{message.role}: {_shorten(_message_text(message))}" for message in self.chat.messages]
        tools = f"\n    tools: {', '.join(tool.name for tool in self.tools)}" if self.tools else ""
        stream = ", streamed" if self.is_streaming else ""
        head = f"#{self.number} {self.provider} {self.model} ({self.api}{stream})"
        return "\n    ".join([head, *messages]) + tools


def _after_last_answer(messages: tuple[LLMMessage, ...]) -> tuple[LLMMessage, ...]:
    last = max((at for at, message in enumerate(messages) if message.role == "assistant"), default=-1)
    return messages[last + 1 :]


def _message_text(message: LLMMessage) -> str:
    return " ".join(filter(None, [_part_text(part) for part in message.parts]))


def _part_text(part: Part) -> str:
    match part:
        case TextPart(text):
            return text
        case ToolCall(_, name, arguments):
            return f"{name}({json.dumps(arguments, ensure_ascii=False)})"
        case ToolResult(_, content):
            return content
        case other:
            return f"<{type(other).__name__}>"


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}...")


def decode_request(number: int, request: WireRequest) -> FakeCall:
    """
    Decode *request*, the call *number* of its test.

    Raises:
        FakeMissError: The URL is no chat endpoint, or the body is no request of its API.
    """
    endpoint = identify(request.method, request.url)
    where = f"{request.method} {urlsplit(request.url).netloc}{urlsplit(request.url).path}"
    if endpoint is None or find_dialect(endpoint.api) is None:
        raise FakeMissError(
            f"fake_llm cannot answer {where}",
            cause=f"it is {endpoint.api if endpoint else 'no known API'}, for which there is no format",
            fix="call one of the chat APIs, or record the call: @pytest.mark.llm",
        )
    try:
        body = json.loads(request.body)
        chat = decode_chat(endpoint, request.url, body)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FakeMissError(
            f"fake_llm cannot read what was sent to {where}",
            cause=f"it is no request of {endpoint.api}: {type(error).__name__}: {error}",
            fix="send what the provider would accept; it would reject this as well",
        ) from error
    headers = {name.lower(): value for name, value in request.headers if name.lower() in _SHOWN_HEADERS}
    return FakeCall(number, endpoint.provider, endpoint.api, chat, clean_url(request.url, bytes), headers, body)


def decode_chat(endpoint: Endpoint, url: str, body: JsonObject) -> ChatRequest:
    """Return the request in *body*; some APIs put the model and the choice to stream into *url* instead."""
    dialect = find_dialect(endpoint.api)
    assert dialect is not None
    chat = dialect.decode_request(body)
    is_streamed = chat.stream or _STREAMED_AT.search(urlsplit(url).path) is not None
    return replace(chat, model=chat.model or endpoint.model or "", stream=is_streamed)
