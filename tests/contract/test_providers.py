"""One contract for every provider, in both colours, over real sockets and a real process."""

import asyncio
import contextlib
import functools
import json
import re

import anthropic
import openai
import pytest
from pydantic import BaseModel
from router import Router

from llm_gateway import LLMClient, SyncLLMClient, Tool
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.session import use_cassette
from llm_gateway.config import GatewayConfig
from llm_gateway.exceptions import ConfigError, ProviderError, StructuredOutputError
from llm_gateway.providers import anthropic as anthropic_provider
from llm_gateway.providers import litellm as litellm_provider
from llm_gateway.providers import openai as openai_provider
from llm_gateway.types import ImagePart, LLMMessage, LLMResponse, TextPart, TokenUsage, ToolResult


class Answer(BaseModel):
    answer: str


def sdk_of(name, url, colour):
    """A provider that sends through a client of the official SDK."""
    is_async = colour is LLMClient
    config = GatewayConfig(api_key="k")
    if name == "anthropic":
        made = (anthropic.AsyncAnthropic if is_async else anthropic.Anthropic)(api_key="k", base_url=url)
        return anthropic_provider.provider(config, client=made)
    made = (openai.AsyncOpenAI if is_async else openai.OpenAI)(api_key="k", base_url=f"{url}/v1")
    factory = openai_provider.responses if name == "openai_responses" else openai_provider.provider
    return factory(config, client=made)


class Custom:
    """The least that a class of someone else's must have."""

    closed = 0

    async def complete(self, messages, response_model=None):
        await asyncio.sleep(0)
        asked = messages[-1].text
        content = asked.upper() if response_model is None else response_model(answer="forty-two")
        return LLMResponse(content, "custom", "model-1", usage=TokenUsage(11, 7))

    async def close(self):
        self.closed += 1


HTTP = ["anthropic", "openai", "openai_responses"]
GOOGLE = ["gemini", "vertex"]
HOSTS = ["azure", "azure deployments", "groq", "mistral", "ollama"]
BEDROCK = ["bedrock", "bedrock signed"]
OVER_HTTP = [*HTTP, "cohere", *GOOGLE, *HOSTS, *BEDROCK, *(f"{name} by its SDK" for name in HTTP)]
BY_OTHERS = [*OVER_HTTP, "litellm"]
EVERY = [*BY_OTHERS, "local_claude", "custom"]
SEEING = {"cohere": "command-a-vision-07-2025", "groq": "meta-llama/llama-4-scout-17b-16e-instruct"}
MODELS = {"azure": "my-deployment", "azure deployments": "my-deployment"}


