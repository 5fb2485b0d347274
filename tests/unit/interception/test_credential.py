"""Which requests trade credentials for tokens, and what a replay answers them with."""

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
def test_an_exchange_is_let_through_where_calls_are_made_and_answered_where_they_are_replayed(request_, tmp_path):
    """It is neither recorded, nor counted, nor missed."""
    assert is_exchange(request_)
    for mode in (Mode.RECORD, Mode.NEW, Mode.LIVE):
        assert Cassette(tmp_path / "a.yaml", mode).handle(request_) is None
    replaying = Cassette(tmp_path / "a.yaml", Mode.REPLAY)
    assert placeholder(request_) == replaying.handle(request_)
    assert ([], []) == (replaying.outcome.failures(), replaying.calls)


@pytest.mark.parametrize("request_", NONE)
def test_other_requests_are_recorded_as_ever(request_, tmp_path):
    """Whatever words they hold."""
    assert not is_exchange(request_)
    assert isinstance(Cassette(tmp_path / "a.yaml", Mode.RECORD).handle(request_), Recording)


def test_the_answer_has_what_either_sort_of_exchange_reads():
    """A token that opens nothing, and outlives the test."""
    told = json.loads(placeholder(GOOGLE).reply.body)
    assert told["access_token"] == told["accessToken"] == "llm-gateway-replay-placeholder"
    assert ("Bearer", 3600, "2100-01-01T00:00:00Z") == (told["token_type"], told["expires_in"], told["expireTime"])


def test_a_role_of_aws_is_assumed_in_a_replay_without_any_network(tmp_path):
    """By boto3 itself, which reads the answer; the file holds nothing of it."""
    session = boto3.Session("AKIAEXAMPLE", "k", region_name="us-east-1")
    with use_cassette(tmp_path / "a.yaml"):
        found = session.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/r", RoleSessionName="tests")

    assert "llm-gateway-replay-placeholder" == found["Credentials"]["SecretAccessKey"]
    assert not (tmp_path / "a.yaml").exists()
