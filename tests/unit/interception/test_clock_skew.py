"""Requests whose signature was made with a wrong clock."""

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from freezing import freeze_time

from llm_gateway.cassettes import clock
from llm_gateway.interception.clock_skew import signature_error, signed_at
from llm_gateway.types import WireRequest

BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1%3A0/converse"


def aws_request(at):
    return WireRequest("POST", BEDROCK, (("X-Amz-Date", f"{at:%Y%m%dT%H%M%SZ}"),), b"{}")


def aws_presigned_request(at):
    return WireRequest("GET", f"{BEDROCK}?X-Amz-Date={at:%Y%m%dT%H%M%SZ}&X-Amz-Signature=0")


def google_token_request(at):
    parts = [{"alg": "RS256"}, {"iat": int(at.timestamp())}, "signature"]
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    body = urlencode({"assertion": token, "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"})
    return WireRequest("POST", "https://oauth2.googleapis.com/token", (), body.encode())


@pytest.mark.parametrize("signed", [aws_request, aws_presigned_request, google_token_request])
@pytest.mark.parametrize("frozen", [freeze_time, time_machine.travel], ids=["freezegun", "time-machine"])
def test_a_signature_made_with_a_frozen_clock_is_an_error(frozen, signed):
    """It has both times and the marker to use; freezing does not affect the package's own clock."""
    before = clock.now()
    with frozen("2001-02-03T04:05:00Z"):
        from datetime import UTC, datetime

        error = signature_error(signed(datetime.now(UTC)), command="pytest --llm-record test_a.py::test_b")
        during = clock.now()

    assert before <= during
    first, why, *fix = str(error).splitlines()
    assert first.endswith(" was signed with a clock that is not right")
    assert why in {  # a minute may begin meanwhile
        f"  it is signed at 2001-02-03 04:05 UTC, and it is {now:%Y-%m-%d %H:%M} UTC: "
        "more than 5 minutes are refused; does the test freeze the clock?"
        for now in (before, during)
    }
    assert [
        '  write @pytest.mark.llm(time="recorded") instead of freeze_time; the clock is real while it records',
        "  then record it: pytest --llm-record test_a.py::test_b",
    ] == fix


@pytest.mark.parametrize("signed", [aws_request, aws_presigned_request, google_token_request])
def test_a_signature_with_the_right_time_is_no_error(signed):
    """The time is read to the second; a difference that providers accept is accepted."""
    now = clock.now()

    assert now.replace(microsecond=0) == signed_at(signed(now))
    assert signature_error(signed(now - timedelta(minutes=4)), command="") is None


@pytest.mark.parametrize(
    "request_",
    [
        WireRequest("POST", BEDROCK, (("x-amz-date", "yesterday"),)),
        WireRequest("POST", BEDROCK, (("authorization", "Bearer x"),), b"{}"),
        WireRequest("POST", "https://a/token", (), b"grant_type=refresh_token"),
        WireRequest("POST", "https://a/token", (), b"assertion=a.b.c"),
        WireRequest("POST", "https://a/token", (), b"assertion=a.e30.c"),
    ],
)
def test_a_request_without_a_signing_date_is_no_error(request_):
    """Such as one with a bearer token, or with no valid signature."""
    assert signed_at(request_) is None
    assert signature_error(request_, command="") is None


def test_a_local_server_may_receive_any_signing_date():
    """Stub servers for AWS do not check it."""
    request = WireRequest("POST", "http://127.0.0.1:4566/model/x/converse", (("x-amz-date", "20010203T040506Z"),))

    assert signature_error(request, command="") is None
