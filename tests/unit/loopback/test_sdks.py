"""Official SDKs, pointed to the loopback server by their own variables."""

import contextlib
import operator
import os

import anthropic
import boto3
import cohere
import groq
import ollama
import openai
import pytest
import together
from google import genai
from mistralai.client import Mistral

from llm_gateway.cassettes.modes import Mode
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.pytest_plugin.server import serving

MESSAGES = [{"role": "user", "content": "hi"}]
CONVERSED = [{"role": "user", "content": [{"text": "hi"}]}]


@pytest.fixture
def fake():
    return FakeLLM()


@pytest.fixture
def server(fake, tmp_path):
    with use_cassette(tmp_path / "none.yaml", Mode.REPLAY) as cassette, serving(cassette) as made:
        cassette.answer_by(fake)
        yield made


CLOSERS = (
    "close",
    "_client.close",
    "sdk_configuration.client.close",
    "_client_wrapper.httpx_client.httpx_client.close",
)


def close(client):
    """Close an SDK client by whichever method it has."""
    for path in CLOSERS:
        with contextlib.suppress(AttributeError):
            return operator.attrgetter(path)(client)()
    raise AssertionError(client)


def by_anthropic(client):
    return client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=MESSAGES).content[0].text


def by_chat(client):
    return client.chat.completions.create(model="some-model", messages=MESSAGES).choices[0].message.content


def by_chat_stream(client):
    chunks = client.chat.completions.create(model="gpt-5", messages=MESSAGES, stream=True)
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def by_responses(client):
    return client.responses.create(model="gpt-5", input="hi").output_text


def by_gemini(client):
    return client.models.generate_content(model="gemini-2.5-flash", contents="hi").text


def bedrock():
    keys = {"aws_access_key_id": "AKIDEXAMPLE", "aws_secret_access_key": "k"}
    return boto3.client("bedrock-runtime", region_name="eu-west-1", **keys)


def by_converse(client):
    reply = client.converse(modelId="amazon.nova-lite-v1:0", messages=CONVERSED)
    return reply["output"]["message"]["content"][0]["text"]


def by_converse_stream(client):
    events = client.converse_stream(modelId="amazon.nova-lite-v1:0", messages=CONVERSED)["stream"]
    return "".join(event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event)


def mistral():
    return Mistral(api_key="k", server_url=os.environ["OPENAI_BASE_URL"].replace("openai/v1", "mistral"))


def by_mistral(client):
    return client.chat.complete(model="mistral-small-latest", messages=MESSAGES).choices[0].message.content


def cohere_client():
    """Return a client with an explicit URL: the SDK reads the variable only when it is imported."""
    return cohere.ClientV2(api_key="k", base_url=os.environ["CO_API_URL"])


def by_cohere(client):
    return client.chat(model="command-r", messages=MESSAGES).message.content[0].text


def by_ollama(client):
    return client.chat(model="llama3.2", messages=MESSAGES).message.content


AWS, GOOGLE = "bedrock-runtime.eu-west-1.amazonaws.com", "aiplatform.googleapis.com"
CALLS = [
    ("api.anthropic.com", lambda: anthropic.Anthropic(api_key="k"), by_anthropic),
    ("api.openai.com", lambda: openai.OpenAI(api_key="k"), by_chat),
    ("api.openai.com", lambda: openai.OpenAI(api_key="k"), by_chat_stream),
    ("api.openai.com", lambda: openai.OpenAI(api_key="k"), by_responses),
    ("{resource}.openai.azure.com", lambda: openai.AzureOpenAI(api_key="k", api_version="2025-01-01"), by_chat),
    ("generativelanguage.googleapis.com", lambda: genai.Client(api_key="k"), by_gemini),
    (GOOGLE, lambda: genai.Client(vertexai=True, api_key="k"), by_gemini),
    (AWS, bedrock, by_converse),
    (AWS, bedrock, by_converse_stream),
    ("api.groq.com", lambda: groq.Groq(api_key="k"), by_chat),
    ("api.together.ai", lambda: together.Together(api_key="k"), by_chat),
    ("api.mistral.ai", mistral, by_mistral),
    ("api.cohere.com", cohere_client, by_cohere),
    ("localhost:11434", ollama.Client, by_ollama),
]


@pytest.mark.parametrize(("host", "make", "ask"), CALLS)
def test_an_sdk_reaches_its_provider_through_the_server(fake, server, host, make, ask):
    """It is configured as in production; its calls are reported as calls to the provider."""
    fake.reply("one two three")
    client = make()
    try:
        assert "one two three" == ask(client)
    finally:
        close(client)

    assert host == fake.last.url.split("/")[2]
