"""What a provider is to the client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import quote

from llm_gateway.providers.auth import Auth
from llm_gateway.providers.written import written
from llm_gateway.types import ChatRequest, Headers, LLMMessage, LLMResponse, ProcessRequest, WireRequest
from llm_gateway.wire.base import Dialect, ProcessDialect
from llm_gateway.wire.models import Listing

__all__ = ["CustomProvider", "HttpProvider", "ProcessProvider", "Provider"]


@runtime_checkable
class CustomProvider(Protocol):
    """
    What a class must have to be handed to ``LLMClient(provider_instance=...)``.

    Its ``complete`` may take more by name, and is then given it: ``model``, ``max_tokens``, ``temperature``, ``top_p``,
    ``seed``, ``reasoning_effort``, ``stop``, ``tools``, ``tool_choice``, ``json_mode`` and ``extra``.
    """

    async def complete(self, messages: list[LLMMessage], response_model: type[Any] | None = None) -> LLMResponse[Any]:
        """Answer *messages*: with text, or with an instance of *response_model* when one is given."""
        ...

    async def close(self) -> None:
        """Give back what the provider holds."""
        ...


Provider: TypeAlias = "HttpProvider | ProcessProvider | CustomProvider"


@dataclass(frozen=True)
class HttpProvider:
    """
    A provider that speaks a dialect over HTTP.

    Attributes:
        name: As in ``anthropic``.

        dialect: The wire format.

        base_url: Where the API starts, without a trailing slash.

        path: Where chats are sent, from *base_url*; ``{model}`` stands for the model's name.

        stream_path: Where streamed chats are sent, if elsewhere.

        auth: How requests prove who sends them.

        headers: Sent with every request.

        default_model: Used where the caller names none.

        structured: How objects can be asked for, the best way first: ``native`` is the API's own mechanism, ``tool`` a
            tool that has to be called, ``prompt`` words.
        stream_type: The media type that a stream is asked for as.

        client: A client of the provider's official SDK that sends the requests, with its own address, authentication
            and headers; None sends them directly.

        models: How the API lists its models; None where it does not.
        counter: Where the API counts the tokens of a request, as a provider whose replies hold nothing but usage.
    """

    name: str
    dialect: Dialect
    base_url: str
    path: str
    auth: Auth
    default_model: str
    stream_path: str | None = None
    stream_type: str = "text/event-stream"
    headers: Headers = ()
    structured: tuple[Literal["native", "tool", "prompt"], ...] = ("native", "tool", "prompt")
    client: Any = None
    models: Listing | None = None
    counter: HttpProvider | None = None

    def request(self, chat: ChatRequest) -> WireRequest:
        """
        The HTTP request for *chat*, without authentication.

        Raises:
            ConfigError: *chat* holds something that JSON cannot.
        """
        headers = (
            ("content-type", "application/json"),
            ("accept", self.stream_type if chat.stream else "application/json"),
            *self.headers,
        )
        body = written(self.name, chat, lambda: _json(self.dialect.encode_request(chat)))
        path = (chat.stream and self.stream_path) or self.path
        return WireRequest("POST", self.base_url + path.replace("{model}", quote(chat.model, safe="")), headers, body)


@dataclass(frozen=True)
class ProcessProvider:
    """
    A provider that speaks a dialect with a command of this machine.

    Attributes:
        env: Added to the environment of each run.
    """

    name: str
    dialect: ProcessDialect
    default_model: str
    env: Mapping[str, str] = field(default_factory=dict)

    def request(self, chat: ChatRequest) -> ProcessRequest:
        """The run for *chat*; errors as in `HttpProvider.request`."""
        argv, stdin, env = written(self.name, chat, lambda: self.dialect.encode_request(chat))
        return ProcessRequest(argv, stdin, {**self.env, **env})


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
