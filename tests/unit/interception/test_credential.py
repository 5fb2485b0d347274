"""Requests that exchange credentials for tokens, and the placeholder replies they get in a replay."""

import json

import boto3
import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.recording import Recording
from llm_gateway.interception.cassette import Cassette
from llm_gateway.interception.credential import is_exchange, placeholder
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import WireRequest

FORM = (("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),)
JSON = (("content-type", "application/json"),)
GOOGLE = WireRequest("POST", "https://oauth2.googleapis.com/token", FORM, b"assertion=a.b.c&grant_type=x")
ENTRA = WireRequest(
    "POST", "https://login.microsoftonline.com/t/oauth2/v2.0/token", FORM, b"grant_type=client_credentials"
)
ACCOUNT = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b"
IMPERSONATED = WireRequest("POST", f"{ACCOUNT}:generateAccessToken", JSON, b"{}")
NONE = [
    WireRequest("GET", "https://oauth2.googleapis.com/token?grant_type=x", FORM),
    WireRequest("POST", "https://api.example.com/v1/forms", FORM, b"name=grant_type"),
    WireRequest("POST", "https://api.example.com/v1/messages", JSON, b'{"grant_type": "x"}'),
    WireRequest("POST", "https://api.example.com/v1/messages", (), b"\xff\xfe"),
    WireRequest("POST", f"{ACCOUNT}:signBlob", JSON, b"{}"),
]


STS = WireRequest("POST", "https://sts.us-east-1.amazonaws.com/", FORM, b"Action=AssumeRole&RoleArn=r")
SSO = WireRequest("GET", "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?role_name=r")


@pytest.mark.parametrize("request_", [GOOGLE, ENTRA, IMPERSONATED, STS, SSO])
def test_token_requests_are_sent_when_recording_and_answered_in_a_replay(request_, tmp_path):
    """They are neither recorded nor counted, and never a miss."""
    assert is_exchange(request_)
    for mode in (Mode.RECORD, Mode.NEW, Mode.LIVE):
        assert Cassette(tmp_path / "a.yaml", mode).handle(request_) is None
    replaying = Cassette(tmp_path / "a.yaml", Mode.REPLAY)
    assert placeholder(request_) == replaying.handle(request_)
    assert ([], []) == (replaying.outcome.failures(), replaying.calls)


@pytest.mark.parametrize("request_", NONE)
def test_other_requests_are_recorded_as_usual(request_, tmp_path):
    """Even if they contain words of a token request."""
    assert not is_exchange(request_)
    assert isinstance(Cassette(tmp_path / "a.yaml", Mode.RECORD).handle(request_), Recording)


def test_the_placeholder_reply_has_the_fields_of_both_kinds_of_token_request():
    """Its token grants no access, and does not expire during the test."""
    fields = json.loads(placeholder(GOOGLE).reply.body)
    assert fields["access_token"] == fields["accessToken"] == "llm-gateway-replay-placeholder"
    assert ("Bearer", 3600, "2100-01-01T00:00:00Z") == (
        fields["token_type"],
        fields["expires_in"],
        fields["expireTime"],
    )


def test_an_aws_role_is_assumed_in_a_replay_without_network_access(tmp_path):
    """boto3 reads the placeholder reply, and nothing is written to the cassette."""
    session = boto3.Session("AKIAEXAMPLE", "k", region_name="us-east-1")
    with use_cassette(tmp_path / "a.yaml"):
        found = session.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="tests")

    assert "llm-gateway-replay-placeholder" == found["Credentials"]["SecretAccessKey"]
    assert not (tmp_path / "a.yaml").exists()
