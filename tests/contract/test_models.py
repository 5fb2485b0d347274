"""Lists of models, sync and async, over real sockets; reply bodies follow each provider's documentation."""

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
CLAUDE_PAGES = {
    FIRST: {
        "data": [{"id": "claude-opus-5-5", "max_input_tokens": 500_000}],
        "has_more": True,
        "last_id": "claude-opus-5-5",
    },
    SECOND: {"data": [{"id": "claude-haiku-4-5-20251001", "lifecycle": "deprecated"}], "has_more": False},
}
GPT_PAGES = {
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
    """Return a function that makes a client of a provider, with its own folder for kept lists."""
    monkeypatch.setenv("LLM_MODELS_CACHE", str(tmp_path / "lists"))
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    monkeypatch.delenv("GROQ_API_KEY", raising=False)

    def make(name, client_class=SyncLLMClient, **settings):
        base = api.url if name in ("anthropic", "azure", "bedrock", "vertex") else f"{api.url}/v1"
        return client_class(provider=name, api_key="k", base_url=base, **settings)

    return make


def run(client, verb, *args, **options):
    """Return the result of the method *verb* of a sync or async client, and close the client."""
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


sync_and_async = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])


@sync_and_async
def test_list_is_read_page_by_page(client_class, client_of, api):
    """Token limits of the list take precedence over the published ones, which fill the gaps."""
    api.lists = CLAUDE_PAGES
    models = run(client_of("anthropic", client_class), "refresh_models")

    assert ["claude-opus-5-5", "claude-haiku-4-5-20251001"] == ids(models)
    assert [(500_000, 128_000), (200_000, 64_000)] == [(one.context_tokens, one.max_output_tokens) for one in models]
    assert [FIRST, SECOND] == [path for path, _, _ in api.requests]
    headers = {name.lower(): value for name, value in api.requests[0][1].items()}
    assert ("Bearer k", "2026-10-21") == (headers["authorization"], headers["anthropic-version"])


@sync_and_async
def test_deprecated_and_fine_tuned_models_are_hidden_by_default(client_class, client_of, api):
    """One request serves several clients, since a list is kept for a day."""
    api.lists = GPT_PAGES

    def shown(**options):
        return ids(run(client_of("openai", client_class), "get_available_models", **options))

    assert ["gpt-5-mini"] == shown()
    assert ["gpt-5-mini", "gpt-4o"] == shown(include_deprecated=True)
    assert ["gpt-5-mini", "ft:gpt-5-mini:acme::1"] == shown(include_fine_tuned=True)
    assert 1 == len(api.requests)


@sync_and_async
def test_validate_model_fetches_a_new_list_for_an_unknown_name(client_class, client_of, api):
    """A name that the new list lacks too raises an error with the nearest one."""
    api.lists = GPT_PAGES
    assert run(client_of("openai", client_class), "validate_model", "openai:gpt-5-mini") is True

    api.lists = {"/v1/models": {"data": [{"id": "gpt-5-mini"}, {"id": "gpt-7"}]}}
    assert run(client_of("openai", client_class), "validate_model", "gpt-7") is True
    with pytest.raises(UnknownModelError) as caught:
        run(client_of("openai", client_class), "validate_model", "gpt-5-mni")

    assert (
        "openai lists no model 'gpt-5-mni'\n"
        "  did you mean 'gpt-5-mini'?\n"
        '  get_available_models() has all 2; for one that no list names: register_model("openai:gpt-5-mni")'
    ) == str(caught.value)
    assert ("gpt-5-mini",) == caught.value.nearest
    with pytest.raises(UnknownModelError, match=f"'gpt-4o'\n  it was last listed on {NOW:%Y-%m}-..\n"):
        run(client_of("openai", client_class), "validate_model", "gpt-4o")


