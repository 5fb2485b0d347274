"""The kinds of provider that a client can call: over HTTP, by a command, or a custom class."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable
from urllib.parse import quote

from llm_gateway.providers.auth import Auth
from llm_gateway.providers.encoding import encode_checked
from llm_gateway.types import ChatRequest, Headers, LLMMessage, LLMResponse, ProcessRequest, WireRequest
from llm_gateway.wire.base import Dialect, ProcessDialect
from llm_gateway.wire.models import Listing

__all__ = ["CustomProvider", "HttpProvider", "ProcessProvider", "Provider"]


@runtime_checkable
class CustomProvider(Protocol):
    """
    The methods of a class that is passed as ``LLMClient(provider_instance=...)``.

    Its ``complete`` may have further parameters, which are passed by name: ``model``, ``max_tokens``, ``temperature``,
    ``top_p``, ``seed``, ``reasoning_effort``, ``stop``, ``tools``, ``tool_choice``, ``json_mode`` and ``extra``.
    """

    async def complete(self, messages: list[LLMMessage], response_model: type[Any] | None = None) -> LLMResponse[Any]:
        """Answer *messages*: with text, or with an instance of *response_model* when one is given."""
        ...

    async def close(self) -> None:
        """Close the connections of the provider."""
        ...


Provider: TypeAlias = "HttpProvider | ProcessProvider | CustomProvider"


@dataclass(frozen=True)
class HttpProvider:
    """
    A provider that speaks a dialect over HTTP.

    Attributes:
        name: Name of the provider, as in ``anthropic``.

        dialect: The wire format.

        base_url: URL of the API, without a trailing slash.

        path: Path of the chat endpoint below *base_url*; ``{model}`` is replaced by the model's name.

        stream_path: Path of the endpoint for streams; None is *path*.

        auth: Authentication of requests.

        headers: Headers of every request.

        default_model: Model of requests that name none.

        structured: Ways to request objects, best first: ``native`` is the API's own mechanism, ``tool`` a forced tool
            call, ``prompt`` an instruction in the prompt.

        stream_type: The ``Accept`` header of a request for a stream.

        client: A client of the provider's official SDK that sends the requests, with its own address, authentication
            and headers; None sends them directly.

        models: The endpoint that lists models; None where there is none.

        counter: The endpoint that counts tokens, as a provider whose replies contain only usage; None where there is
            none.
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
        Build the HTTP request for *chat*, without authentication.

        Raises:
            ConfigError: *chat* contains a value that JSON cannot represent.
        """
        headers = (
            ("content-type", "application/json"),
            ("accept", self.stream_type if chat.stream else "application/json"),
            *self.headers,
        )
        body = encode_checked(self.name, chat, lambda: _json(self.dialect.encode_request(chat)))
        path = (chat.stream and self.stream_path) or self.path
        url = self.base_url + path.replace("{model}", quote(chat.model, safe=""))
        return WireRequest("POST", url, headers, body, self.name)


@dataclass(frozen=True)
class ProcessProvider:
    """
    A provider that speaks a dialect with a command of this machine.

    Attributes:
        name: Name of the provider.

        dialect: The format of arguments and output.

        default_model: Model of requests that name none.

        env: Variables added to the environment of each run.
    """

    name: str
    dialect: ProcessDialect
    default_model: str
    env: Mapping[str, str] = field(default_factory=dict)

    def request(self, chat: ChatRequest) -> ProcessRequest:
        """Build the run of the command for *chat*; raise errors as `HttpProvider.request` does."""
        argv, stdin, env = encode_checked(self.name, chat, lambda: self.dialect.encode_request(chat))
        return ProcessRequest(argv, stdin, {**self.env, **env})


def provider_name(provider: Provider) -> str:
    """Return the name of *provider*; of a custom class without one, the name of the class."""
    return str(getattr(provider, "name", type(provider).__name__))


def provider_address(provider: Provider) -> str:
    """Return the URL of *provider*'s API, or that of its SDK client; empty where it is not called over HTTP."""
    if not isinstance(provider, HttpProvider):
        return ""
    return str(getattr(provider.client, "base_url", provider.base_url))


def _json(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()
