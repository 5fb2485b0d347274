"""Options of a call as each provider receives them over real sockets, sync and async."""

import asyncio
import warnings

import pytest

from llm_gateway import ImagePart, LLMClient, LLMMessage, SyncLLMClient, Tool, UnsupportedParamWarning
from llm_gateway.exceptions import ProviderError

MODELS = {
    "anthropic": "claude-haiku-5-5",
    "bedrock": "global.amazon.nova-2-lite-v1:0",
    "cohere": "command-a-03-2025",
    "deepseek": "deepseek-flash",
    "gemini": "gemini-3.1-flash-lite",
    "groq": "openai/gpt-oss-20b",
    "mistral": "mistral-small-latest",
    "openai": "gpt-5.2",
    "openai_responses": "gpt-5.2",
    "openrouter": "openai/gpt-5.2",
    "xai": "grok-4.3",
}
IN_JSON = {"anthropic": "JSON object", "bedrock": "JSON object", "gemini": "application/json"}
AT_ROOT = ("anthropic", "bedrock", "cohere")


@pytest.fixture
def client_of(api, monkeypatch, tmp_path):
    """Return a function that makes a client of a provider."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    monkeypatch.setenv("LLM_MODELS_CACHE", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def make(name, client_class=SyncLLMClient, model=None):
        url = api.url if name in AT_ROOT else f"{api.url}/v1"
        return client_class(provider=name, model=model or MODELS[name], api_key="k", base_url=url)

    return make


def chat(client, *messages, **options):
    """Return the response of a chat with a sync or async client."""
    if isinstance(client, SyncLLMClient):
        with client:
            return client.chat(list(messages), **options)

    async def go():
        async with client:
            return await client.chat(list(messages), **options)

    return asyncio.run(go())


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", MODELS)
def test_options_are_sent_or_reported_as_dropped(name, client_class, client_of, api):
    """Each option is in the request's body or in dropped_params, with one warning each."""
    options = {"top_p": 0.5, "seed": 7, "reasoning_effort": "none", "json_mode": True}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        response = chat(client_of(name, client_class), "Which JSON?", **options, unsupported_params="warn")
    body = str(api.requests[-1][2])
    off = "disabled" if name in ("anthropic", "bedrock", "cohere", "deepseek") else "none"
    expected = {"top_p": "0.5", "seed": "7", "reasoning_effort": off, "json_mode": IN_JSON.get(name, "json_object")}

    assert "WHICH JSON?" == response.content
    assert [] == [one for one in options if one not in response.dropped_params and expected[one] not in body]
    assert len(response.dropped_params) == len(caught)
    assert {UnsupportedParamWarning} >= {one.category for one in caught}
    dropped = {
        "anthropic": ("top_p", "seed"),
        "bedrock": ("seed",),
        "gemini": ("reasoning_effort",),
        "openai_responses": ("seed",),
    }
    assert dropped.get(name, ()) == response.dropped_params


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_listed_capabilities_reject_unsupported_input(client_class, client_of, api):
    """Once the provider's list was fetched, tools and images that a model lacks raise before anything is sent."""
    api.lists = {
        "/api/tags": {"models": [{"model": "tiny:latest"}]},
        "/api/show": {"capabilities": ["completion"], "model_info": {}},
    }
    picture = LLMMessage.user("look", ImagePart(url="https://example.com/a.png"))
    tool = Tool("weigh", "Weigh something", {"type": "object"})
    assert "1 images" == chat(client_of("ollama", client_class, "tiny"), picture).content
    with client_of("ollama", model="tiny") as lister:
        lister.refresh_models()
    before = len(api.requests)

    with pytest.raises(ProviderError) as error:
        chat(client_of("ollama", client_class, "tiny"), picture, tools=[tool])
    assert (
        "ollama:tiny takes no tools, images\n"
        "  according to the provider's list of models\n"
        '  choose another model; if this one takes them: register_model("ollama:tiny", refuses=[])' == str(error.value)
    )
    assert before == len(api.requests)


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_stream_reports_dropped_options(client_class, client_of):
    """The response of a stream has dropped_params, as a chat has."""
    llm = client_of("anthropic", client_class)
    stream = llm.stream("hello", seed=7, unsupported_params="drop")
    if client_class is SyncLLMClient:
        assert "HELLO" == "".join(delta.text for delta in stream)
    else:

        async def read():
            async with llm:
                return "".join([delta.text async for delta in stream])

        assert "HELLO" == asyncio.run(read())
    assert ("seed",) == stream.response.dropped_params
