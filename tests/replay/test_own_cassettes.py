"""
Calls of the official SDKs, replayed from the recordings of this repository, in ``cassettes/``.

No provider was called for them: they were recorded from the stub server in ``tests/fakes/stub_server.py``, by
``pytest --llm-record tests/replay/test_own_cassettes.py``, which starts it. See ``cassettes/README.md``.
"""

import asyncio
import itertools
import ssl
from decimal import Decimal

import aiohttp
import anthropic
import boto3
import cohere
import groq
import httpx
import httpx2
import ollama
import openai
import pytest
import requests
import together
from google import genai
from mistralai.client import Mistral
from stub_replies import SIGNATURE, TEXT, THOUGHTS, UNEVEN, WORDS

from llm_gateway import Mode

QUESTION = "How is the weather in Tromsø?"
MESSAGES = [{"role": "user", "content": QUESTION}]
KEY = "a-key-of-the-tests"
TOOL = {
    "type": "function",
    "function": {
        "name": "look_up",
        "description": "Look up the weather.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
pytestmark = pytest.mark.llm


@pytest.fixture(scope="module", autouse=True)
def stub(llm_mode):
    """Serve the stub's replies where calls are made; a replay connects to nothing."""
    if llm_mode is Mode.REPLAY:
        yield
        return
    from stub_server import serving

    with serving():
        yield


@pytest.fixture
def spent(llm_budget):
    """Return what the calls so far used, as tokens and US dollars."""
    return lambda: (llm_budget.spent["tokens"], llm_budget.spent["cost_usd"])


class TestOpenAI:
    """openai: chat completions and responses; 21 tokens at $0.25 and 9 at $2 a million."""

    COST = (30, Decimal("0.00002325"))

    def test_chat(self, spent):
        """The text, the usage and the cost of one reply."""
        with openai.OpenAI(api_key=KEY) as client:
            reply = client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES)

        assert TEXT == reply.choices[0].message.content
        assert (21, 9) == (reply.usage.prompt_tokens, reply.usage.completion_tokens)
        assert self.COST == spent()

    def test_chat_stream(self, spent):
        """One event for each recorded one, usage in the last."""
        options = {"stream": True, "stream_options": {"include_usage": True}}
        with openai.OpenAI(api_key=KEY) as client:
            events = list(client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, **options))

        assert [*WORDS] == [word for event in events for one in event.choices if (word := one.delta.content)]
        assert 30 == events[-1].usage.total_tokens
        assert self.COST == spent()

    def test_async_chat_stream(self, spent):
        """The async client reads the same stream; without usage its cost is None rather than zero."""

        async def words():
            async with openai.AsyncOpenAI(api_key=KEY) as client:
                stream = await client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, stream=True)
                return [event.choices[0].delta.content async for event in stream]

        assert TEXT == "".join(word or "" for word in asyncio.run(words()))
        assert (None, None) == spent()

    def test_tool(self, spent):
        """A call of a tool, and the answer to its result."""
        with openai.OpenAI(api_key=KEY) as client:
            first = client.chat.completions.create(model="gpt-5-mini", messages=MESSAGES, tools=[TOOL])
            called = first.choices[0].message.tool_calls[0]
            result = {"role": "tool", "tool_call_id": called.id, "content": "12 °C"}
            messages = [*MESSAGES, first.choices[0].message, result]
            second = client.chat.completions.create(model="gpt-5-mini", messages=messages, tools=[TOOL])

        assert ("look_up", '{"city":"Tromsø"}') == (called.function.name, called.function.arguments)
        assert TEXT == second.choices[0].message.content
        assert (60, 2 * self.COST[1]) == spent()

    def test_responses(self, spent):
        """The text of a response."""
        with openai.OpenAI(api_key=KEY) as client:
            reply = client.responses.create(model="gpt-5-mini", input=QUESTION)

        assert TEXT == reply.output_text
        assert self.COST == spent()

    def test_responses_stream(self, spent):
        """The events of a response, put together by the SDK."""
        with (
            openai.OpenAI(api_key=KEY) as client,
            client.responses.stream(model="gpt-5-mini", input=QUESTION) as stream,
        ):
            words = [event.delta for event in stream if event.type == "response.output_text.delta"]
            whole = stream.get_final_response()

        assert [*WORDS] == words
        assert TEXT == whole.output_text
        assert self.COST == spent()

    def test_rate_limit(self, llm_cassette, spent):
        """A refusal and the SDK's second try replay in their order; the refusal cost nothing."""
        messages = [{"role": "user", "content": "Is this one too many?"}]
        with openai.OpenAI(api_key=KEY, max_retries=1) as client:
            reply = client.chat.completions.create(model="gpt-5-mini", messages=messages)

        assert TEXT == reply.choices[0].message.content
        assert [429, 200] == [call.status for call in llm_cassette.calls]
        assert self.COST == spent()


class TestAnthropic:
    """anthropic: 11 tokens at $1, 10 cached ones at $0.10, and output at $5 a million."""

    def test_messages(self, spent):
        """The text, and usage that counts cached tokens as input."""
        with anthropic.Anthropic(api_key=KEY) as client:
            reply = client.messages.create(model="claude-haiku-4-5", max_tokens=99, messages=MESSAGES)

        assert TEXT == reply.content[0].text
        assert (30, Decimal("0.000057")) == spent()

    def test_stream_with_thinking(self, spent):
        """Thoughts, their signature and the text, event by event."""
        options = {"model": "claude-haiku-4-5", "max_tokens": 2000, "messages": MESSAGES}
        thinking = {"type": "enabled", "budget_tokens": 1024}
        with (
            anthropic.Anthropic(api_key=KEY) as client,
            client.messages.stream(**options, thinking=thinking) as stream,
        ):
            events = list(stream)
            whole = stream.get_final_message()

        assert [*THOUGHTS] == [event.thinking for event in events if event.type == "thinking"]
        assert [*WORDS] == [event.text for event in events if event.type == "text"]
        assert SIGNATURE == whole.content[0].signature
        assert (50, Decimal("0.000157")) == spent()


