"""Addresses and signatures of Bedrock requests, compared with those of boto3."""

import datetime as dt
import json

import boto3
import botocore.auth
import pytest

from llm_gateway import SyncLLMClient
from llm_gateway.config import GatewayConfig, load
from llm_gateway.exceptions import ConfigError, MissingKeyError
from llm_gateway.providers import bedrock
from llm_gateway.providers.auth import Key
from llm_gateway.providers.sigv4 import SigV4
from llm_gateway.types import ChatRequest, LLMMessage, TextPart
from llm_gateway.wire.identify import identify

ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-micro-v1:0"
VARIABLES = (
    "AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION "
    "AWS_BEARER_TOKEN_BEDROCK AWS_ENDPOINT_URL_BEDROCK_RUNTIME LLM_API_KEY LLM_BASE_URL LLM_REGION LLM_MODEL"
).split()


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path):
    """Remove all AWS settings of this machine, and return the folder where a test can write its own."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def chat(model="amazon.nova-micro-v1:0", **settings):
    return ChatRequest(model, (LLMMessage("user", (TextPart("héllo"),)),), max_tokens=9, **settings)


def sent_by_boto3(model, operation):
    """Return the request that boto3 would send for the same input."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "k", "aws_session_token": "t"}
    client = boto3.client("bedrock-runtime", "us-east-1", **keys)
    seen = []
    client.meta.events.register("before-send.bedrock-runtime", lambda request, **_: seen.append(request) or 1 / 0)
    messages = [{"role": "user", "content": [{"text": "héllo"}]}]
    with pytest.raises(ZeroDivisionError):
        getattr(client, operation)(modelId=model, messages=messages, inferenceConfig={"maxTokens": 9})
    return seen[0]


@pytest.mark.parametrize("operation", ["converse", "converse_stream"])
@pytest.mark.parametrize("model", ["amazon.nova-micro-v1:0", ARN])
def test_requests_equal_those_of_boto3(model, operation, monkeypatch):
    """The same URL and body, and for the same bytes the same signature."""
    at = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda: at)
    for name, value in zip(VARIABLES[:3], ("AKIAEXAMPLE", "k", "t"), strict=True):
        monkeypatch.setenv(name, value)
    theirs = sent_by_boto3(model, operation)
    made = bedrock.provider(load(region="us-east-1"))
    ours = made.request(chat(model, stream=operation == "converse_stream"))

    assert theirs.url == ours.url
    assert json.loads(theirs.body) == json.loads(ours.body)
    again = made.auth.apply(type(ours)("POST", theirs.url, (("content-type", "application/json"),), theirs.body))
    proof = {name.lower(): value for name, value in again.headers}
    for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
        assert [theirs.headers[name].decode()] == [proof[name.lower()]]


def test_bedrock_is_identified_by_the_url_alone():
    """With API and model."""
    request = bedrock.provider(load(region="eu-west-1", api_key="k")).request(chat())
    endpoint = identify("POST", request.url)

    assert "https://bedrock-runtime.eu-west-1.amazonaws.com/model/amazon.nova-micro-v1%3A0/converse" == request.url
    assert ("bedrock", "bedrock.converse", "amazon.nova-micro-v1:0") == (
        endpoint.provider,
        endpoint.api,
        endpoint.model,
    )


def test_the_region_is_looked_up_in_variables_then_in_the_profile(home, monkeypatch):
    """Without any the error has a command to type."""

    def called():
        return bedrock.provider(GatewayConfig(api_key="k")).base_url.split(".")[1]

    with pytest.raises(ConfigError) as caught:
        called()
    assert (
        "no region for 'bedrock'\n"
        "  neither LLM_REGION, AWS_REGION nor AWS_DEFAULT_REGION is set, and the profile 'default' names none\n"
        "  export AWS_REGION=us-east-1"
    ) == str(caught.value)
    (home / "config").write_text("[default]\nregion = from-default\n[profile mine]\nregion = from-mine\n")
    assert "from-default" == called()
    for name, value in (("PROFILE", "mine"), ("DEFAULT_REGION", "second"), ("REGION", "first")):
        monkeypatch.setenv(f"AWS_{name}", value)
        assert {"mine": "from-mine"}.get(value, value) == called()
    monkeypatch.setenv("LLM_REGION", "ours")
    assert "ours" == called()


