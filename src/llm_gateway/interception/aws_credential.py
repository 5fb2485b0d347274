"""Requests for credentials of AWS: to its token service, to single sign-on, and to the endpoints of containers."""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qs, urlsplit

from llm_gateway.exchange import HttpExchange
from llm_gateway.types import WireReply, WireRequest

__all__ = ["is_aws_exchange", "placeholder"]

_HOST = re.compile(r"(sts|oidc|portal\.sso)(\.[a-z0-9-]+)?\.(amazonaws\.com(\.cn)?|api\.aws)")
_WORD = "llm-gateway-replay-placeholder"
_UNTIL = "2100-01-01T00:00:00Z"
_UNTIL_MS = 4102444800000


def is_aws_exchange(request: WireRequest) -> bool:
    """Whether *request* asks AWS for credentials, or for whose they are."""
    return _HOST.fullmatch((urlsplit(request.url).hostname or "").lower()) is not None


def placeholder(request: WireRequest) -> HttpExchange:
    """Answer *request* with credentials that open nothing, in the format of its service."""
    host = urlsplit(request.url).hostname or ""
    kind, body = ("text/xml", _xml(request)) if host.startswith("sts") else ("application/json", _json())
    raw = body.encode()
    headers = (("content-type", kind), ("content-length", str(len(raw))))
    return HttpExchange(request, WireReply(200, headers, raw), reason="OK")


def _json() -> str:
    keys = {"accessKeyId": _WORD, "secretAccessKey": _WORD, "sessionToken": _WORD, "expiration": _UNTIL_MS}
    return json.dumps({"roleCredentials": keys, "accessToken": _WORD, "expiresIn": 3600, "tokenType": "Bearer"})


def _xml(request: WireRequest) -> str:
    action = parse_qs(request.body.decode("latin-1")).get("Action", ["AssumeRole"])[0]
    name = re.sub(r"\W", "", action)
    keys = "".join(f"<{one}>{_WORD}</{one}>" for one in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    return (
        f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>'
        f"<Credentials>{keys}<Expiration>{_UNTIL}</Expiration></Credentials>"
        f"</{name}Result></{name}Response>"
    )
