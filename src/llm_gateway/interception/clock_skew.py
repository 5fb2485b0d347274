"""Requests that were signed by a clock which is wrong: AWS and Google refuse them for their date."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from llm_gateway.cassettes import clock
from llm_gateway.cassettes.diagnosis import summary
from llm_gateway.exceptions import CassetteError
from llm_gateway.interception import guard
from llm_gateway.types import WireRequest

__all__ = ["signature_error", "signed_at"]

_MOST = timedelta(minutes=5)


def signature_error(request: WireRequest, *, command: str) -> CassetteError | None:
    """Return the error for a request that its date would have rejected; None for one not signed, or signed in time."""
    signed = signed_at(request)
    if signed is None or guard.is_local(request.url) or abs(signed - (now := clock.now())) <= _MOST:
        return None
    return CassetteError(
        f"{summary(request)} was signed with a clock that is not right",
        cause=f"it is signed at {signed:%Y-%m-%d %H:%M} UTC, and it is {now:%Y-%m-%d %H:%M} UTC: "
        f"more than {_MOST.seconds // 60} minutes are refused; does the test freeze the clock?",
        fix='write @pytest.mark.llm(time="recorded") instead of freeze_time; the clock is real while it records\n'
        f"then record it: {command}",
    )


def signed_at(request: WireRequest) -> datetime | None:
    """Return the time of signing in *request*, as AWS has it, or Google's exchange of a service account's key."""
    stated = next((value for name, value in request.headers if name.lower() == "x-amz-date"), "")
    if not stated:
        stated = parse_qs(urlsplit(request.url).query).get("X-Amz-Date", [""])[0]
    if stated:
        return _parsed(stated)
    if request.body.startswith((b"assertion=", b"grant_type=")):
        return _issued(parse_qs(request.body.decode("latin-1")).get("assertion", [""])[0])
    return None


def _parsed(stated: str) -> datetime | None:
    try:
        return datetime.strptime(stated, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _issued(token: str) -> datetime | None:
    """Return the ``iat`` of a JSON Web Token."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(claims["iat"], UTC)
    except (LookupError, TypeError, ValueError, OverflowError, OSError, binascii.Error):
        return None
