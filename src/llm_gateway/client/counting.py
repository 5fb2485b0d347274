"""Count the tokens of a request: by the provider where its API does that, else by an estimate."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llm_gateway.client.attempts import attempt
from llm_gateway.client.call import Call
from llm_gateway.client.retry import with_retries
from llm_gateway.config.folder import vocabulary_folder
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Flow
from llm_gateway.providers.base import HttpProvider, provider_name
from llm_gateway.types import ChatReply, ChatRequest
from llm_gateway.wire.tokens import Estimate, estimate_tokens, framed_tokens

__all__ = ["count", "sizer_of"]

_OWNER = "openai"  # elsewhere the same names may be other models


def count(call: Call, request: ChatRequest) -> Flow:
    """
    Request the provider's count, and return an `Estimate`, which states whether the provider counted.

    Raises:
        ProviderError: The provider refused or failed.
    """
    counter = call.provider.counter if isinstance(call.provider, HttpProvider) else None
    if counter is None:
        local = (
            (yield steps.Call(lambda: _counted_locally(request))) if provider_name(call.provider) == _OWNER else None
        )
        return local or estimate_tokens(request)
    call.provider = counter
    try:
        reply: ChatReply = yield from with_retries(call, request, attempt)
    except ProviderError as error:
        if error.kind != "unsupported_param":
            raise
        return estimate_tokens(request)  # it counts, but not for this model
    assert reply.usage is not None
    assert reply.usage.input_tokens is not None  # replies of a counter hold nothing else
    return Estimate(reply.usage.input_tokens, "counted")


def _counted_locally(request: ChatRequest) -> Estimate | None:
    """Return the count by the model's own vocabulary, where that is on this machine."""
    size = sizer_of(request.model, vocabulary_folder())
    tokens = framed_tokens(request, size) if size is not None else None
    return None if tokens is None else Estimate(tokens, "counted")


_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
"""The address whose hash names a file in the cache."""
_SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@functools.cache
def sizer_of(model: str, folder: Path | None) -> Callable[[str], int] | None:
    """
    Return the function that counts a text in tokens of *model*; None where that needs the network.

    Args:
        model: As OpenAI names it.

        folder: Where tiktoken itself will look (see `llm_gateway.config.folder.vocabulary_folder`); None is nowhere.
    """
    if folder is None or importlib.util.find_spec("tiktoken") is None:
        return None
    tiktoken: Any = importlib.import_module("tiktoken")
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return None
    if not _is_here(name, folder):
        return None
    encode = tiktoken.get_encoding(name).encode_ordinary
    return lambda text: len(encode(text))


def _is_here(name: str, folder: Path) -> bool:
    path = folder / hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == _SHA256.get(name)
    except OSError:
        return False
