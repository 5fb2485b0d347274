"""What code under test asked of a fake, read from the request that its SDK wrote."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import urlsplit

from llm_gateway.exceptions import FakeMissError
from llm_gateway.redaction.address import clean_url
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
from llm_gateway.wire.dialect import dialect_of
from llm_gateway.wire.identify import Endpoint, identify

__all__ = ["FakeCall", "decode_chat", "decode_request"]

_STREAMED_AT = re.compile(r":streamGenerateContent$|/converse-stream$|/invoke-with-response-stream$")
_SHOWN_HEADERS = frozenset({"accept", "content-type", "user-agent", "anthropic-version", "anthropic-beta"})
_LONGEST = 200
_NO_PARAMS = frozenset({"model", "messages", "tools", "response_schema_name", "stream", "extra"})
"""What a call says elsewhere."""
_PARAMS = {one.name: one.default for one in fields(ChatRequest) if one.name not in _NO_PARAMS}
"""The others, with their value where nobody set them."""


@dataclass(frozen=True)
class FakeCall:
    """
    One call that a fake answered.

    Attributes:
        number: Its place among the calls of the test, from 1.

        provider: As in ``anthropic``.

        api: As in ``anthropic.messages``.

        chat: What was asked, in no provider's words.

        url: Where it was sent; credentials in it are blotted out.

        headers: Those that say how it was asked, names in lower case; credentials are never among them.

        body: The JSON body as the SDK wrote it; empty for a command.
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
        """The model that was asked."""
        return self.chat.model

    @property
    def messages(self) -> tuple[LLMMessage, ...]:
        """The conversation without its system prompt."""
        return tuple(message for message in self.chat.messages if message.role != "system")

    @property
    def system(self) -> str:
        """The system prompt; empty where there is none."""
        return "\n".join(message.text for message in self.chat.messages if message.role == "system")

    @property
    def text(self) -> str:
        """The text of the last message."""
        return self.chat.messages[-1].text if self.chat.messages else ""

    @property
    def tools(self) -> tuple[Tool, ...]:
        """The tools that the model might have called."""
        return self.chat.tools

    @property
    def tool_results(self) -> dict[str, str]:
        """What tools returned since the model's last turn, by the id of their call."""
        parts = [part for message in _since_answer(self.chat.messages) for part in message.parts]
        return {part.tool_call_id: part.content for part in parts if isinstance(part, ToolResult)}

    @property
    def params(self) -> dict[str, Any]:
        """The options that were set, by their names in `ChatRequest`, and whatever else the body holds."""
        said = ((name, getattr(self.chat, name), unsaid) for name, unsaid in _PARAMS.items())
        return {**{name: value for name, value, unsaid in said if value != unsaid}, **self.chat.extra}

    @property
    def is_streaming(self) -> bool:
        """Whether the answer was asked for bit by bit."""
        return self.chat.stream

    def __str__(self) -> str:
        said = [f"{message.role}: {_short(_told(message))}" for message in self.chat.messages]
        tools = f"\n    tools: {', '.join(tool.name for tool in self.tools)}" if self.tools else ""
        stream = ", streamed" if self.is_streaming else ""
        head = f"#{self.number} {self.provider} {self.model} ({self.api}{stream})"
        return "\n    ".join([head, *said]) + tools


def _since_answer(messages: tuple[LLMMessage, ...]) -> tuple[LLMMessage, ...]:
    last = max((at for at, message in enumerate(messages) if message.role == "assistant"), default=-1)
    return messages[last + 1 :]


def _told(message: LLMMessage) -> str:
    return " ".join(filter(None, [_said(part) for part in message.parts]))


def _said(part: Part) -> str:
    match part:
        case TextPart(text):
            return text
        case ToolCall(_, name, arguments):
            return f"{name}({json.dumps(arguments, ensure_ascii=False)})"
        case ToolResult(_, content):
            return content
        case other:
            return f"<{type(other).__name__}>"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}...")


def decode_request(number: int, request: WireRequest) -> FakeCall:
    """
    Read *request*, the call *number* of its test.

    Raises:
        FakeMissError: It asks for something that no chat dialect knows.
    """
    endpoint = identify(request.method, request.url)
    where = f"{request.method} {urlsplit(request.url).netloc}{urlsplit(request.url).path}"
    if endpoint is None or dialect_of(endpoint.api) is None:
        raise FakeMissError(
            f"fake_llm cannot answer {where}",
            cause=f"it is {endpoint.api if endpoint else 'no known API'}, for which there is no format",
            fix="ask one of the chat APIs, or record the call: @pytest.mark.llm",
        )
    try:
        body = json.loads(request.body)
        chat = decode_chat(endpoint, request.url, body)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise FakeMissError(
            f"fake_llm cannot read what was sent to {where}",
            cause=f"it is no request of {endpoint.api}: {type(error).__name__}: {error}",
            fix="send what the provider would take; it would refuse this as well",
        ) from error
    headers = {name.lower(): value for name, value in request.headers if name.lower() in _SHOWN_HEADERS}
    return FakeCall(number, endpoint.provider, endpoint.api, chat, clean_url(request.url, bytes), headers, body)


def decode_chat(endpoint: Endpoint, url: str, body: JsonObject) -> ChatRequest:
    """The request in *body*, with what some APIs say in the address instead: the model, and whether to stream."""
    dialect = dialect_of(endpoint.api)
    assert dialect is not None
    chat = dialect.decode_request(body)
    is_streamed = chat.stream or _STREAMED_AT.search(urlsplit(url).path) is not None
    return replace(chat, model=chat.model or endpoint.model or "", stream=is_streamed)