def test_a_missing_profile_is_named(monkeypatch):
    """The error has the command that lists the AWS settings."""
    monkeypatch.setenv("AWS_PROFILE", "gone")
    with pytest.raises(
        ConfigError, match=r"The config profile \(gone\) could not be found\n  run `aws configure list`"
    ):
        bedrock.provider(GatewayConfig())


def test_credentials_of_a_profile_are_read_at_the_first_request(home, monkeypatch):
    """Keys from variables need no file."""
    (home / "credentials").write_text("[mine]\naws_access_key_id = AKIAFROMFILE\naws_secret_access_key = k\n")
    (home / "config").write_text("[profile mine]\nregion = us-east-1\n")
    monkeypatch.setenv("AWS_PROFILE", "mine")
    made = bedrock.provider(GatewayConfig())
    proof = dict(made.auth.apply(made.request(chat())).headers)
    assert made.auth.may_wait
    assert proof["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIAFROMFILE/")
    assert "SignedHeaders=content-type;host;x-amz-date," in proof["Authorization"]

    (home / ".env").write_text("AWS_ACCESS_KEY_ID=AKIAFROMENV\nAWS_SECRET_ACCESS_KEY=k\n")
    made = bedrock.provider(GatewayConfig())
    assert not made.auth.may_wait
    assert "Credential=AKIAFROMENV/" in dict(made.auth.apply(made.request(chat())).headers)["Authorization"]


def test_credentials_that_cannot_be_fetched_are_an_error(home):
    """It has botocore's message."""
    (home / "config").write_text("[default]\nregion = us-east-1\ncredential_process = false\n")
    made = bedrock.provider(GatewayConfig())
    with pytest.raises(ConfigError) as caught:
        made.auth.apply(made.request(chat()))
    assert (
        "AWS's own settings cannot be used\n  Error when retrieving credentials from custom-process: \n"
        "  run `aws configure list` to see them"
    ) == str(caught.value)


def test_missing_credentials_are_an_error_with_the_places_searched(monkeypatch):
    """And the command to type."""
    made = bedrock.provider(load(region="us-east-1"))
    with pytest.raises(MissingKeyError) as caught:
        made.auth.apply(made.request(chat()))
    assert (
        "no AWS credentials for 'bedrock'\n"
        "  neither AWS_BEARER_TOKEN_BEDROCK nor AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY is set, "
        "and no profile, role or instance gives any\n"
        "  export AWS_PROFILE=..., or run `aws configure`"
    ) == str(caught.value)


def test_a_bedrock_api_key_needs_no_botocore(monkeypatch):
    """Signing needs it, and its error has the command that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "botocore.session", None)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(ConfigError) as caught:
        bedrock.provider(GatewayConfig())
    assert (
        "bedrock needs botocore to sign requests\n  it is not installed\n"
        "  pip install 'pytest-llm-gateway[bedrock]', or export AWS_BEARER_TOKEN_BEDROCK=..."
    ) == str(caught.value)

    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "secret")
    made = bedrock.provider(GatewayConfig())
    assert ("authorization", "Bearer secret") in made.auth.apply(made.request(chat())).headers
    assert "secret" not in repr(made)
    assert isinstance(made.auth, Key)
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(ConfigError, match="no region for 'bedrock'"):
        bedrock.provider(GatewayConfig())


@pytest.mark.parametrize("model", ["us.amazon.nova-micro-v1:0", ARN])
def test_model_names_keep_their_colons(model):
    """With the provider as a prefix, or set apart."""
    assert model == SyncLLMClient(GatewayConfig(model=f"bedrock:{model}", api_key="k", region="us-east-1")).model
    settings = GatewayConfig(provider="bedrock", model=model, api_key="k", region="us-east-1")
    assert model == SyncLLMClient(settings).model


def test_secrets_are_not_in_the_repr():
    """A failing test may print it."""
    made = SigV4("bedrock", "us-east-1", ("AKIAEXAMPLE", "very-secret", None))
    assert "secret" not in repr(made)
