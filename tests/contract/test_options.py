"""Options at the end where they arrive: over real sockets, in each provider's own words, in both colours."""

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
    """A client by name and colour."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    monkeypatch.setenv("LLM_MODELS_CACHE", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def make(name, colour=SyncLLMClient, model=None):
        url = api.url if name in AT_ROOT else f"{api.url}/v1"
        return colour(provider=name, model=model or MODELS[name], api_key="k", base_url=url)

    return make


def chat(client, *messages, **options):
    """The response of a chat, in the client's own colour."""
    if isinstance(client, SyncLLMClient):
        with client:
            return client.chat(list(messages), **options)

    async def go():
        async with client:
            return await client.chat(list(messages), **options)

    return asyncio.run(go())


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", MODELS)
def test_options_arrive_or_are_named(name, colour, client_of, api):
    """Everything that a provider takes stands in its body; what it does not take is on the response."""
    options = {"top_p": 0.5, "seed": 7, "reasoning_effort": "none", "json_mode": True}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        response = chat(client_of(name, colour), "Which JSON?", **options, unsupported_params="warn")
    body = str(api.asked[-1][2])
    off = "disabled" if name in ("anthropic", "bedrock", "cohere", "deepseek") else "none"
    words = {"top_p": "0.5", "seed": "7", "reasoning_effort": off, "json_mode": IN_JSON.get(name, "json_object")}

    assert "WHICH JSON?" == response.content
    assert [] == [one for one in options if one not in response.dropped_params and words[one] not in body]
    assert len(response.dropped_params) == len(caught)
    assert {UnsupportedParamWarning} >= {one.category for one in caught}
    lost = {
        "anthropic": ("top_p", "seed"),
        "bedrock": ("seed",),
        "gemini": ("reasoning_effort",),
        "openai_responses": ("seed",),
    }
    assert lost.get(name, ()) == response.dropped_params


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_what_a_list_denies_is_not_sent(colour, client_of, api):
    """The provider's own list is believed once it was fetched; before that everything is sent."""
    api.lists = {
        "/api/tags": {"models": [{"model": "tiny:latest"}]},
        "/api/show": {"capabilities": ["completion"], "model_info": {}},
    }
    picture = LLMMessage.user("look", ImagePart(url="https://example.com/a.png"))
    tool = Tool("weigh", "Weigh something", {"type": "object"})
    assert "1 images" == chat(client_of("ollama", colour, "tiny"), picture).content
    with client_of("ollama", model="tiny") as lister:
        lister.refresh_models()
    before = len(api.asked)

    with pytest.raises(ProviderError) as error:
        chat(client_of("ollama", colour, "tiny"), picture, tools=[tool])
    assert (
        "ollama:tiny takes no tools, images\n"
        "  according to the provider's list of models\n"
        '  choose another model; if this one takes them: register_model("ollama:tiny", refuses=[])' == str(error.value)
    )
    assert before == len(api.asked)


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_a_stream_says_what_it_went_without(colour, client_of):
    """As a chat does."""
    llm = client_of("anthropic", colour)
    stream = llm.stream("hello", seed=7, unsupported_params="drop")
    if colour is SyncLLMClient:
        assert "HELLO" == "".join(delta.text for delta in stream)
    else:

        async def read():
            async with llm:
                return "".join([delta.text async for delta in stream])

        assert "HELLO" == asyncio.run(read())
    assert ("seed",) == stream.response.dropped_params
