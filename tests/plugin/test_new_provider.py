"""A provider of an existing format is added by one catalogue entry."""

ENTRY = """
from llm_gateway.catalog import PROVIDERS, ChatQuirks, ProviderEntry

PROVIDERS["acme"] = ProviderEntry(
    "acme",
    "Acme",
    adapter="compatible",
    hosts=("api.acme.example",),
    base_url="https://api.acme.example/v1",
    default_model="acme-1",
    key_variables=("ACME_LOGIN",),
    sdk_url_variables={"ACME_BASE_URL": "/v1"},
    key_patterns=(("Acme key", "acme_", r"acme_[a-z0-9]{20,}"),),
    price_list_id="openai",
    chat=ChatQuirks("limit", stream_usage="last"),
)
"""
SUITE = """
import json, os, urllib.request
from datetime import UTC, datetime

import pytest

from llm_gateway import GatewayConfig, SyncLLMClient, TokenUsage, build_provider, list_providers
from llm_gateway.cost.prices import price
from llm_gateway.exceptions import MissingKeyError
from llm_gateway.redaction.placeholders import is_placeholder
from llm_gateway.redaction.verify import find_secrets
from llm_gateway.wire.identify import identify, is_llm_host

URL = "https://api.acme.example/v1/chat/completions"

def test_its_host_is_recognised():
    assert ("acme", "openai.chat") == ((found := identify("POST", URL)).provider, found.api)
    assert is_llm_host("api.acme.example")

def test_it_is_built_by_name(monkeypatch):
    monkeypatch.delenv("ACME_LOGIN", raising=False)
    with pytest.raises(MissingKeyError, match="export ACME_LOGIN="):
        build_provider("acme", GatewayConfig())
    assert "acme" in list_providers()
    assert "https://api.acme.example/v1" == build_provider("acme", GatewayConfig(api_key="k")).base_url

def test_the_client_calls_it(fake_llm):
    fake_llm.on(provider="acme").reply("Hello").stream(["He", "llo"])
    with SyncLLMClient(model="acme:acme-1") as llm:
        assert "Hello" == llm.chat("hi", max_tokens=5).content
        with llm.stream("hi", max_tokens=5) as stream:
            assert "Hello" == "".join(delta.text for delta in stream)
    assert ("acme", URL, 5) == ((last := fake_llm.last).provider, last.url, last.body["limit"])

def test_another_process_reaches_it(fake_llm, llm_server):
    fake_llm.on(provider="acme").reply("Hello")
    body = {"model": "acme-1", "messages": [{"role": "user", "content": "hi"}]}
    url = os.environ["ACME_BASE_URL"] + "/chat/completions"
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert "Hello" == json.load(reply)["choices"][0]["message"]["content"]
    assert url == llm_server.url + "/acme/v1/chat/completions"

def test_its_key_has_a_placeholder(fake_llm):
    assert is_placeholder(os.environ["ACME_LOGIN"])

def test_its_models_have_prices():
    usage = TokenUsage(input_tokens=10, output_tokens=10)
    assert price("acme", "gpt-5-mini", usage, at=datetime(2026, 1, 1, tzinfo=UTC)).cost_usd > 0

def test_its_keys_are_secrets():
    assert is_placeholder("your-acme-key")
    assert ["Acme key"] == [one.kind for one in find_secrets("key: acme_" + "a1" * 12, {})]
    assert ["value of ACME_LOGIN"] == [one.kind for one in find_secrets("it is s3cret-Value", {"ACME_LOGIN": "s3cret-Value"})]
"""


def test_a_provider_is_added_by_one_entry(pytester):
    """Client, URL matching, scripts, loopback server, placeholder keys, prices and redaction all use it."""
    pytester.makeconftest(ENTRY)
    pytester.makepyfile(SUITE)
    run = pytester.runpytest_subprocess("-q")

    run.assert_outcomes(passed=7)