class TestGoogle:
    """google-genai: 21 tokens at $0.30 and 9 at $2.50 a million."""

    COST = (30, Decimal("0.0000288"))

    def test_generate(self, spent):
        """The text of one reply."""
        with genai.Client(api_key=KEY) as client:
            reply = client.models.generate_content(model="gemini-2.5-flash", contents=QUESTION)

        assert TEXT == reply.text
        assert self.COST == spent()

    def test_generate_stream(self, spent):
        """One chunk for each recorded one; the last usage counts, as each contains those before it."""
        with genai.Client(api_key=KEY) as client:
            chunks = list(client.models.generate_content_stream(model="gemini-2.5-flash", contents=QUESTION))

        assert [*WORDS] == [chunk.text for chunk in chunks]
        assert self.COST == spent()


def test_bedrock_converse_stream(spent):
    """boto3 reads the frames of an AWS event stream, checksums included."""
    client = boto3.client(
        "bedrock-runtime", region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key=KEY
    )
    messages = [{"role": "user", "content": [{"text": QUESTION}]}]
    events = list(client.converse_stream(modelId="amazon.nova-lite-v1:0", messages=messages)["stream"])
    client.close()

    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert [*WORDS] == deltas
    assert 30 == events[-1]["metadata"]["usage"]["totalTokens"]
    assert (30, Decimal("0.00000342")) == spent()


def test_mistral_stream(spent):
    """mistralai: the words, at $0.15 and $0.60 a million."""
    with Mistral(api_key=KEY) as client:
        events = list(client.chat.stream(model="mistral-small-latest", messages=MESSAGES))

    assert TEXT == "".join(event.data.choices[0].delta.content or "" for event in events)
    assert (30, Decimal("0.00000855")) == spent()


def test_groq_stream(spent):
    """groq: its usage is in a field of its own."""
    with groq.Groq(api_key=KEY) as client:
        events = list(client.chat.completions.create(model="llama-3.3-70b-versatile", messages=MESSAGES, stream=True))

    assert TEXT == "".join(event.choices[0].delta.content or "" for event in events)
    assert 30 == events[-1].x_groq.usage.total_tokens
    assert (30, Decimal("0.0000195")) == spent()


def test_together(spent):
    """together: the text of one reply."""
    model = "meta-llama/Llama-3.3-70B-Instruct-Turbo"
    with together.Together(api_key=KEY) as client:
        reply = client.chat.completions.create(model=model, messages=MESSAGES)

    assert TEXT == reply.choices[0].message.content
    assert (30, Decimal("0.0000264")) == spent()


def test_cohere_stream(spent):
    """cohere: billed units are not tokens, and the tokens count."""
    with cohere.ClientV2(api_key=KEY) as client:
        events = list(client.chat_stream(model="command-a-03-2025", messages=MESSAGES))

    assert [*WORDS] == [event.delta.message.content.text for event in events if event.type == "content-delta"]
    assert (30, Decimal("0.0001425")) == spent()


def test_ollama_stream(spent):
    """ollama: lines of JSON from the local machine, which cost nothing."""
    with ollama.Client() as client:
        events = list(client.chat("llama3.2", MESSAGES, stream=True))

    assert [*WORDS, ""] == [event.message.content for event in events]
    assert (30, 0) == spent()


RAW = {
    "url": "https://api.openai.com/v1/chat/completions",
    "headers": {"authorization": f"Bearer {KEY}"},
    "json": {
        "model": "gpt-5-mini",
        "messages": [{"role": "user", "content": f"{QUESTION} Answer unevenly."}],
        "stream": True,
    },
}


def by_httpx(library):
    with library.Client() as client, client.stream("POST", **RAW) as reply:
        return list(reply.iter_raw())


def by_async_httpx(library):
    async def read():
        async with library.AsyncClient() as client, client.stream("POST", **RAW) as reply:
            return [chunk async for chunk in reply.aiter_raw()]

    return asyncio.run(read())


def by_aiohttp():
    async def read():
        certificates = ssl.create_default_context()  # aiohttp reads its own when it is imported
        session = aiohttp.ClientSession(trust_env=True)
        async with session, session.post(**RAW, ssl=certificates) as reply:
            parts = [part async for part in reply.content.iter_chunks()]
        ends = [0, *(number + 1 for number, (_, is_end) in enumerate(parts) if is_end)]
        return [b"".join(data for data, _ in parts[start:end]) for start, end in itertools.pairwise(ends)]

    return asyncio.run(read())


def by_requests():
    with requests.post(**RAW, stream=True, timeout=60) as reply:
        return list(reply.iter_content(None))


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda: by_httpx(httpx), id="httpx"),
        pytest.param(lambda: by_httpx(httpx2), id="httpx2"),
        pytest.param(lambda: by_async_httpx(httpx), id="httpx-async"),
        pytest.param(lambda: by_async_httpx(httpx2), id="httpx2-async"),
        pytest.param(by_aiohttp, id="aiohttp"),
        pytest.param(by_requests, id="requests"),
    ],
)
def test_chunk_boundaries(read):
    """A stream that is cut inside of lines, and of the bytes of one character, reaches the caller in these chunks."""
    chunks = read()

    assert [*UNEVEN] == [len(chunk) for chunk in chunks[:4]]
    assert (b"\xc3", b"\xb8") == (chunks[4][-1:], chunks[5][:1])
    assert b"".join(chunks).endswith(b"data: [DONE]\n\n")
