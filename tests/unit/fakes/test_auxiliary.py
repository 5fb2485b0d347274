"""Auxiliary endpoints are answered without a script, and read by the official SDKs."""

import json

import anthropic
import boto3
import cohere
import groq
import mistralai.client
import ollama
import openai
import pytest
from google import genai

from llm_gateway import SyncLLMClient
from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import FakeMissError, FakeUnusedError
from llm_gateway.fakes import FakeLLM
from llm_gateway.fakes.embeddings import vector
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import WireRequest

AWS = {"region_name": "us-east-1", "aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "k"}
GEMINI = genai.Client(api_key="k")
"""It closes its connections when it is not held."""
USER = [{"role": "user", "content": "hello there"}]


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """Our client keeps the lists of models that it got."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


@pytest.fixture
def fake(tmp_path):
    """A fake that answers every call in this process; what is left over fails the test."""
    made = FakeLLM()
    with use_cassette(tmp_path / "none.yaml", Mode.REPLAY) as cassette:
        cassette.answer_by(made)
        yield made


LISTS = {
    "anthropic": lambda: [one.id for one in anthropic.Anthropic(api_key="k").models.list()],
    "bedrock": lambda: [
        one["modelId"] for one in boto3.client("bedrock", **AWS).list_foundation_models()["modelSummaries"]
    ],
    "cohere": lambda: [one.name for one in cohere.ClientV2("k").models.list().models],
    "gemini": lambda: [one.name.removeprefix("models/") for one in GEMINI.models.list()],
    "groq": lambda: [one.id for one in groq.Groq(api_key="k").models.list().data],
    "mistral": lambda: [one.id for one in mistralai.client.Mistral(api_key="k").models.list().data],
    "ollama": lambda: [one.model for one in ollama.Client().list().models],
    "openai": lambda: [one.id for one in openai.OpenAI(api_key="k").models.list()],
    "together": lambda: [
        one.id
        for one in SyncLLMClient(provider="together", api_key="k").refresh_models()
        if one.lifecycle != "vanished"
    ],
}


@pytest.mark.parametrize("provider", LISTS)
def test_models_are_those_that_the_test_names(tmp_path, provider):
    """In its script; a few usual ones where it names none, and no patterns."""
    fake = FakeLLM()
    with pytest.raises(FakeUnusedError), use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        usual = LISTS[provider]()
        fake.on(model="my-model").reply("x")
        fake.on(provider="alephalpha", model="not-mine").reply("x")
        fake.on(model="pattern-*").reply("x")
        named = LISTS[provider]()

    assert usual
    assert ["my-model"] == named
    assert [("models", provider)] * 2 == [(one.kind, one.provider) for one in fake.other_calls]
    assert not fake.calls


def test_models_are_also_those_that_were_called(fake):
    """Of the same provider."""
    fake.reply("x", times=2)
    openai.OpenAI(api_key="k").responses.create(model="gpt-9", input="hi")
    anthropic.Anthropic(api_key="k").messages.create(model="claude-9", max_tokens=9, messages=USER)

    assert ["gpt-9"] == LISTS["openai"]()
    assert ["claude-9"] == LISTS["anthropic"]()


def test_one_model(fake):
    """A request for a single model finds it, whatever its name."""
    assert "claude-9" == anthropic.Anthropic(api_key="k").models.retrieve("claude-9").id
    assert "gpt-9" == openai.OpenAI(api_key="k").models.retrieve("gpt-9").id
    assert "models/gemini-9" == GEMINI.models.get(model="gemini-9").name
    assert ["completion", "tools"] == ollama.Client().show("llama9").capabilities
    assert ["model"] * 4 == [one.kind for one in fake.other_calls]


def test_our_own_client_finds_models(fake):
    """With the limits that their makers publish."""
    with SyncLLMClient(provider="anthropic", api_key="k") as client:
        found = client.refresh_models()

    assert all(one.context_tokens for one in found)
    assert len(found) > 1


def test_counted_tokens_are_those_of_the_usage(fake):
    """A program that counts tokens before a call gets the number that the answer reports."""
    fake.reply("x", times=3)
    claude, gpt, gemini = anthropic.Anthropic(api_key="k"), openai.OpenAI(api_key="k"), GEMINI

    counted = claude.messages.count_tokens(model="claude-9", messages=USER).input_tokens
    assert claude.messages.create(model="claude-9", max_tokens=9, messages=USER).usage.input_tokens == counted
    counted = gpt.responses.input_tokens.count(model="gpt-9", input="hello there").input_tokens
    assert gpt.responses.create(model="gpt-9", input="hello there").usage.input_tokens == counted
    counted = gemini.models.count_tokens(model="gemini-9", contents="hello there").total_tokens
    answer = gemini.models.generate_content(model="gemini-9", contents="hello there")
    assert answer.usage_metadata.prompt_token_count == counted
    converse = {"messages": [{"role": "user", "content": [{"text": "hello there"}]}]}
    runtime = boto3.client("bedrock-runtime", **AWS)
    assert 0 < runtime.count_tokens(modelId="m", input={"converse": converse})["inputTokens"]
    assert ["tokens"] * 4 == [one.kind for one in fake.other_calls]


EMBEDDINGS = {
    "cohere": lambda texts: (
        cohere.ClientV2("k")
        .embed(model="embed-english-light-v3.0", texts=texts, input_type="search_query", embedding_types=["float"])
        .embeddings.float_
    ),
    "gemini": lambda texts: [
        one.values for one in GEMINI.models.embed_content(model="gemini-embedding-001", contents=texts).embeddings
    ],
    "mistral": lambda texts: [
        one.embedding
        for one in mistralai.client.Mistral(api_key="k").embeddings.create(model="mistral-embed", inputs=texts).data
    ],
    "ollama": lambda texts: ollama.Client().embed("nomic-embed-text", texts).embeddings,
    "openai": lambda texts: [
        one.embedding
        for one in openai.OpenAI(api_key="k").embeddings.create(model="text-embedding-3-small", input=texts).data
    ],
}
SIZES = {"cohere": 384, "gemini": 3072, "mistral": 1024, "ollama": 768, "openai": 1536}


@pytest.mark.parametrize("provider", EMBEDDINGS)
def test_embeddings(fake, provider):
    """Unit vectors of the model's own length, the same for the same text, however they travel."""
    one, two, again = EMBEDDINGS[provider](["the cat sat", "a dog ran", "the cat sat"])

    assert SIZES[provider] == len(one) == len(two)
    assert one == again != two
    assert pytest.approx(1) == sum(part * part for part in one)
    (call,) = fake.other_calls
    assert ("embeddings", provider) == (call.kind, call.provider)


def test_embeddings_of_other_lengths_and_ways(fake):
    """The number of dimensions is the requested one, also through older endpoints."""
    gpt = openai.OpenAI(api_key="k")
    sized = gpt.embeddings.create(model="text-embedding-3-large", input="x", dimensions=8, encoding_format="float")
    tokens = gpt.embeddings.create(model="text-embedding-3-large", input=[1, 2, 3])

    assert 8 == len(sized.data[0].embedding)
    assert 1 == len(tokens.data)
    assert 768 == len(ollama.Client().embeddings("llama3", "x").embedding)
    assert 1 <= sized.usage.prompt_tokens


def test_texts_that_share_words_are_near():
    """So that a search among embedded texts finds what a reader would."""
    question = vector("Where is the refund policy?", 64)
    near, far = vector("The refund policy is on page 3.", 64), vector("Bananas grow in Ecuador", 64)

    assert sum(map(float.__mul__, question, near)) > 2 * abs(sum(map(float.__mul__, question, far)))
    assert 1.0 == vector("", 1)[0] ** 2


POSTED = {
    "vertex": (
        "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers/google/models/e:predict",
        {"instances": [{"content": "x"}], "parameters": {"outputDimensionality": 8}},
    ),
    "cohere": ("https://api.cohere.com/v1/embed", {"texts": ["x"], "model": "embed-v4.0"}),
    "gemini": (
        "https://generativelanguage.googleapis.com/v1beta/models/text-embedding-004:embedContent",
        {"content": {"parts": [{"text": "x"}]}},
    ),
}


@pytest.mark.parametrize("provider", POSTED)
def test_embeddings_of_older_apis(provider):
    """Of which the SDKs above make no use."""
    url, body = POSTED[provider]
    reply = json.loads(FakeLLM().answer(WireRequest("POST", url, (), json.dumps(body).encode())).reply.body)

    lengths = {
        "vertex": lambda: len(reply["predictions"][0]["embeddings"]["values"]),
        "cohere": lambda: len(reply["embeddings"][0]),
        "gemini": lambda: len(reply["embedding"]["values"]),
    }
    assert {"vertex": 8, "cohere": 1536, "gemini": 768}[provider] == lengths[provider]()


def test_they_cost_nothing_and_leave_providers_alone(tmp_path):
    """They count as fakes, with the tokens that they report, and only for the providers that are faked."""
    fake = FakeLLM().only("openai")
    with use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        openai.OpenAI(api_key="k").embeddings.create(model="text-embedding-3-small", input="four more words here")

    (call,) = cassette.calls
    assert ("fake", 0, 5) == (call.source, call.cost_usd, call.usage.input_tokens)
    assert not fake.wants(WireRequest("GET", "https://api.anthropic.com/v1/models"))
    assert not FakeLLM().wants(WireRequest("GET", "http://localhost:8000/v1/models"))


def test_what_is_no_request_of_the_api():
    """It is refused, as the provider would."""
    fake = FakeLLM()

    with pytest.raises(FakeMissError) as caught:
        fake.answer(WireRequest("POST", "https://api.openai.com/v1/embeddings", (), b"["))

    assert "fake_llm cannot read what was sent to POST /v1/embeddings" == caught.value.message
    assert caught.value.cause.startswith("it is no request of openai.embeddings: JSONDecodeError")
    assert caught.value.fix
