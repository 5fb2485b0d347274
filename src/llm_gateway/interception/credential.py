"""Requests for access tokens. None is recorded: a file holds no tokens, and a replay needs none that are real."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from llm_gateway.cassettes.recording import Recording
from llm_gateway.exchange import HttpExchange
from llm_gateway.interception.responders import LET_THROUGH, Answer, Responder
from llm_gateway.types import WireReply, WireRequest

__all__ = ["CredentialResponder", "is_exchange", "placeholder"]

_FORM = "application/x-www-form-urlencoded"
_IMPERSONATION = ":generateAccessToken"
_AWS_HOST = re.compile(r"(sts|oidc|portal\.sso)(\.[a-z0-9-]+)?\.(amazonaws\.com(\.cn)?|api\.aws)")
"""AWS's token service and single sign-on."""
_TOKEN = "llm-gateway-replay-placeholder"  # noqa: S105  what a replay hands out is no secret
_UNTIL = "2100-01-01T00:00:00Z"
_UNTIL_MS = 4102444800000


class CredentialResponder:
    """
    Answers requests for access tokens: with a placeholder in a replay, else by letting them through.

    Args:
        recorded: In a replay, answers from the file: another tool may have recorded token requests. None where calls
            are really made.

        check_clock: Fails the test for a request that was signed by a wrong clock.
    """

    def __init__(self, recorded: Responder | None, check_clock: Callable[[WireRequest], None]) -> None:
        self._recorded = recorded
        self._check_clock = check_clock

    def respond(self, request: WireRequest) -> Answer | Recording | None:
        """Answer *request* where it is one for a token."""
        if not is_exchange(request):
            return None
        if self._recorded is None:
            self._check_clock(request)
            return LET_THROUGH
        return self._recorded.respond(request) or Answer(placeholder(request), None)


def is_exchange(request: WireRequest) -> bool:
    """Return whether *request* trades credentials for a token, as OAuth 2, Google or AWS do it."""
    address = urlsplit(request.url)
    if _AWS_HOST.fullmatch((address.hostname or "").lower()):
        return True
    if request.method.upper() != "POST":
        return False
    if address.path.endswith(_IMPERSONATION):
        return True
    if b"grant_type" not in request.body:  # as almost always
        return False
    kind = next((value for name, value in request.headers if name.lower() == "content-type"), "")
    return kind.lower().startswith(_FORM) and "grant_type" in parse_qs(request.body.decode("latin-1"))


def placeholder(request: WireRequest) -> HttpExchange:
    """Answer *request* with a token that opens nothing, in the format of the service that it goes to."""
    kind, host = "application/json", (urlsplit(request.url).hostname or "").lower()
    if not _AWS_HOST.fullmatch(host):
        body = _oauth_token()
    elif host.startswith("sts"):
        kind, body = "text/xml", _sts_credentials(request)
    else:
        body = _sso_credentials()
    raw = body.encode()
    headers = (("content-type", kind), ("content-length", str(len(raw))))
    return HttpExchange(request, WireReply(200, headers, raw), reason="OK")


def _oauth_token() -> str:
    token = {"access_token": _TOKEN, "token_type": "Bearer", "expires_in": 3600}
    return json.dumps({**token, "accessToken": _TOKEN, "expireTime": _UNTIL})


def _sso_credentials() -> str:
    keys = {"accessKeyId": _TOKEN, "secretAccessKey": _TOKEN, "sessionToken": _TOKEN, "expiration": _UNTIL_MS}
    return json.dumps({"roleCredentials": keys, "accessToken": _TOKEN, "expiresIn": 3600, "tokenType": "Bearer"})


def _sts_credentials(request: WireRequest) -> str:
    action = parse_qs(request.body.decode("latin-1")).get("Action", ["AssumeRole"])[0]
    name = re.sub(r"\W", "", action)
    keys = "".join(f"<{one}>{_TOKEN}</{one}>" for one in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    return (
        f'<{name}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{name}Result>'
        f"<Credentials>{keys}<Expiration>{_UNTIL}</Expiration></Credentials>"
        f"</{name}Result></{name}Response>"
    )