@pytest.fixture
def client_of(api, claude, monkeypatch):
    """A client by name and colour."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    monkeypatch.setenv("AWS_REGION", "us-east-1")

    def make(name, colour, **settings):
        if name == "custom":
            return colour(provider_instance=Custom(), **settings)
        if name == "local_claude":
            return colour(provider=name, **settings)
        if name == "litellm":
            made = litellm_provider.provider(GatewayConfig(), client=Router(f"{api.url}/v1"))
            return colour(provider_instance=made, **{"model": "gpt-5-mini"} | settings)
        if name.endswith(" by its SDK"):
            return colour(provider_instance=sdk_of(name.split(" ")[0], api.url, colour), **settings)
        if name == "bedrock signed":
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "k")
            return colour(provider="bedrock", base_url=api.url, **settings)
        if name == "azure deployments":
            monkeypatch.setenv("LLM_API_VERSION", "2025-04-01-preview")
        if name == "vertex":
            monkeypatch.setenv("LLM_PROJECT", "my-project")
        at_root = ("anthropic", "azure", "bedrock", "cohere", "vertex")
        base = api.url if name.startswith(at_root) else f"{api.url}/v1"
        settings["model"] = settings.get("model") or MODELS.get(name)
        return colour(provider=name.split(" ")[0], api_key="k", base_url=base, **settings)

    return make


def run(client, work):
    """Do *work*, a function of a client, in the client's own colour; `ask` awaits what an async client returns."""
    sdk = getattr(client.provider, "client", None)
    sdk = getattr(sdk, "functions", sdk)  # what litellm is stood in for by
    if isinstance(client, SyncLLMClient):
        with client, sdk or contextlib.nullcontext():
            return work(client)

    async def go():
        async with client, sdk or contextlib.nullcontext():
            result = work(client)
            return await result if asyncio.iscoroutine(result) else result

    return asyncio.run(go())


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", EVERY)
class TestEveryProvider:
    """What holds for all."""

    def test_chat(self, name, colour, client_of):
        """Text, usage and totals."""
        client = client_of(name, colour, model="claude-haiku-4-5" if "anthropic" in name else None)
        response = run(client, lambda llm: llm.chat("hello"))
        assert "HELLO" == response.content
        assert (11, 7) == (response.usage.input_tokens, response.usage.output_tokens)
        assert 18 == client.total_tokens
        assert 1 == client.call_count
        assert 1 == len(response.attempts)

    def test_structured(self, name, colour, client_of):
        """A validated object."""
        response = run(client_of(name, colour), lambda llm: llm.complete("hello", response_model=Answer))
        assert Answer(answer="forty-two") == response.content

    def test_stream(self, name, colour, client_of):
        """Deltas add up to the text; the response with its usage is there afterwards."""
        client = client_of(name, colour)

        async def read(llm):
            stream = llm.stream("hello")
            return "".join([delta.text async for delta in stream]), stream.response

        def read_sync(llm):
            stream = llm.stream("hello")
            return "".join(delta.text for delta in stream), stream.response

        text, response = run(client, read if colour is LLMClient else read_sync)
        assert "HELLO" == text == response.content
        assert 18 == response.usage.total_tokens == client.total_tokens


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", BY_OTHERS)
class TestHttp:
    """What holds for all that speak HTTP, also where litellm does."""

    def test_tools(self, name, colour, client_of):
        """The model asks for a tool twice at once, and takes both results."""
        tool = Tool("weigh", "Weigh something", {"type": "object", "properties": {"what": {"type": "string"}}})
        client = client_of(name, colour)
        turn = [LLMMessage("user", (TextPart("weigh feathers lead"),))]

        def first(llm):
            return llm.chat(turn, tools=[tool])

        async def both(llm):
            asked = await llm.chat(turn, tools=[tool])
            return asked, await llm.chat(after(asked), tools=[tool])

        def after(asked):
            results = [LLMMessage("tool", (ToolResult(call.id, "1 kg"),)) for call in asked.tool_calls]
            return [*turn, asked.to_message(), *results]

        if colour is LLMClient:
            asked, done = run(client, both)
        else:
            asked, done = run(client, lambda llm: (one := first(llm), llm.chat(after(one), tools=[tool])))
        assert [{"what": "feathers"}, {"what": "lead"}] == [call.arguments for call in asked.tool_calls]
        assert "tool_use" == asked.stop_reason
        assert "done" == done.content

    def test_images(self, name, colour, client_of, api):
        """As bytes; and by address, or else such an image is refused before anything is sent."""
        here, there = ImagePart(b"\x89PNG", "image/png"), ImagePart(url="https://example.com/a.png")
        message, more = LLMMessage("user", (TextPart("look"), here)), LLMMessage("user", (there,))
        client_of = functools.partial(client_of, model=SEEING.get(name))
        assert "1 images" == run(client_of(name, colour), lambda llm: llm.chat([message])).content
        if name in BEDROCK:
            with pytest.raises(
                ProviderError, match=r"bedrock takes no image by address: 'https://example\.com/a\.png'\n"
            ) as error:
                run(client_of(name, colour), lambda llm: llm.chat([message, more]))
            assert "unsupported_param" == error.value.kind
            assert "fetch the image and give ImagePart(data=" in str(error.value)
            assert 1 == len(api.asked)
        else:
            assert "2 images" == run(client_of(name, colour), lambda llm: llm.chat([message, more])).content

    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, "invalid_request"),
            (401, "auth"),
            (403, "permission"),
            (404, "not_found"),
            (413, "invalid_request"),
            (429, "rate_limited"),
            (500, "server"),
            (503, "overloaded"),
            (529, "overloaded"),
        ],
    )
    def test_an_error_has_its_kind(self, status, kind, name, colour, client_of, api):
        """With the provider's own words, and no retry where the client allows none."""
        api.statuses = [status]
        with pytest.raises(ProviderError, match=f"answered {status} for .*: ") as error:
            run(client_of(name, colour), lambda llm: llm.chat("hello"))
        kinds = {kind} | ({"server"} if status == 503 else set())
        assert error.value.kind in kinds
        assert status == error.value.status
        assert 1 == len(api.asked)

    def test_an_error_inside_a_stream(self, name, colour, client_of, api):
        """Says how far it got, and keeps the usage so far."""
        api.error_after = 1 if name in GOOGLE else 5 if name.startswith("openai_r") else 4

        async def read(llm):
            return [delta async for delta in llm.stream("hello")]

        with pytest.raises(ProviderError, match=r"stream broke after .* characters: overloaded") as error:
            run(client_of(name, colour), read if colour is LLMClient else lambda llm: list(llm.stream("hello")))
        assert ("server" if name == "cohere" else "overloaded") == error.value.kind  # Cohere has no word for it

    def test_a_refused_connection(self, name, colour, client_of, api):
        """Names the address and what to check."""
        client = client_of(name, colour)
        api.shutdown()
        api.server_close()
        with pytest.raises(ProviderError, match=r"cannot reach (127\.0\.0\.1|litellm)") as error:
            run(client, lambda llm: llm.chat("hello"))
        assert "connection" == error.value.kind
        assert "LLM_BASE_URL" in str(error.value)

    def test_truncated_structured_output(self, name, colour, client_of):
        """Fails with the limit as its cause; what was used counts."""
        client = client_of(name, colour)
        with pytest.raises(StructuredOutputError, match="ended early: max_tokens") as error:
            run(client, lambda llm: llm.complete("cut off", response_model=Answer))
        assert "raise max_tokens" in str(error.value)
        assert 18 == error.value.usage.total_tokens == client.total_tokens

    def test_invalid_structured_output_is_asked_again(self, name, colour, client_of, api):
        """The second question carries what was wrong; both answers count."""
        response = run(client_of(name, colour), lambda llm: llm.complete("wrong shape", response_model=Answer))
        assert Answer(answer="forty-two") == response.content
        assert 36 == response.usage.total_tokens
        assert "does not fit the schema: answer: Field required" in json.dumps(api.asked[-1])


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", OVER_HTTP)
class TestBytes:
    """What holds where the bytes of replies are read here; litellm takes what it gets for an answer, or says so."""

    def test_a_cut_stream(self, name, colour, client_of, api):
        """A stream without its end is no answer."""
        api.cut_after = 2 if name in GOOGLE else 4

        async def read(llm):
            return [delta async for delta in llm.stream("hello")]

        with pytest.raises(ProviderError, match="stream"):
            run(client_of(name, colour), read if colour is LLMClient else lambda llm: list(llm.stream("hello")))

    def test_junk_instead_of_json(self, name, colour, client_of, api):
        """A gateway's page in between is said to be that."""
        api.statuses = [b"<html>"]
        with pytest.raises(ProviderError, match="something that is no JSON\n  <html>"):
            run(client_of(name, colour), lambda llm: llm.chat("hello"))


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize(
    ("behaviour", "words", "kind"),
    [
        ("junk", "not json at all", "process"),
        ("fails", "error: unknown option\n  it ended with exit code 1", "process"),
        ("killed", "it ended with exit code -9", "process"),
        ("401", "Invalid API key\n  it ended with exit code 1\n  run `claude` once", "auth"),
    ],
)
def test_a_command_that_goes_wrong(behaviour, words, kind, colour, client_of, claude):
    """Chat and stream say the same."""
    claude.setenv("STAND_IN", behaviour)

    async def read(llm):
        return [delta async for delta in llm.stream("hello")]

    for work in (lambda llm: llm.chat("hello"), read if colour is LLMClient else lambda llm: list(llm.stream("hello"))):
        with pytest.raises(ProviderError) as error:
            run(client_of("local_claude", colour), work)
        assert words in str(error.value)
        assert kind == error.value.kind


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_a_command_that_hangs_is_stopped(colour, client_of, claude):
    """After the client's time limit, in chat and in a stream."""
    claude.setenv("STAND_IN", "hangs")
    claude.setenv("LLM_TIMEOUT_S", "0.3")

    async def read(llm):
        return [delta async for delta in llm.stream("hello")]

    by_stream = read if colour is LLMClient else lambda llm: list(llm.stream("hello"))
    for work, words in (
        (lambda llm: llm.chat("hello"), "did not end within 0.3 s"),
        (by_stream, "wrote nothing of an answer within 0.3 s"),
    ):
        with pytest.raises(ProviderError) as error:
            run(client_of("local_claude", colour), work)
        assert f"{words} and was stopped" in str(error.value)
        assert "raise timeout_s (LLM_TIMEOUT_S)" in str(error.value)


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_a_missing_command_says_how_to_get_it(colour, claude, tmp_path):
    """The command to type."""
    claude.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="cannot run 'claude'") as error:
        run(colour(provider="local_claude"), lambda llm: llm.chat("hello"))
    assert "npm install -g @anthropic-ai/claude-code" in str(error.value)


