"""The replies of the server: by the cassette of the test or its script, or forwarded from the real provider."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus

from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.cassette import Cassette
from llm_gateway.interception.refusal import refusal
from llm_gateway.loopback.address import candidates, provider_at, served_providers
from llm_gateway.loopback.incoming import Incoming
from llm_gateway.loopback.outgoing import Parts, encode_reply, forward
from llm_gateway.types import WireRequest
from llm_gateway.wire.identify import identify

__all__ = ["Answers"]

_UNASKED = frozenset({"HEAD", "OPTIONS", "TRACE", "CONNECT"})


class Answers:
    """
    The handler of a server for one test.

    Args:
        cassette: The test's.

        environ: As it was before the server's own addresses were set: it may say where a provider really is.
    """

    def __init__(self, cassette: Cassette, environ: Mapping[str, str]) -> None:
        self._cassette, self._environ = cassette, environ

    def __call__(self, incoming: Incoming) -> Parts:
        """Return the reply to *incoming*."""
        meant = provider_at(incoming.target)
        if meant is None or incoming.method.upper() in _UNASKED:
            return encode_reply(_not_found(incoming), incoming.method)
        request = WireRequest(incoming.method, self._url(*meant, incoming), incoming.headers, incoming.body)
        if self._cassette.is_offline(request):
            answer = self._cassette.handle(request)
            assert isinstance(answer, HttpExchange)
            return encode_reply(answer, incoming.method)
        if why := _unforwardable(request):
            text = f"llm_server cannot pass on {request.method} /{meant[0]}{meant[1]}\n  {why}"
            self._cassette.outcome.fail_miss(text)
            return encode_reply(refusal(request, "cassette_miss", text), incoming.method)
        return forward(incoming, request.url)

    @cached_property
    def _recorded(self) -> tuple[str, ...]:
        """The addresses in the cassette, each once: a call must not cost more the longer the cassette is."""
        return tuple(dict.fromkeys(self._cassette.addresses()))

    def _url(self, name: str, rest: str, incoming: Incoming) -> str:
        """Return the address of *rest* at the provider: one that was recorded, if there is one."""
        found = list(candidates(name, rest, incoming.headers, self._environ, self._recorded))
        return next((url for url in found if self._cassette.knows(url)), found[-1])


def _unforwardable(request: WireRequest) -> str | None:
    """Return why the real provider would reject *request*; None if it would not."""
    if "{resource}" in request.url:
        origin = "/".join(request.url.split("/")[:3]).replace("{", "<").replace("}", ">")
        return (
            "whose resource is meant is not known: AZURE_OPENAI_ENDPOINT was not set before the test\n"
            f"  to record it: AZURE_OPENAI_ENDPOINT={origin} pytest --llm-record"
        )
    if any(name.lower() == "authorization" and value.startswith("AWS4-") for name, value in request.headers):
        return (
            "it is signed for the server's own address, which AWS would refuse\n"
            "  to record it: export AWS_BEARER_TOKEN_BEDROCK=..., which is no signature; or call it in the test itself"
        )
    return None


def _not_found(incoming: Incoming) -> HttpExchange:
    """Return the 404 for a path that names no provider, or a method that none has."""
    path = incoming.target.partition("?")[0]
    text = f"llm_server has nothing at {incoming.method} {path}\n  {_explained(path)}"
    answer = refusal(WireRequest(incoming.method, path), "not_found", text)
    assert answer.reply is not None
    reply = dataclasses.replace(answer.reply, status=HTTPStatus.NOT_FOUND.value)
    return dataclasses.replace(answer, reply=reply, reason="Not Found")


def _explained(path: str) -> str:
    if meant := provider_at(path):
        return f"it answers what SDKs ask\n  ask for it with POST, or GET: /{meant[0]}{meant[1]}"
    named = f"a path begins with the name of a provider: {', '.join(served_providers())}"
    return f"{named}\n  ask for {_nearest(path)}, as the variables in llm_server.env do"


def _nearest(path: str) -> str:
    """Return the path that was meant: of the only provider that has it, or of the one with a similar name."""
    found = identify("POST", f"http://localhost{path}")
    if found is not None and found.provider in served_providers():
        return f"/{found.provider}{path}"
    name, _, rest = path.lstrip("/").partition("/")
    near = difflib.get_close_matches(name, served_providers(), n=1)
    return f"/{near[0]}/{rest}" if near else "/openai/v1/chat/completions"