@sync_and_async
@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_official_sdk_client_lists_models(name, client_class, client_of, api):
    """The list is requested through the SDK's client, at its address."""
    is_async = client_class is LLMClient
    if name == "anthropic":
        api.lists = CLAUDE_PAGES
        sdk = (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(api_key="k", base_url=api.url)
        provider = anthropic_provider.provider(GatewayConfig(), client=sdk)
    else:
        api.lists = GPT_PAGES
        sdk = (openai.AsyncOpenAI if is_async else openai.OpenAI)(api_key="k", base_url=f"{api.url}/v1")
        provider = openai_provider.provider(GatewayConfig(), client=sdk)
    models = run(client_class(provider_instance=provider), "refresh_models")
    if not is_async:
        sdk.close()

    assert list(api.lists) == [path for path, _, _ in api.requests]
    assert len(models) == sum(len(body["data"]) for body in api.lists.values())


def test_ollama_facts_are_requested_for_each_model(client_of, api):
    """They come from the root of the server, outside of /v1."""
    facts = {"general.architecture": "llama", "llama.context_length": 131_072}
    api.lists = {
        "/api/tags": {"models": [{"model": "llama3.2:latest"}]},
        "/api/show": {"capabilities": ["completion", "vision"], "model_info": facts},
    }
    (model,) = run(client_of("ollama"), "refresh_models")

    assert (131_072, {"chat", "streaming", "images"}) == (model.context_tokens, model.capabilities)
    assert [("/api/tags", None), ("/api/show", {"model": "llama3.2:latest"})] == [
        (path, body) for path, _, body in api.requests
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
def test_each_provider_lists_at_its_own_path(name, path, body, client_of, api, monkeypatch):
    """The path and the format of the list are those of the provider."""
    monkeypatch.setenv("LLM_PROJECT", "my-project")
    api.lists = {path: body}
    assert ["m"] == ids(run(client_of(name), "get_available_models"))


@sync_and_async
def test_bedrock_lists_models_and_inference_profiles(client_class, api, tmp_path, monkeypatch):
    """Requests are signed, and every page is read."""
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
    models = run(client_class(provider="bedrock", base_url=api.url), "refresh_models")

    assert [f"{region}amazon.nova-micro-v1:0" for region in ("", "us.", "eu.")] == ids(models)
    assert ["/foundation-models", first, second] == [path for path, _, _ in api.requests]


@pytest.mark.parametrize(
    ("settings", "control_plane"),
    [
        ({}, "https://bedrock.us-east-1.amazonaws.com"),
        (
            {"base_url": "https://bedrock-runtime-fips.us-east-1.amazonaws.com"},
            "https://bedrock-fips.us-east-1.amazonaws.com",
        ),
        ({"base_url": "https://llm.example.com"}, "https://llm.example.com"),
    ],
)
def test_bedrock_lists_models_at_its_control_plane(settings, control_plane):
    """A base_url that is not Amazon's is used for both hosts."""
    assert (
        control_plane
        == bedrock_provider.provider(GatewayConfig(api_key="k", region="us-east-1", **settings)).models.base_url
    )


def test_cohere_lists_models_with_its_own_api(client_of, api):
    """A base_url of its OpenAI-compatible API is replaced, and every page is read."""
    api.lists = {
        "/v1/models?page_size=1000": {"models": [{"name": "a"}], "next_page_token": "2"},
        "/v1/models?page_size=1000&page_token=2": {"models": [{"name": "b", "is_deprecated": True}]},
    }
    with SyncLLMClient(provider="cohere", api_key="k", base_url=f"{api.url}/compatibility/v1") as client:
        assert ["a", "b"] == ids(client.refresh_models())
        assert [False, True, None] == [client.is_model_deprecated(one) for one in "abc"]


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (401, "auth", "openai answered 401 to the request for its models: invalid key\n  check that the key may"),
        (b"<html>", "invalid_request", "something that is no list of models\n  it begins with '<html>'\n  check LLM_B"),
        (b'{"data": 5}', "invalid_request", r"no list of models\n  it begins with '{\"data\": 5}'"),
        (500, "server", "openai answered 500 to the request for its models: internal"),
    ],
)
def test_failed_listing_raises_and_keeps_no_list(status, kind, message, client_of, api):
    """The next call requests the list again."""
    api.statuses = [status]
    with pytest.raises(ProviderError, match=message) as caught:
        run(client_of("openai"), "get_available_models")
    assert kind == caught.value.kind

    api.lists = GPT_PAGES
    assert ["gpt-5-mini"] == ids(run(client_of("openai"), "get_available_models"))


