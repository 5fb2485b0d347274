"""Which models a provider has, in both colours, over real sockets; bodies are written after the documentation."""

import asyncio
import json
import logging
from datetime import UTC, datetime, timedelta

import anthropic
import openai
import pytest

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.client.models.catalog import ModelCatalog
from llm_gateway.client.models.listing import ModelLister
from llm_gateway.client.models.store import Store
from llm_gateway.exceptions import ConfigError, MissingKeyError, ProviderError, UnknownModelError
from llm_gateway.flow.steps import Call
from llm_gateway.providers import anthropic as anthropic_provider
from llm_gateway.providers import bedrock as bedrock_provider
from llm_gateway.providers import openai as openai_provider
from llm_gateway.types import WireReply
from llm_gateway.wire.models import ModelInfo

NOW = datetime.now(UTC)
LATER = (NOW + timedelta(days=90)).isoformat()
FIRST, SECOND = "/v1/models?limit=1000", "/v1/models?limit=1000&after_id=claude-opus-5-5"
CLAUDES = {
    FIRST: {
        "data": [{"id": "claude-opus-5-5", "max_input_tokens": 500_000}],
        "has_more": True,
        "last_id": "claude-opus-5-5",
    },
    SECOND: {"data": [{"id": "claude-haiku-4-5-20251001", "lifecycle": "deprecated"}], "has_more": False},
}
GPTS = {
    "/v1/models": {
        "data": [
            {"id": "gpt-5-mini", "owned_by": "system"},
            {"id": "gpt-4o", "shutdown_date": LATER},
            {"id": "ft:gpt-5-mini:acme::1", "owned_by": "acme"},
        ]
    }
}


@pytest.fixture
def client_of(api, tmp_path, monkeypatch):
    """A client by provider and colour, with a folder for lists of its own."""
    monkeypatch.setenv("LLM_MODELS_CACHE", str(tmp_path / "lists"))
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)

    def make(name, colour=SyncLLMClient, **settings):
        base = api.url if name in ("anthropic", "azure", "bedrock", "vertex") else f"{api.url}/v1"
        return colour(provider=name, api_key="k", base_url=base, **settings)

    return make


def run(client, verb, *args, **options):
    """Call *verb* of *client* in the client's colour, then close it."""
    sdk = getattr(client.provider, "client", None)
    if isinstance(client, SyncLLMClient):
        with client:
            return getattr(client, verb)(*args, **options)

    async def go():
        async with client:
            found = await getattr(client, verb)(*args, **options)
        if sdk is not None:
            await sdk.close()
        return found

    return asyncio.run(go())


def ids(models):
    return [one.id for one in models]


colours = pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])


@colours
def test_a_list_is_read_page_after_page(colour, client_of, api):
    """With the provider's headers; its limits count before the published ones, which fill the gaps."""
    api.lists = CLAUDES
    models = run(client_of("anthropic", colour), "refresh_models")

    assert ["claude-opus-5-5", "claude-haiku-4-5-20251001"] == ids(models)
    assert [(500_000, 128_000), (200_000, 64_000)] == [(one.context_tokens, one.max_output_tokens) for one in models]
    assert [FIRST, SECOND] == [path for path, _, _ in api.asked]
    headers = {name.lower(): value for name, value in api.asked[0][1].items()}
    assert ("Bearer k", "2026-10-21") == (headers["authorization"], headers["anthropic-version"])


@colours
def test_what_is_for_use_is_shown_unless_more_is_asked_for(colour, client_of, api):
    """A list holds for a day, also for another client."""
    api.lists = GPTS

    def shown(**options):
        return ids(run(client_of("openai", colour), "get_available_models", **options))

    assert ["gpt-5-mini"] == shown()
    assert ["gpt-5-mini", "gpt-4o"] == shown(include_deprecated=True)
    assert ["gpt-5-mini", "ft:gpt-5-mini:acme::1"] == shown(include_fine_tuned=True)
    assert 1 == len(api.asked)