def test_what_the_command_cannot_do_is_refused():
    """Before anything is run."""
    with pytest.raises(ProviderError, match="takes no temperature\n  it has no option for that") as error:
        SyncLLMClient(provider="local_claude").chat("hello", temperature=0.5)
    assert "unsupported_param" == error.value.kind


def test_an_unknown_model_offers_the_nearest(client_of, api):
    """As the provider refuses it, names that it may have meant."""
    api.statuses = [404]
    with pytest.raises(ProviderError, match="did you mean 'claude-haiku-4-5'"):
        run(client_of("anthropic", SyncLLMClient, model="claude-haiku-4-6x"), lambda llm: llm.chat("hello"))


def test_retries_wait_as_asked_and_are_on_the_response(client_of, api, monkeypatch):
    """Each attempt has its status; one that was not answered costs nothing."""
    monkeypatch.setenv("LLM_MAX_RETRIES", "2")
    api.statuses = [429, 429]
    response = run(client_of("openai", SyncLLMClient), lambda llm: llm.chat("hello"))
    assert ["rate_limited", "rate_limited", None] == [one.error for one in response.attempts]
    assert 18 == response.usage.total_tokens


def test_a_stream_that_is_left_counts_what_it_used(client_of):
    """The input was paid for, however little was read."""
    client = client_of("anthropic", SyncLLMClient)
    with client, client.stream("hello") as stream:
        next(iter(stream))
    assert 11 == client.cost_summary()[f"anthropic:{client.model}"]["input_tokens"]


