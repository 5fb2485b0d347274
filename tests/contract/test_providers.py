"""What single providers do in their own way, and what happens around a call: over real sockets and a real process."""

import asyncio
import contextlib
import re

import pytest
from every_provider import BY_SDK, GOOGLE, HTTP, Custom, client, sdk, sdk_of, variables

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import ConfigError, ProviderError
from llm_gateway.interception.use_cassette import use_cassette


@pytest.fixture
def client_of(api, claude):
    """A client by name and colour."""

    def make(name, colour, **settings):
        for variable, value in variables(name).items():
            claude.setenv(variable, value)
        return client(name, api.url, colour, **settings)

    return make


def run(client, work):
    """Do *work*, a function of a client, in the client's own colour; `ask` awaits what an async client returns."""
    if isinstance(client, SyncLLMClient):
        with client, sdk(client):
            return work(client)

    async def go():
        async with client, sdk(client):
            result = work(client)
            return await result if asyncio.iscoroutine(result) else result

    return asyncio.run(go())


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", ["openai", *BY_SDK, "litellm"])
def test_a_refused_connection(name, colour, client_of, api):
    """By each way to send; names the address and what to check."""
    made = client_of(name, colour)
    api.shutdown()
    api.server_close()
    with pytest.raises(ProviderError, match=r"cannot reach (127\.0\.0\.1|litellm)") as error:
        run(made, lambda llm: llm.chat("hello"))
    assert "connection" == error.value.kind
    assert "LLM_BASE_URL" in str(error.value)


@pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
def test_a_command_that_hangs_is_stopped(colour, client_of, claude):
    """After the client's time limit, in chat and in a stream."""
    claude.setenv("STAND_IN", "hangs")
    claude.setenv("LLM_TIMEOUT_S", "0.8")  # longer than a command takes to start

    async def read(llm):
        return [delta async for delta in llm.stream("hello")]

    by_stream = read if colour is LLMClient else lambda llm: list(llm.stream("hello"))
    for work, words in (
        (lambda llm: llm.chat("hello"), "did not end within 0.8 s"),
        (by_stream, "wrote nothing of an answer within 0.8 s"),
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


def test_an_unknown_model_offers_the_nearest(client_of, api):
    """As the provider refuses it, names that it may have meant."""
    api.statuses = [404]
    with pytest.raises(ProviderError, match="did you mean 'claude-haiku-4-5'"):
        run(client_of("anthropic", SyncLLMClient, model="claude-haiku-4-6x"), lambda llm: llm.chat("hello"))


def test_retries_wait_as_asked_and_are_on_the_response(api):
    """Each attempt has its status; one that was not answered costs nothing."""
    api.statuses = [429, 429]
    config = GatewayConfig(provider="openai", api_key="k", base_url=f"{api.url}/v1", max_retries=2)
    response = run(SyncLLMClient(config), lambda llm: llm.chat("hello"))
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
    with pytest.raises(ConfigError, match="Client cannot send through") as error:
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
    assert (name, row) == ((record := cassette.calls[0]).provider, (record.price or {}).get("model"))
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
