"""Requests for access tokens. None is recorded: a file holds no tokens, and a replay needs none that are real."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

from llm_gateway.exchange import HttpExchange
from llm_gateway.interception import aws_credential
from llm_gateway.types import WireReply, WireRequest

__all__ = ["is_exchange", "placeholder"]

_FORM = "application/x-www-form-urlencoded"
_IMPERSONATION = ":generateAccessToken"
_TOKEN = "llm-gateway-replay-placeholder"  # noqa: S105  what a replay hands out is no secret


def is_exchange(request: WireRequest) -> bool:
    """Whether *request* trades credentials for a token: as OAuth 2 does it, as Google or AWS does it for a role."""
    if aws_credential.is_aws_exchange(request):
        return True
    if request.method.upper() != "POST":
        return False
    if urlsplit(request.url).path.endswith(_IMPERSONATION):
        return True
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return kind.lower().startswith(_FORM) and "grant_type" in parse_qs(request.body.decode("latin-1"))


def placeholder(request: WireRequest) -> HttpExchange:
    """Answer *request* with a token that opens nothing, by the names that its sort of exchange has."""
    if aws_credential.is_aws_exchange(request):
        return aws_credential.placeholder(request)
    told = {
        "access_token": _TOKEN,
        "token_type": "Bearer",
        "expires_in": 3600,
        "accessToken": _TOKEN,
        "expireTime": "2100-01-01T00:00:00Z",
    }
    body = json.dumps(told).encode()
    headers = (("content-type", "application/json"), ("content-length", str(len(body))))
    return HttpExchange(request, WireReply(200, headers, body), reason="OK")
