"""One attempt at a call, by the kind of provider: over HTTP, by a command, or by a custom class."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, NoReturn

from llm_gateway.client.call import Call
from llm_gateway.client.models.nearest import nearest_models
from llm_gateway.client.redact_key import redact_key, redact_key_bytes
from llm_gateway.exceptions import ErrorKind, ProviderError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Await, Emit, Finish, Flow, Open, Read, Rest, Run, Send, Start
from llm_gateway.providers.base import CustomProvider, HttpProvider, ProcessProvider, Provider, provider_name
from llm_gateway.providers.custom import arguments
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    Headers,
    LLMResponse,
    ProcessReply,
    StreamDelta,
    TextPart,
    WireReply,
)
from llm_gateway.wire.base import ErrorFacts, StreamDecoder
from llm_gateway.wire.parts.errors import readable_text

__all__ = ["attempt", "stream_attempt"]

_GOOD = range(200, 300)
_REDIRECTS = range(300, 400)
_PROXY_LOGIN_REQUIRED = 407
_PROXY = "the proxy in between requires a login: export HTTPS_PROXY=http://name:password@host:port"
_MOST_RAW = 2000
_NOT_DECODED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)
_UNKNOWN = "something that is not part of its format"
_FIXES: dict[ErrorKind, str] = {
    "auth": "check the key: the provider rejects it",
    "permission": "request access: the key is valid, but not allowed to do this",
    "invalid_request": "change what the message above names",
    "content_filter": "rephrase: the provider's filter stopped it",
    "rate_limited": "call less often, or raise LLM_MAX_RETRIES",
    "overloaded": "try again later, or raise LLM_MAX_RETRIES",
    "server": "try again later; see the provider's status page",
    "timeout": "try again, or raise LLM_TIMEOUT_S",
    "context_window": "set max_context_tokens to leave out old messages, or choose a model with a longer context",
    "quota_exhausted": "check the account's plan and billing; trying again does not help",
}


def attempt(call: Call, request: ChatRequest) -> Flow:
    """Send the request once, and return the `ChatReply`."""
    match call.provider:
        case HttpProvider() as provider:
            return (yield from _http(call, provider, request))
        case ProcessProvider() as provider:
            return (yield from _process(call, provider, request))
        case provider:
            return (yield from _custom(call, provider, request, call.response_model))


def stream_attempt(call: Call, request: ChatRequest) -> Flow:
    """Send the request once, emit deltas as they arrive, and return the whole `ChatReply`."""
    match call.provider:
        case HttpProvider() as provider:
            yield from _opened(call, provider, request)
        case ProcessProvider() as provider:
            yield Start(provider.request(request), call.first_content_timeouts)
        case provider:
            reply = yield from _custom(call, provider, request, None)
            call.content()
            yield Emit(StreamDelta(text=reply.text))
            return reply
    decoder = provider.dialect.stream_decoder()
    seen = yield from _read(call, request, decoder)
    if isinstance(provider, ProcessProvider):
        yield from _finished(call, provider, request, decoder, seen)
    try:
        return _named(decoder.reply())
    except _NOT_DECODED as error:
        raise _broken(call, _so_far(decoder), f"it holds {_UNKNOWN}", "server", has_begun=True) from error


def _http(call: Call, provider: HttpProvider, request: ChatRequest) -> Flow:
    reply: WireReply = yield Send((yield from _authorised(provider, request)), provider.client, call.attempt_timeouts)
    call.holder = reply.holder
    if reply.status not in _GOOD:
        _raise_rejected(provider, request.model, reply.status, reply.headers, reply.body)
    try:
        return _named(provider.dialect.decode_reply(_parse_json(provider, reply)))
    except _NOT_DECODED as error:
        _raise_undecodable(provider, reply.body, error)


def _authorised(provider: HttpProvider, request: ChatRequest) -> Flow:
    sent, auth = provider.request(request), provider.auth
    if not auth.may_wait:
        return auth.apply(sent)
    return (yield steps.Call(lambda: auth.apply(sent)))


def _parse_json(provider: HttpProvider, reply: WireReply) -> Any:
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        body = redact_key_bytes(provider, reply.body)
        raise ProviderError(
            f"{provider.name} answered {reply.status} with something that is no JSON",
            kind="server",
            provider=provider.name,
            status=reply.status,
            raw=body[:_MOST_RAW].decode("utf-8", "replace"),
            may_be_billed=True,
            cause=readable_text(body)[:100] or "there is nothing in it",
            fix="check that LLM_BASE_URL is the address of an API, and which proxy is in between",
        ) from error


def _raise_undecodable(provider: Provider, body: bytes, error: Exception) -> NoReturn:
    """Raise our own error for a reply that its format cannot explain."""
    name, body = provider_name(provider), redact_key_bytes(provider, body)
    raise ProviderError(
        f"{name} answered with {_UNKNOWN}",
        kind="server",
        provider=name,
        cause=body[:100].decode("utf-8", "replace"),
        raw=body[:_MOST_RAW].decode("utf-8", "replace"),
        may_be_billed=True,
    ) from error


def _named(reply: ChatReply) -> ChatReply:
    """Return *reply* without its model where that is no name; the requested one is then used."""
    named: Any = reply.model
    return reply if isinstance(named, str | None) else dataclasses.replace(reply, model=None)


def _so_far(decoder: StreamDecoder) -> ChatReply:
    """Return what arrived of a broken stream; an empty reply where not even that can be read."""
    try:
        return _named(decoder.reply())
    except _NOT_DECODED:
        return ChatReply(())


def _process(call: Call, provider: ProcessProvider, request: ChatRequest) -> Flow:
    done: ProcessReply = yield Run(provider.request(request), call.attempt_timeouts)
    call.holder = done.holder
    facts = provider.dialect.decode_error(done.exit_code, done.stdout, done.stderr)
    reply = provider.dialect.decode_reply(done.stdout)
    if facts is not None:
        _fail(provider, request.model, facts, reply, done)
    return reply


def _custom(call: Call, provider: CustomProvider, request: ChatRequest, response_model: type[Any] | None) -> Flow:
    complete: Any = provider.complete  # it may take more arguments than the protocol has
    given, unsupported = arguments(provider, request)
    call.dropped.update(dict.fromkeys(unsupported))
    response: LLMResponse[Any] = yield Await(lambda: complete(list(request.messages), response_model, **given))
    if response.reply is not None:
        return response.reply
    text = response.content if isinstance(response.content, str) else ""
    return ChatReply(
        parts=(TextPart(text),) if text else (),
        model=response.model,
        stop_reason=response.stop_reason,
        usage=response.usage,
        cost_usd=response.cost_usd,
        structured=None if isinstance(response.content, str) else response.content,
    )


def _opened(call: Call, provider: HttpProvider, request: ChatRequest) -> Flow:
    head = yield Open((yield from _authorised(provider, request)), provider.client, call.first_content_timeouts)
    call.holder = head.holder
    if head.status not in _GOOD:
        chunks: list[bytes] = []
        while chunk := (yield Read()):
            chunks.append(chunk)
        _raise_rejected(provider, request.model, head.status, head.headers, b"".join(chunks))


def _read(call: Call, request: ChatRequest, decoder: StreamDecoder) -> Flow:
    """Read a stream to its end; its usage is accounted for also when the caller stops before."""
    has_begun, seen = False, b""
    read, next_ones = Read(call.first_content_timeouts), Read(call.chunk_timeouts)
    try:
        while not decoder.is_finished and decoder.error is None and (chunk := (yield read)):
            seen += chunk[: _MOST_RAW - len(seen)]
            for delta in _decode_chunk(call, decoder, chunk):
                has_begun, read = True, next_ones
                call.content()
                yield Emit(delta)
        if decoder.is_finished and isinstance(call.provider, HttpProvider):
            yield Rest()
    except ProviderError as error:
        if isinstance(call.provider, ProcessProvider):
            error.usage, error.has_begun = _so_far(decoder).usage, has_begun
            raise
        broken = _broken(call, _so_far(decoder), error.message, error.kind, has_begun=has_begun)
        broken.cause, broken.fix = error.cause, broken.fix or error.fix
        raise broken from error
    except GeneratorExit as left:
        call.note(request.model, _so_far(decoder), left=left)
        raise
    if not isinstance(call.provider, ProcessProvider):  # the exit of a command is more telling
        _check_end(call, decoder, has_begun=has_begun)
    return seen


def _decode_chunk(call: Call, decoder: StreamDecoder, chunk: bytes) -> list[StreamDelta]:
    try:
        return decoder.feed(chunk)
    except _NOT_DECODED as error:
        _raise_undecodable(call.provider, chunk, error)


def _check_end(call: Call, decoder: StreamDecoder, *, has_begun: bool) -> None:
    if decoder.error is not None:
        message = redact_key(call.provider, decoder.error.message)
        raise _broken(call, _so_far(decoder), message, decoder.error.kind, has_begun=has_begun)
    if not decoder.is_finished:
        raise _broken(call, _so_far(decoder), "the stream ended too early", "stream_interrupted", has_begun=has_begun)


def _finished(call: Call, provider: ProcessProvider, request: ChatRequest, decoder: StreamDecoder, seen: bytes) -> Flow:
    done: ProcessReply = yield Finish(call.chunk_timeouts)
    call.holder = done.holder
    facts = decoder.error
    if facts is None and not decoder.is_finished:
        facts = provider.dialect.decode_error(done.exit_code, seen, done.stderr)
    if facts is not None:
        _fail(provider, request.model, facts, decoder.reply(), done)


def _broken(call: Call, reply: ChatReply, message: str, kind: ErrorKind, *, has_begun: bool) -> ProviderError:
    name = provider_name(call.provider)
    error = ProviderError(
        f"{name}'s stream broke after {len(reply.text)} characters: {message}",
        kind=kind,
        provider=name,
        usage=reply.usage,
        fix="call again; what arrived before the break was already returned" if has_begun else None,
        may_be_billed=True,
    )
    error.has_begun = has_begun
    return error


def _raise_rejected(provider: HttpProvider, model: str, status: int, headers: Headers, body: bytes) -> NoReturn:
    body = redact_key_bytes(provider, body)
    facts = provider.dialect.decode_error(status, headers, body)
    if status in _REDIRECTS:
        _raise_redirected(provider, status, headers)
    raise ProviderError(
        f"{provider.name} answered {status} for {model!r}: {facts.message}",
        kind=facts.kind,
        provider=provider.name,
        status=status,
        retry_after_s=facts.retry_after_s,
        raw=body.decode("utf-8", "replace")[:_MOST_RAW],
        cause=nearest_models(provider.name, model) if facts.kind == "not_found" else None,
        fix=_PROXY if status == _PROXY_LOGIN_REQUIRED else _fix(provider.name, facts.kind),
    )


def _raise_redirected(provider: HttpProvider, status: int, headers: Headers) -> NoReturn:
    target = next((redact_key(provider, value) for name, value in headers if name.lower() == "location"), None)
    where = f"to {target!r}" if target else "without an address"
    raise ProviderError(
        f"{provider.name} answered {status}: redirect {where}",
        kind="invalid_request",
        provider=provider.name,
        status=status,
        cause="redirects are not followed: the key would be sent along",
        fix=f"set LLM_BASE_URL to the address of {provider.name}'s API, with the right scheme, host and path",
    )


def _fail(provider: ProcessProvider, model: str, facts: ErrorFacts, reply: ChatReply, done: ProcessReply) -> NoReturn:
    raise ProviderError(
        f"{provider.name} failed for {model!r}: {facts.message}",
        kind=facts.kind,
        provider=provider.name,
        usage=reply.usage,
        raw=(done.stdout + done.stderr).decode("utf-8", "replace")[:_MOST_RAW],
        cause=f"it ended with exit code {done.exit_code}",
        fix="run `claude` once and log in, or set ANTHROPIC_API_KEY" if facts.kind == "auth" else None,
    )


def _fix(provider: str, kind: ErrorKind) -> str | None:
    if kind == "not_found":
        return f"set LLM_MODEL={provider}:<name>, and check that the key may use that model"
    return _FIXES.get(kind)