def test_a_custom_provider_is_closed_with_the_client():
    """By either colour."""
    for colour in (SyncLLMClient, LLMClient):
        provider = Custom()
        run(colour(provider_instance=provider), lambda llm: None)
        assert 1 == provider.closed


def test_a_stream_is_an_iterator_and_keeps_its_response(client_of):
    """One delta at a time, and a second pass brings nothing and takes nothing away."""
    with client_of("anthropic", SyncLLMClient) as client:
        stream = client.stream("hello")
        assert "HEL" == next(stream).text
        assert "LO" == "".join(delta.text for delta in stream)
        assert [] == list(stream)
    assert "HELLO" == stream.response.content


@pytest.mark.parametrize(("colour", "other"), [(SyncLLMClient, LLMClient), (LLMClient, SyncLLMClient)])
def test_an_sdk_client_of_the_other_colour_is_refused(colour, other, api):
    """Before anything is sent, and it says which one to use."""
    provider = sdk_of("openai", api.url, other)
    with pytest.raises(ConfigError, match="client of the other colour") as error:
        asked = colour(provider_instance=provider).chat("hello")
        asyncio.run(asked)  # an async client asks when it is awaited
    assert f"use {other.__name__}" in str(error.value)
    assert [] == api.asked


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"content": 5, "choices": 7, "output": 3}', b'{"usage": []}'])
@pytest.mark.parametrize("name", [*HTTP, *GOOGLE, "bedrock", "cohere"])
def test_a_reply_of_another_shape_is_an_error_or_empty(name, body, client_of, api):
    """Never a traceback of ours."""
    api.statuses = [body]
    outcome = ""
    with contextlib.suppress(ProviderError):
        outcome = run(client_of(name, SyncLLMClient), lambda llm: llm.chat("hello")).content
    assert "" == outcome


@pytest.mark.parametrize("name", [*HTTP, *GOOGLE, "bedrock", "cohere"])
def test_junk_inside_a_stream_is_an_error(name, client_of, api):
    """With the junk as its cause."""
    api.junk = b'data: {"choices": 5, "type": 7\n\n'
    with pytest.raises(ProviderError, match=r"its format does not know|stream broke"):
        run(client_of(name, SyncLLMClient), lambda llm: list(llm.stream("hello")))


