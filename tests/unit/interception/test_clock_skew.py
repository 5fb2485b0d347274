"""Requests that were signed by a clock which is wrong."""

import base64
import json
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from freezing import freeze_time

from llm_gateway.cassettes import clock
from llm_gateway.interception.clock_skew import signed_at, skewed
from llm_gateway.types import WireRequest

BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1%3A0/converse"


def of_aws(moment):
    return WireRequest("POST", BEDROCK, (("X-Amz-Date", f"{moment:%Y%m%dT%H%M%SZ}"),), b"{}")


def of_aws_query(moment):
    return WireRequest("GET", f"{BEDROCK}?X-Amz-Date={moment:%Y%m%dT%H%M%SZ}&X-Amz-Signature=0")


def of_google(moment):
    parts = [{"alg": "RS256"}, {"iat": int(moment.timestamp())}, "signature"]
    token = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    body = urlencode({"assertion": token, "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"})
    return WireRequest("POST", "https://oauth2.googleapis.com/token", (), body.encode())


@pytest.mark.parametrize("signed", [of_aws, of_aws_query, of_google])
@pytest.mark.parametrize("frozen", [freeze_time, time_machine.travel], ids=["freezegun", "time-machine"])
def test_a_signature_of_a_frozen_clock_is_told(frozen, signed):
    """With both times and what to write instead; the package's own clock is not moved by that."""
    before = clock.now()
    with frozen("2001-02-03T04:05:00Z"):
        from datetime import UTC, datetime

        error = skewed(signed(datetime.now(UTC)), command="pytest --llm-record test_a.py::test_b")
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


@pytest.mark.parametrize("signed", [of_aws, of_aws_query, of_google])
def test_a_signature_in_time_is_none_of_our_business(signed):
    """To the second, and within what the providers allow."""
    now = clock.now()

    assert now.replace(microsecond=0) == signed_at(signed(now))
    assert skewed(signed(now - timedelta(minutes=4)), command="") is None


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
def test_what_says_no_date_is_let_alone(request_):
    """Bearer tokens, and what is no signature at all."""
    assert signed_at(request_) is None
    assert skewed(request_, command="") is None


def test_a_server_on_this_machine_may_be_told_any_time():
    """Stand-ins for AWS do not look at the date."""
    request = WireRequest("POST", "http://127.0.0.1:4566/model/x/converse", (("x-amz-date", "20010203T040506Z"),))

    assert skewed(request, command="") is None
