"""Answers to calls of auxiliary endpoints: lists of models, counts of tokens, embeddings."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from llm_gateway.exceptions import FakeMissError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.embeddings import embeddings_reply
from llm_gateway.fakes.models import model_list, one_model
from llm_gateway.fakes.usage import unbilled_record
from llm_gateway.redaction.address import clean_url
from llm_gateway.types import ChatRequest, JsonObject, WireReply, WireRequest
from llm_gateway.wire import anthropic, bedrock, gemini, openai_responses
from llm_gateway.wire.identify import identify
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["AuxiliaryCall", "answer_auxiliary", "count_tokens_reply", "identify_auxiliary"]

_OLLAMA_PORT = 11434
_LISTS = re.compile(r"^(?!.*/projects/).*/(models|api/tags|foundation-models|openai/deployments)/?$")
"""Not those that a project has uploaded, which are another list."""
_ONE = re.compile(r"/(v\d+(beta)?/)models/(?P<model>[^:]+)$")
_SHOWS = re.compile(r"/api/show$")
_COUNTS = re.compile(r":countTokens$|/count-tokens$")
_EMBEDS = frozenset(
    "cohere.v2.embed gemini.embed ollama.embed openai.embeddings vertex.predict voyage.embeddings".split()
)


@dataclass(frozen=True)
class AuxiliaryCall:
    """
    A call beside the chat, which a fake answers without a script.

    Attributes:
        kind: ``models``, ``model``, ``tokens`` or ``embeddings``.

        provider: As in ``openai``.

        api: As in ``openai.embeddings``.

        model: The model that it is about; empty where it is about none.

        url: Where it was sent.

        body: The JSON body as the SDK wrote it; empty where there is none.
    """

    kind: str
    provider: str
    api: str
    model: str
    url: str
    body: JsonObject = field(default_factory=dict, repr=False)


def identify_auxiliary(request: WireRequest) -> AuxiliaryCall | None:
    """What *request*, of which only the address need be known, asks beside the chat; None where that is nothing."""
    parts = urlsplit(request.url)
    path = unquote(parts.path)
    endpoint = identify(request.method, request.url)
    provider = endpoint.provider if endpoint else "ollama" if parts.port == _OLLAMA_PORT else None
    if provider is None:
        return None
    api, model = (endpoint.api, endpoint.model or "") if endpoint else ("ollama.other", "")
    if request.method == "GET":
        one = _ONE.search(path)
        kind = "models" if _LISTS.search(path) else "model" if one else None
        model = one["model"] if one else ""
    else:
        kind, api = _posted(provider, api, path)
    return None if kind is None else AuxiliaryCall(kind, provider, api, model, clean_url(request.url, bytes))


def _posted(provider: str, api: str, path: str) -> tuple[str | None, str]:
    if api in _EMBEDS:
        return "embeddings", "cohere.v1.embed" if path.startswith("/v1/embed") and provider == "cohere" else api
    if _SHOWS.search(path) and provider == "ollama":
        return "model", api
    if _COUNTS.search(path):
        return "tokens", "bedrock.count_tokens" if provider == "bedrock" else "gemini.count_tokens"
    return ("tokens" if api.endswith(".count_tokens") else None), api


def answer_auxiliary(
    call: AuxiliaryCall, request: WireRequest, names: Sequence[str]
) -> tuple[AuxiliaryCall, HttpExchange]:
    """
    The answer to *call*, and the call with what it says in its body.

    Args:
        call: As `aside` found it.

        request: Its request.

        names: The models that the test speaks of.

    Raises:
        FakeMissError: Its body is none of its API.
    """
    try:
        asked = json.loads(request.body) if request.body else {}
        model = str(asked.get("model") or call.model).removeprefix("models/")
        made = AuxiliaryCall(call.kind, call.provider, call.api, model, call.url, asked)
        reply = _reply(made, names)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FakeMissError(
            f"fake_llm cannot read what was sent to {request.method} {urlsplit(request.url).path}",
            cause=f"it is no request of {call.api}: {type(error).__name__}: {error}",
            fix="send what the provider would take; it would refuse this as well",
        ) from error
    body = json.dumps(reply).encode()
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    exchange = HttpExchange(request, WireReply(200, headers, body), reason="OK")
    exchange.metering = unbilled_record(exchange, made.provider, made.api, made.model)
    return made, exchange


def _reply(call: AuxiliaryCall, names: Sequence[str]) -> Any:
    match call.kind:
        case "models":
            return model_list(call.provider, names)
        case "model":
            return one_model(call.provider, call.model)
        case "tokens":
            return count_tokens_reply(call.api, call.model, call.body)
    return embeddings_reply(call.api, call.model, call.body)


def count_tokens_reply(api: str, model: str, asked: JsonObject) -> JsonObject:
    """The reply to a request that counts its tokens, in the format of *api*."""
    return _WRITERS[api](model, asked)


def _count(request: ChatRequest, model: str) -> int:
    return estimate_tokens(dataclasses.replace(request, model=request.model or model)).tokens


def _anthropic(model: str, asked: JsonObject) -> JsonObject:
    return {"input_tokens": _count(anthropic.DIALECT.decode_request(asked), model)}


def _openai(model: str, asked: JsonObject) -> JsonObject:
    tokens = _count(openai_responses.DIALECT.decode_request(asked), model)
    return {"object": "response.input_tokens", "input_tokens": tokens}


def _gemini(model: str, asked: JsonObject) -> JsonObject:
    tokens = _count(gemini.DIALECT.decode_request(asked.get("generateContentRequest") or asked), model)
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


def _bedrock(model: str, asked: JsonObject) -> JsonObject:
    inside = asked.get("input") or {}
    return {"inputTokens": _count(bedrock.DIALECT.decode_request(inside.get("converse") or {}), model)}


_WRITERS: dict[str, Callable[[str, JsonObject], JsonObject]] = {
    "anthropic.count_tokens": _anthropic,
    "bedrock.count_tokens": _bedrock,
    "gemini.count_tokens": _gemini,
    "openai.count_tokens": _openai,
}