@colours
def test_a_name_is_looked_up(colour, client_of, api):
    """A name that a kept list lacks is looked for in a new one, and then refused with the nearest."""
    api.lists = GPTS
    assert run(client_of("openai", colour), "validate_model", "openai:gpt-5-mini") is True

    api.lists = {"/v1/models": {"data": [{"id": "gpt-5-mini"}, {"id": "gpt-7"}]}}
    assert run(client_of("openai", colour), "validate_model", "gpt-7") is True
    with pytest.raises(UnknownModelError) as caught:
        run(client_of("openai", colour), "validate_model", "gpt-5-mni")

    assert (
        "openai lists no model 'gpt-5-mni'\n"
        "  did you mean 'gpt-5-mini'?\n"
        '  get_available_models() has all 2; for one that no list names: register_model("openai:gpt-5-mni")'
    ) == str(caught.value)
    assert ("gpt-5-mini",) == caught.value.nearest
    with pytest.raises(UnknownModelError, match=f"'gpt-4o'\n  it was last listed on {NOW:%Y-%m}-..\n"):
        run(client_of("openai", colour), "validate_model", "gpt-4o")


@colours
@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_a_client_of_the_sdk_lists_too(name, colour, client_of, api):
    """By its own address and key."""
    is_async = colour is LLMClient
    if name == "anthropic":
        api.lists = CLAUDES
        sdk = (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(api_key="k", base_url=api.url)
        provider = anthropic_provider.provider(GatewayConfig(), client=sdk)
    else:
        api.lists = GPTS
        sdk = (openai.AsyncOpenAI if is_async else openai.OpenAI)(api_key="k", base_url=f"{api.url}/v1")
        provider = openai_provider.provider(GatewayConfig(), client=sdk)
    models = run(colour(provider_instance=provider), "refresh_models")
    if not is_async:
        sdk.close()

    assert list(api.lists) == [path for path, _, _ in api.asked]
    assert len(models) == sum(len(body["data"]) for body in api.lists.values())


def test_ollama_is_asked_about_each_model(client_of, api):
    """At the root of the server, beside the chats."""
    facts = {"general.architecture": "llama", "llama.context_length": 131_072}
    api.lists = {
        "/api/tags": {"models": [{"model": "llama3.2:latest"}]},
        "/api/show": {"capabilities": ["completion", "vision"], "model_info": facts},
    }
    (model,) = run(client_of("ollama"), "refresh_models")

    assert (131_072, {"chat", "streaming", "images"}) == (model.context_tokens, model.capabilities)
    assert [("/api/tags", None), ("/api/show", {"model": "llama3.2:latest"})] == [
        (path, body) for path, _, body in api.asked
    ]


@pytest.mark.parametrize(
    ("name", "path", "body"),
    [
        ("azure", "/openai/deployments?api-version=2023-03-15-preview", {"data": [{"id": "m"}]}),
        ("openai_responses", "/v1/models", {"data": [{"id": "m"}]}),
        (
            "vertex",
            "/v1beta1/publishers/google/models?pageSize=100",
            {"publisherModels": [{"name": "publishers/google/models/m"}]},
        ),
        ("groq", "/v1/models", {"data": [{"id": "m"}]}),
        ("mistral", "/v1/models", {"data": [{"id": "m"}]}),
        ("together", "/v1/models", [{"id": "m"}]),
        ("openrouter", "/v1/models?limit=500", {"data": [{"id": "m"}]}),
    ],
)
def test_each_provider_lists_at_its_own_place(name, path, body, client_of, api, monkeypatch):
    """With its own body."""
    monkeypatch.setenv("LLM_PROJECT", "my-project")
    api.lists = {path: body}
    assert ["m"] == ids(run(client_of(name), "get_available_models"))


@colours
def test_bedrock_lists_models_and_the_profiles_for_them(colour, api, tmp_path, monkeypatch):
    """Signed, and page after page."""
    for name, value in {
        "LLM_MODELS_CACHE": str(tmp_path),
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "k",
    }.items():
        monkeypatch.setenv(name, value)
    first, second = "/inference-profiles?maxResults=1000", "/inference-profiles?maxResults=1000&nextToken=a%2Fb%3D"
    api.lists = {
        "/foundation-models": {"modelSummaries": [{"modelId": "amazon.nova-micro-v1:0"}]},
        first: {
            "inferenceProfileSummaries": [{"inferenceProfileId": "us.amazon.nova-micro-v1:0"}],
            "nextToken": "a/b=",
        },
        second: {"inferenceProfileSummaries": [{"inferenceProfileId": "eu.amazon.nova-micro-v1:0"}]},
    }
    models = run(colour(provider="bedrock", base_url=api.url), "refresh_models")

    assert [f"{region}amazon.nova-micro-v1:0" for region in ("", "us.", "eu.")] == ids(models)
    assert ["/foundation-models", first, second] == [path for path, _, _ in api.asked]


@pytest.mark.parametrize(
    ("there", "lists"),
    [
        ({}, "https://bedrock.us-east-1.amazonaws.com"),
        (
            {"base_url": "https://bedrock-runtime-fips.us-east-1.amazonaws.com"},
            "https://bedrock-fips.us-east-1.amazonaws.com",
        ),
        ({"base_url": "https://llm.example.com"}, "https://llm.example.com"),
    ],
)
def test_bedrock_lists_at_another_host(there, lists):
    """The one of its control plane; whoever stands in for one stands in for both."""
    assert lists == bedrock_provider.provider(GatewayConfig(api_key="k", region="us-east-1", **there)).models.base_url


def test_cohere_lists_beside_its_compatible_api(client_of, api):
    """By its own API, in pages."""
    api.lists = {
        "/v1/models?page_size=1000": {"models": [{"name": "a"}], "next_page_token": "2"},
        "/v1/models?page_size=1000&page_token=2": {"models": [{"name": "b", "is_deprecated": True}]},
    }
    with SyncLLMClient(provider="cohere", api_key="k", base_url=f"{api.url}/compatibility/v1") as client:
        assert ["a", "b"] == ids(client.refresh_models())
        assert [False, True, None] == [client.is_model_deprecated(one) for one in "abc"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, "auth", "openai answered 401 to the request for its models: invalid key\n  check that the key may"),
        (b"<html>", "invalid_request", "something that is no list of models\n  it begins with '<html>'\n  check LLM_B"),
        (b'{"data": 5}', "invalid_request", r"no list of models\n  it begins with '{\"data\": 5}'"),
        (500, "server", "openai answered 500 to the request for its models: internal"),
    ],
)
def test_a_provider_that_does_not_list(status, kind, words, client_of, api):
    """Says why, and leaves no list behind."""
    api.statuses = [status]
    with pytest.raises(ProviderError, match=words) as caught:
        run(client_of("openai"), "get_available_models")
    assert kind == caught.value.kind

    api.lists = GPTS
    assert ["gpt-5-mini"] == ids(run(client_of("openai"), "get_available_models"))


