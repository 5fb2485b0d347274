"""Calls of auxiliary endpoints, answered without a script: lists of models, counts of tokens, embeddings."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

from llm_gateway.catalog import find
from llm_gateway.exceptions import FakeMissError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.embeddings import embeddings_reply
from llm_gateway.fakes.models import model_list, one_model
from llm_gateway.fakes.usage import unbilled_record
from llm_gateway.redaction.url import clean_url
from llm_gateway.types import ChatRequest, JsonObject, WireReply, WireRequest
from llm_gateway.wire import anthropic, bedrock, gemini, openai_responses
from llm_gateway.wire.identify import identify
from llm_gateway.wire.tokens import estimate_tokens

__all__ = ["AuxiliaryCall", "answer_auxiliary", "count_tokens_reply", "identify_auxiliary"]

_MODEL_LIST = re.compile(r"^(?!.*/projects/).*/(models|api/tags|foundation-models|openai/deployments)/?$")
"""Except the models that a Vertex project has uploaded: those are another list."""
_ONE_MODEL = re.compile(r"/(v\d+(beta)?/)models/(?P<model>[^:]+)$")
_OLLAMA_MODEL = re.compile(r"/api/show$")
_TOKEN_COUNT = re.compile(r":countTokens$|/count-tokens$")
_EMBEDDING_APIS = frozenset(
    "cohere.v2.embed gemini.embed ollama.embed openai.embeddings vertex.predict voyage.embeddings".split()
)


@dataclass(frozen=True)
class AuxiliaryCall:
    """
    A call of an endpoint other than chat, which a fake answers without a script.

    Attributes:
        kind: ``models``, ``model``, ``tokens`` or ``embeddings``.

        provider: Name of the provider, as in ``openai``.

        api: Name of the wire format, as in ``openai.embeddings``.

        model: The model that the request names; empty where it names none.

        url: The URL, with credentials mbody.

        body: The JSON body as the SDK sent it; empty where there is none.
    """

    kind: str
    provider: str
    api: str
    model: str
    url: str
    body: JsonObject = field(default_factory=dict, repr=False)


def identify_auxiliary(request: WireRequest) -> AuxiliaryCall | None:
    """Identify the auxiliary call that *request* is, by method and URL; return None where it is no such call."""
    parts = urlsplit(request.url)
    path = unquote(parts.path)
    endpoint = identify(request.method, request.url)
    provider = endpoint.provider if endpoint else "ollama" if parts.port == find("ollama").port else None
    if provider is None:
        return None
    api, model = (endpoint.api, endpoint.model or "") if endpoint else ("ollama.other", "")
    if request.method == "GET":
        one = _ONE_MODEL.search(path)
        kind = "models" if _MODEL_LIST.search(path) else "model" if one else None
        model = one["model"] if one else ""
    else:
        kind, api = _identify_post(provider, api, path)
    return None if kind is None else AuxiliaryCall(kind, provider, api, model, clean_url(request.url, bytes))


def _identify_post(provider: str, api: str, path: str) -> tuple[str | None, str]:
    if api in _EMBEDDING_APIS:
        return "embeddings", "cohere.v1.embed" if path.startswith("/v1/embed") and provider == "cohere" else api
    if _OLLAMA_MODEL.search(path) and provider == "ollama":
        return "model", api
    if _TOKEN_COUNT.search(path):
        return "tokens", "bedrock.count_tokens" if provider == "bedrock" else "gemini.count_tokens"
    return ("tokens" if api.endswith(".count_tokens") else None), api


def answer_auxiliary(
    call: AuxiliaryCall, request: WireRequest, names: Sequence[str]
) -> tuple[AuxiliaryCall, HttpExchange]:
    """
    Answer *call*; return the call completed from the body of *request*, and the exchange.

    Args:
        call: The result of `identify_auxiliary`.

        request: The request as the SDK sent it.

        names: The models that the test names; they make up a list of models.

    Raises:
        FakeMissError: The body is no request of the API.
    """
    try:
        body = json.loads(request.body) if request.body else {}
        model = str(body.get("model") or call.model).removeprefix("models/")
        completed = AuxiliaryCall(call.kind, call.provider, call.api, model, call.url, body)
        reply = _reply(completed, names)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise FakeMissError(
            f"fake_llm cannot read what was sent to {request.method} {urlsplit(request.url).path}",
            cause=f"it is no request of {call.api}: {type(error).__name__}: {error}",
            fix="send what the provider would accept; it would reject this as well",
        ) from error
    content = json.dumps(reply).encode()
    headers = (("content-type", "application/json"), ("content-length", str(len(content))))
    exchange = HttpExchange(request, WireReply(200, headers, content), reason="OK")
    exchange.record = unbilled_record(exchange, completed.provider, completed.api, completed.model)
    return completed, exchange


def _reply(call: AuxiliaryCall, names: Sequence[str]) -> Any:
    match call.kind:
        case "models":
            return model_list(call.provider, names)
        case "model":
            return one_model(call.provider, call.model)
        case "tokens":
            return count_tokens_reply(call.api, call.model, call.body)
    return embeddings_reply(call.api, call.model, call.body)


def count_tokens_reply(api: str, model: str, body: JsonObject) -> JsonObject:
    """Return the reply to a request that counts tokens, in the format of *api*."""
    return _WRITERS[api](model, body)


def _count(request: ChatRequest, model: str) -> int:
    return estimate_tokens(dataclasses.replace(request, model=request.model or model)).tokens


def _anthropic(model: str, body: JsonObject) -> JsonObject:
    return {"input_tokens": _count(anthropic.DIALECT.decode_request(body), model)}


def _openai(model: str, body: JsonObject) -> JsonObject:
    tokens = _count(openai_responses.DIALECT.decode_request(body), model)
    return {"object": "response.input_tokens", "input_tokens": tokens}


def _gemini(model: str, body: JsonObject) -> JsonObject:
    tokens = _count(gemini.DIALECT.decode_request(body.get("generateContentRequest") or body), model)
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


def _bedrock(model: str, body: JsonObject) -> JsonObject:
    inside = body.get("input") or {}
    return {"inputTokens": _count(bedrock.DIALECT.decode_request(inside.get("converse") or {}), model)}


_WRITERS: dict[str, Callable[[str, JsonObject], JsonObject]] = {
    "anthropic.count_tokens": _anthropic,
    "bedrock.count_tokens": _bedrock,
    "gemini.count_tokens": _gemini,
    "openai.count_tokens": _openai,
}
