"""Hosts of the chat completions format: their URLs, keys and fields."""

import pytest

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig, load
from llm_gateway.exceptions import ConfigError, MissingKeyError
from llm_gateway.providers import azure, cohere, compatible
from llm_gateway.types import ChatRequest, LLMMessage, TextPart
from llm_gateway.wire.identify import identify

HOSTS = {name: one for name, one in PROVIDERS.items() if one.adapter == "compatible"}
CHAT = ChatRequest("some/model", (LLMMessage("user", (TextPart("hi"),)),), max_tokens=5, stream=True)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for one in PROVIDERS.values():
        for name in one.key_variables:
            monkeypatch.delenv(name, raising=False)
    for name in (
        "LLM_API_KEY",
        "LLM_BASE_URL",
        "OLLAMA_BASE_URL",
        "AZURE_OPENAI_ENDPOINT",
        "OPENAI_API_VERSION",
        "CO_API_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", sorted(set(HOSTS) - {"compatible"}))
def test_each_host_is_identified_by_its_url(name):
    """So that a recording has its provider and its cost."""
    made = compatible.provider(name, GatewayConfig(api_key="k"))
    request = made.request(CHAT)
    found = identify("POST", request.url)

    assert (name, "openai.chat") == (found.provider, found.api)
    assert ("authorization", "Bearer k") in made.auth.apply(request).headers


@pytest.mark.parametrize(
    ("host", "name"),
    [("api-inference.together.ai", "together"), ("api.eu.mistral.ai", "mistral"), ("api.us.mistral.ai", "mistral")],
)
def test_hosts_that_only_their_own_sdks_call_are_identified(host, name):
    """By their default URL, or by the name of a region."""
    assert (name, "openai.chat") == (
        identify("POST", f"https://{host}/v1/chat/completions").provider,
        identify("POST", f"https://{host}/v1/chat/completions").api,
    )


@pytest.mark.parametrize("name", sorted(name for name, host in HOSTS.items() if host.needs_key))
def test_a_missing_key_is_an_error_with_the_hosts_variables(name, monkeypatch):
    """Those that its own SDK reads; each of them is enough."""
    with pytest.raises(MissingKeyError, match=f"export {HOSTS[name].key_variables[0]}=") as caught:
        compatible.provider(name, GatewayConfig())
    assert all(variable in str(caught.value) for variable in HOSTS[name].key_variables)

    monkeypatch.setenv(HOSTS[name].key_variables[-1], "mine")
    made = compatible.provider(name, GatewayConfig())
    assert ("authorization", "Bearer mine") in made.auth.apply(made.request(CHAT)).headers


def test_a_self_hosted_server_needs_no_key():
    """Only a URL."""
    made = compatible.provider("compatible", load(base_url="http://localhost:8000/v1/"))
    request = made.auth.apply(made.request(CHAT))

    assert "http://localhost:8000/v1/chat/completions" == request.url
    assert "authorization" not in dict(request.headers)


def test_a_missing_url_of_a_self_hosted_server_is_an_error():
    """With what to type."""
    with pytest.raises(ConfigError) as caught:
        compatible.provider("compatible", GatewayConfig())
    assert ("no address for 'compatible'\n  LLM_BASE_URL is not set\n  export LLM_BASE_URL=https://...") == str(
        caught.value
    )


def test_a_url_without_a_scheme_is_an_error():
    """It would be read as a path."""
    with pytest.raises(ConfigError) as caught:
        compatible.provider("groq", load(base_url="api.groq.com/openai/v1", api_key="k"))
    assert (
        "'api.groq.com/openai/v1' is no address for 'groq'\n  it has no scheme\n"
        "  export LLM_BASE_URL=https://api.groq.com/openai/v1"
    ) == str(caught.value)


@pytest.mark.parametrize(
    ("key", "header"), [("0123abc", ("api-key", "0123abc")), ("aa.bb.cc", ("authorization", "Bearer aa.bb.cc"))]
)
def test_azure_accepts_keys_and_tokens(key, header, monkeypatch):
    """On the v1 API, and on deployments with a version."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", key)
    made = azure.provider(GatewayConfig())
    assert "https://mine.openai.azure.com/openai/v1/chat/completions" == made.request(CHAT).url
    assert header in made.auth.apply(made.request(CHAT)).headers

    monkeypatch.setenv("OPENAI_API_VERSION", "2025-04-01-preview")
    request = azure.provider(GatewayConfig()).request(CHAT)
    assert (
        "https://mine.openai.azure.com/openai/deployments/some%2Fmodel/chat/completions?api-version=2025-04-01-preview"
    ) == request.url
    assert ("azure", "openai.chat") == (identify("POST", request.url).provider, identify("POST", request.url).api)


def test_cohere_is_called_in_its_own_format(monkeypatch):
    """It is identified at its own URL, and can be called at the user's."""
    with pytest.raises(MissingKeyError, match="export CO_API_KEY="):
        cohere.provider(GatewayConfig())
    monkeypatch.setenv("CO_API_KEY", "k")
    request = cohere.provider(GatewayConfig()).request(CHAT)
    assert "https://api.cohere.com/v2/chat" == request.url
    assert ("cohere", "cohere.v2.chat") == (identify("POST", request.url).provider, identify("POST", request.url).api)
    monkeypatch.setenv("CO_API_URL", "http://127.0.0.1:1/")
    assert "http://127.0.0.1:1/v2/chat" == cohere.provider(GatewayConfig()).request(CHAT).url


def test_host_specific_fields_are_sent():
    """Such as the name of the output limit, and whether a stream must request its usage."""
    groq, mistral = (
        compatible.provider(name, GatewayConfig(api_key="k")).dialect.encode_request(CHAT)
        for name in ("groq", "mistral")
    )

    assert (5, {"include_usage": True}) == (groq["max_completion_tokens"], groq["stream_options"])
    assert 5 == mistral["max_tokens"]
    assert "stream_options" not in mistral
