"""Replies that no provider gave: they carry a diagnosis to the code under test, in a form that no SDK retries."""

from __future__ import annotations

import json

from llm_gateway.exchange import HttpExchange
from llm_gateway.types import WireReply, WireRequest

__all__ = ["STATUS", "refusal"]

STATUS = 470
"""An unassigned 4xx: SDKs retry 408, 409, 429 and 5xx, some of them even against ``x-should-retry``."""


def refusal(request: WireRequest, kind: str, text: str) -> HttpExchange:
    """
    Answer *request* with *text* where every SDK looks for an error's words.

    Args:
        request: The request that gets no real answer.

        kind: ``cassette_miss``, ``fake_miss``, ``fault``, ``blocked_call`` or ``cost_limit``.

        text: The whole diagnosis.
    """
    error = {"type": kind, "code": kind, "status": kind, "message": text, "param": None}
    body = json.dumps({"type": "error", "error": error, "message": text}).encode()
    headers = (
        ("content-type", "application/json"),
        ("content-length", str(len(body))),
        ("x-should-retry", "false"),
        ("x-amzn-errortype", kind),
    )
    return HttpExchange(request, WireReply(STATUS, headers, body), reason=kind)