def test_listing_is_retried(client_of, api, monkeypatch):
    """A rate limit is waited out as for a chat."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "1")
    api.statuses, api.lists = [429], GPT_PAGES
    assert 3 == len(run(client_of("openai"), "refresh_models"))


def test_endless_list_raises_after_fifty_pages(client_of, api):
    """A provider whose pages always name another one does not keep the client reading forever."""
    api.lists = {FIRST: CLAUDE_PAGES[FIRST], SECOND: CLAUDE_PAGES[FIRST]}
    with pytest.raises(
        ProviderError, match="lists models without an end\n  after 50 pages it names another one: 'limit="
    ):
        run(client_of("anthropic"), "refresh_models")
    assert 50 == len(api.requests)


@pytest.mark.parametrize("show", [[], {"capabilities": 5, "model_info": None}])
def test_ollama_model_without_facts_is_listed(show, client_of, api):
    """Its limits and capabilities are None."""
    api.lists = {"/api/tags": {"models": [{"model": "m"}]}, "/api/show": show}
    (model,) = run(client_of("ollama"), "refresh_models")
    assert ("m", None, None) == (model.id, model.context_tokens, model.capabilities)


@pytest.mark.parametrize(("status", "kind"), [(404, None), (500, "server")])
def test_ollama_model_removed_during_listing_is_skipped(status, kind, client_of, api):
    """Any status but 404 fails the whole listing."""
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


def test_old_list_is_used_while_the_provider_is_down(client_of, api, tmp_path, caplog):
    """One line is logged; a rejected key raises an error all the same."""
    kept = Store(tmp_path / "lists")
    kept.update("openai", f"{api.url}/v1", [ModelInfo("gpt-old", "openai")], NOW - timedelta(days=3))
    api.statuses = [503]
    with caplog.at_level(logging.WARNING, "llm_gateway.models"):
        assert ["gpt-old"] == ids(run(client_of("openai"), "get_available_models"))
    assert f"its models are as listed on {NOW - timedelta(days=3):%Y-%m-%d}" in caplog.text

    api.statuses = [401]
    with pytest.raises(ProviderError, match="answered 401"):
        run(client_of("openai"), "get_available_models")


def test_models_are_listed_only_on_request(client_of, api):
    """Neither a new client, nor a chat, nor model_info() fetches a list."""
    with client_of("anthropic") as client:
        client.chat("hello")
        info, unknown = client.model_info("claude-haiku-4-5"), client.model_info("no-such-model")
        other = client.model_info("groq:llama-3.1-8b-instant")
        with pytest.raises(MissingKeyError):
            client.refresh_models("groq")

    assert ["/v1/messages"] == [path for path, _, _ in api.requests]
    assert (200_000, 64_000, None) == (info.context_tokens, info.max_output_tokens, info.last_seen)
    assert (None, None) == (unknown, other)


def test_not_found_error_suggests_a_listed_model(client_of, api):
    """Suggestions come from the kept list before the price list."""
    api.lists = {"/v1/models": {"data": [{"id": "acme-large-2"}]}}
    run(client_of("openai"), "refresh_models")
    api.statuses = [404]
    with pytest.raises(ProviderError, match=r"no such model\n  did you mean 'acme-large-2'\?\n"):
        run(client_of("openai", model="acme-large"), "chat", "hello")


def test_configured_models_take_precedence(client_of, api, tmp_path, monkeypatch):
    """A configuration file overrides the list and the published limits, and describes models that no list has."""
    text = f"""
models:
  "openai:gpt-5-mini": {{context_tokens: 1000, deprecated_at: {NOW:%Y-%m-%d}}}
  "openai:mine": {{max_output_tokens: 50, capabilities: [chat, tools]}}
  "local_claude:haiku": {{context_tokens: 200000}}
"""
    (tmp_path / "llm.yaml").write_text(text)
    monkeypatch.setenv("LLM_CONFIG", str(tmp_path / "llm.yaml"))
    api.lists = GPT_PAGES
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
        assert 1 == len(api.requests)
        api.lists = {"/v1/models": {"data": [{"id": "mine"}]}}
        client.refresh_models()
        api.lists = GPT_PAGES
        assert ["gpt-5-mini", "gpt-4o", "ft:gpt-5-mini:acme::1", "mine"] == ids(client.refresh_models())
        assert client.validate_model("mine")  # though the provider's list no longer has it


def test_provider_without_a_list_raises(client_of):
    """The message names register_model()."""
    with client_of("openai") as client, pytest.raises(ConfigError) as caught:
        client.get_available_models("local_claude")
    assert (
        "local_claude has no list of models\n"
        "  it has no API that lists them\n"
        '  register its models: register_model("local_claude:<model>", context_tokens=...)'
    ) == str(caught.value)


def test_kept_list_is_plain_json_without_secrets(client_of, api, tmp_path):
    """Neither the key nor a password in the URL is written to disk."""
    api.lists = GPT_PAGES
    address = api.url.replace("http://", "http://me:pass-word@")
    with SyncLLMClient(provider="openai", api_key="key-of-mine", base_url=f"{address}/v1") as client:
        client.refresh_models()
    (file,) = (tmp_path / "lists").iterdir()

    assert f"{api.url}/v1" == json.loads(file.read_text())["address"]
    assert "pass-word" not in file.read_text()
    assert "key-of-mine" not in file.read_text()