def test_listing_is_tried_again_as_calls_are(client_of, api, monkeypatch):
    """After the wait that the provider asks for."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "1")
    api.statuses, api.lists = [429], GPTS
    assert 3 == len(run(client_of("openai"), "refresh_models"))


def test_a_list_without_an_end_is_not_read_for_ever(client_of, api):
    """Nor kept."""
    api.lists = {FIRST: CLAUDES[FIRST], SECOND: CLAUDES[FIRST]}
    with pytest.raises(
        ProviderError, match="lists models without an end\n  after 50 pages it names another one: 'limit="
    ):
        run(client_of("anthropic"), "refresh_models")
    assert 50 == len(api.asked)


@pytest.mark.parametrize("show", [[], {"capabilities": 5, "model_info": None}])
def test_what_ollama_says_of_a_model_may_be_nothing(show, client_of, api):
    """The model is there all the same."""
    api.lists = {"/api/tags": {"models": [{"model": "m"}]}, "/api/show": show}
    (model,) = run(client_of("ollama"), "refresh_models")
    assert ("m", None, None) == (model.id, model.context_tokens, model.capabilities)


@pytest.mark.parametrize(("status", "kind"), [(404, None), (500, "server")])
def test_a_model_that_is_removed_meanwhile_is_left_as_listed(status, kind, client_of, api):
    """Any other failure is one of the whole list."""
    provider = client_of("ollama").provider
    lister = ModelLister(provider, ModelCatalog(GatewayConfig()), 0, NOW)
    flow = lister.refresh()
    next(flow)
    flow.send(WireReply(200, (), b'{"models": [{"model": "m"}]}'))
    reply = WireReply(status, (), b'{"error": "gone"}')
    if kind is None:
        assert isinstance(flow.send(reply), Call)
        return
    with pytest.raises(ProviderError) as caught:
        flow.send(reply)
    assert kind == caught.value.kind


def test_an_old_list_serves_while_the_provider_is_away(client_of, api, tmp_path, caplog):
    """With one line in the log; a refused key is an error all the same."""
    kept = Store(tmp_path / "lists")
    kept.update("openai", f"{api.url}/v1", [ModelInfo("gpt-old", "openai")], NOW - timedelta(days=3))
    api.statuses = [503]
    with caplog.at_level(logging.WARNING, "llm_gateway.models"):
        assert ["gpt-old"] == ids(run(client_of("openai"), "get_available_models"))
    assert f"its models are as listed on {NOW - timedelta(days=3):%Y-%m-%d}" in caplog.text

    api.statuses = [401]
    with pytest.raises(ProviderError, match="answered 401"):
        run(client_of("openai"), "get_available_models")


def test_nothing_is_listed_unless_it_is_asked_for(client_of, api):
    """Neither by a client that is made, nor by calls, nor by questions about a model."""
    with client_of("anthropic") as client:
        client.chat("hello")
        info, unknown = client.model_info("claude-haiku-4-5"), client.model_info("no-such-model")
        other = client.model_info("groq:llama-3.1-8b-instant")
        with pytest.raises(MissingKeyError):
            client.refresh_models("groq")

    assert ["/v1/messages"] == [path for path, _, _ in api.asked]
    assert (200_000, 64_000, None) == (info.context_tokens, info.max_output_tokens, info.last_seen)
    assert (None, None) == (unknown, other)


def test_a_model_that_is_not_found_may_be_one_of_the_list(client_of, api):
    """A kept list knows better than the prices do."""
    api.lists = {"/v1/models": {"data": [{"id": "acme-large-2"}]}}
    run(client_of("openai"), "refresh_models")
    api.statuses = [404]
    with pytest.raises(ProviderError, match=r"no such model\n  did you mean 'acme-large-2'\?\n"):
        run(client_of("openai", model="acme-large"), "chat", "hello")


def test_what_the_user_says_wins(client_of, api, tmp_path, monkeypatch):
    """Over the list and the published limits; what has no list is known by it alone."""
    text = f"""
