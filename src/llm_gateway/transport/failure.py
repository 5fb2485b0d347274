"""Errors of connections to a provider, raised as `ProviderError` with a kind."""

from __future__ import annotations

from typing import Literal, NoReturn
from urllib.parse import urlsplit

from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.timeout import Timeout, TimeoutKind
from llm_gateway.record import RecordHolder, holder_of
from llm_gateway.types import WireRequest

__all__ = [
    "Phase",
    "carried_by",
    "raise_connection_error",
    "raise_decoding_error",
    "raise_proxy_error",
    "raise_timeout",
    "raise_too_large",
]

Phase = Literal["head", "body", "stream"]
"""The part of a reply that is read: its head, the body of a whole reply, or a chunk of a stream."""

_CHECK = "check the address (LLM_BASE_URL), the network and any proxy (HTTP_PROXY, HTTPS_PROXY)"
_TIMEOUT_TEXTS: dict[TimeoutKind, str] = {
    "connect": "no connection to {host} within {seconds:g} s",
    "attempt": "no answer from {host} within {seconds:g} s",
    "first_token": "nothing of an answer from {host} within {seconds:g} s",
    "idle": "the stream from {host} stood still for {seconds:g} s",
    "total": "no answer from {host} within the {seconds:g} s that the whole call may take",
}


def _host(request: WireRequest) -> str:
    return urlsplit(request.url).netloc.rpartition("@")[2]


def raise_timeout(request: WireRequest, timeout: Timeout, error: Exception | None = None) -> NoReturn:
    """Raise the error of *request* after *timeout*."""
    made = ProviderError(
        _TIMEOUT_TEXTS[timeout.kind].format(host=_host(request), seconds=timeout.seconds),
        kind="timeout",
        cause=f"{timeout.setting} ran out",
        fix=f"{_CHECK}, or {timeout.fix}" if timeout.kind == "connect" else f"try again, or {timeout.fix}",
    )
    made.holder, made.may_be_billed = carried_by(error), timeout.kind != "connect"
    raise made from error


def carried_by(error: BaseException | None) -> RecordHolder | None:
    """Return the holder that *error* carries, or the reply behind it, or what it was raised for."""
    while error is not None:
        if (found := holder_of(error) or holder_of(getattr(error, "response", None))) is not None:
            return found
        error = error.__cause__ or error.__context__
    return None


def raise_connection_error(error: Exception, request: WireRequest, phase: Phase) -> NoReturn:
    """Raise the error of *request* for *error* of its connection; only the one of a stream is never retried."""
    host = _host(request)
    words = {"head": f"cannot reach {host}", "body": f"the reply from {host} broke off"}
    made = ProviderError(
        words.get(phase) or f"the stream from {host} broke off",
        kind="stream_interrupted" if phase == "stream" else "connection",
        cause=str(error) or type(error).__name__,
        fix=_CHECK if phase == "head" else "try again" if phase == "body" else None,
    )
    made.holder, made.may_be_billed = carried_by(error), not _never_connected(error)
    raise made from error


def _never_connected(error: BaseException | None) -> bool:
    """Return whether *error*, or an error that it was raised for, states that there was no connection."""
    while error is not None:
        if type(error).__name__ in {"ConnectError", "ConnectTimeout"}:  # of httpx and httpx2 alike
            return True
        error = error.__cause__ or error.__context__
    return False


def raise_proxy_error(error: Exception, request: WireRequest) -> NoReturn:
    """Raise the error of a *request* that a proxy rejected."""
    raise ProviderError(
        f"the proxy does not connect to {_host(request)}",
        kind="connection",
        cause=str(error),
        fix="check the proxy's address, name and password: export HTTPS_PROXY=http://name:password@host:port",
    ) from error


def raise_decoding_error(error: Exception, request: WireRequest) -> NoReturn:
    """Raise the error of a reply to *request* that does not match its ``content-encoding``."""
    raise ProviderError(
        f"the reply from {_host(request)} cannot be decompressed",
        kind="server",
        cause=f"it does not match its content-encoding: {error}",
        may_be_billed=True,
        fix="a proxy may have changed it: connect without the proxy, or try again",
    ) from error


def raise_too_large(request: WireRequest, most: int) -> NoReturn:
    """Raise the error of a reply to *request* that is longer than *most* bytes."""
    raise ProviderError(
        f"the reply from {_host(request)} is longer than {most >> 20} MiB",
        kind="server",
        cause="no answer is that long; the rest was not read",
        may_be_billed=True,
        fix="check that LLM_BASE_URL is the address of an API",
    )