def test_what_the_api_refuses_is_refused_before_it_is_sent(client_of, api):
    """With the variable that may have set it."""
    with pytest.raises(ProviderError, match="anthropic takes no temperature") as error:
        run(client_of("anthropic", SyncLLMClient), lambda llm: llm.chat("hello", temperature=0.5))
    assert "unset LLM_TEMPERATURE" in str(error.value)
    assert [] == api.asked


@pytest.mark.parametrize("name", [*HTTP, *GOOGLE])
def test_a_recorded_stream_replays_with_its_usage_and_cost(name, client_of, tmp_path):
    """Though the client stops reading at the end that the format has."""

    def read(llm):
        stream = llm.stream("hello")
        return "".join(delta.text for delta in stream), stream.response

    found = []
    for mode in (Mode.RECORD, Mode.REPLAY):
        with use_cassette(tmp_path / "a.yaml", mode):
            text, response = run(client_of(name, SyncLLMClient), read)
        found.append((text, response.usage, response.cost_usd))
    assert found[0] == found[1]
    assert ("HELLO", 18) == (found[1][0], found[1][1].total_tokens)
    assert found[1][2] is not None


@pytest.mark.parametrize(
    ("name", "model", "row"),
    [
        ("groq", "llama-3.1-8b-instant", "groq:llama-3.1-8b-instant"),
        ("azure", "gpt-4o", "azure:gpt-4o"),
        ("ollama", "llama3.2", "llama3.2"),
        ("compatible", "gpt-5-mini", None),
    ],
)
def test_a_provider_behind_an_unknown_address_has_its_own_price(name, model, row, client_of, tmp_path):
    """Live, in the recording and in its replay; nobody knows what an unknown server costs."""

    def cost():
        return run(client_of(name, SyncLLMClient, model=model), lambda llm: llm.chat("hello")).cost_usd

    live = cost()
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        assert live == cost()
    with use_cassette(tmp_path / "a.yaml"):
        assert live == cost()
    assert (name, row) == ((metering := cassette.calls[0].metering).provider, (metering.price or {}).get("model"))
    assert row is not None or live is None


def test_what_a_replay_costs_is_what_was_recorded(client_of, tmp_path):
    """Whatever the price list says today."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        run(client_of("openai", SyncLLMClient), lambda llm: llm.chat("hello"))
    text = (tmp_path / "a.yaml").read_text()
    (tmp_path / "a.yaml").write_text(re.sub("cost_usd: .*", "cost_usd: '9.99'", text))
    with use_cassette(tmp_path / "a.yaml"):
        response = run(client_of("openai", SyncLLMClient), lambda llm: llm.chat("hello"))
    assert "9.99" == str(response.cost_usd)


def test_what_was_signed_replays_with_any_credentials(client_of, api, tmp_path, monkeypatch):
    """A signature and its date are neither compared nor kept; streams come back frame by frame."""

    def both(llm):
        stream = llm.stream("hello")
        return llm.chat("hello").content, "".join(delta.text for delta in stream), stream.response.usage

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = run(client_of("bedrock signed", SyncLLMClient), both)
    api.shutdown()
    api.server_close()
    replayed = []
    for name in ("bedrock", "bedrock signed"):
        with use_cassette(tmp_path / "a.yaml"):
            replayed.append(run(client_of(name, SyncLLMClient), both))
    text = (tmp_path / "a.yaml").read_text().lower()

    assert [live, live] == replayed
    assert [] == [word for word in ("authorization", "amz-date", "signature", "akiaexample") if word in text]


def test_a_wrong_signature_is_refused_by_the_stand_in(client_of, api, monkeypatch):
    """So that the right ones above say something."""
    client = client_of("bedrock signed", SyncLLMClient)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    wrong = SyncLLMClient(provider="bedrock", base_url=api.url)
    with pytest.raises(ProviderError, match=r"bedrock answered 403 for 'global\.anthropic\.claude-haiku") as error:
        run(wrong, lambda llm: llm.chat("hello"))
    assert "permission" == error.value.kind
    assert "HELLO" == run(client, lambda llm: llm.chat("hello", model="arn:aws:bedrock:us-east-1::a/b c.é")).content