models:
  "openai:gpt-5-mini": {{context_tokens: 1000, deprecated_at: {NOW:%Y-%m-%d}}}
  "openai:mine": {{max_output_tokens: 50, capabilities: [chat, tools]}}
  "local_claude:haiku": {{context_tokens: 200000}}
"""
    (tmp_path / "llm.yaml").write_text(text)
    monkeypatch.setenv("LLM_CONFIG", str(tmp_path / "llm.yaml"))
    api.lists = GPTS
    with client_of("openai") as client:
        assert ["mine"] == ids(client.get_available_models())
        assert (1000, 128_000, "system") == (
            (info := client.model_info("gpt-5-mini")).context_tokens,
            info.max_output_tokens,
            info.owner,
        )
        assert client.is_model_deprecated("gpt-5-mini")
        assert client.is_model_deprecated("gpt-5-mini", at=NOW - timedelta(days=2)) is False
        assert client.validate_model("mine")
        assert client.validate_model("local_claude:haiku")
        assert ["haiku"] == ids(client.get_available_models("local_claude"))
        assert 1 == len(api.asked)
        api.lists = {"/v1/models": {"data": [{"id": "mine"}]}}
        client.refresh_models()
        api.lists = GPTS
        assert ["gpt-5-mini", "gpt-4o", "ft:gpt-5-mini:acme::1", "mine"] == ids(client.refresh_models())
        assert client.validate_model("mine")  # whatever the list has stopped saying


def test_a_provider_without_a_list_says_so(client_of):
    """And how to tell what it has."""
    with client_of("openai") as client, pytest.raises(ConfigError) as caught:
        client.get_available_models("local_claude")
    assert (
        "local_claude has no list of models\n"
        "  it has no API that lists them\n"
        '  register its models: register_model("local_claude:<model>", context_tokens=...)'
    ) == str(caught.value)


def test_the_kept_list_is_plain_json_without_secrets(client_of, api, tmp_path):
    """Neither the key nor a password in the address."""
    api.lists = GPTS
    address = api.url.replace("http://", "http://me:pass-word@")
    with SyncLLMClient(provider="openai", api_key="key-of-mine", base_url=f"{address}/v1") as client:
        client.refresh_models()
    (file,) = (tmp_path / "lists").iterdir()

    assert f"{api.url}/v1" == json.loads(file.read_text())["address"]
    assert "pass-word" not in file.read_text()
    assert "key-of-mine" not in file.read_text()
