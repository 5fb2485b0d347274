"""Behaviour of single providers, and of calls in general, over real sockets and with a real process."""

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
    """Return a function that makes a client of a provider."""

    def make(name, client_class, **settings):
        for variable, value in variables(name).items():
            claude.setenv(variable, value)
        return client(name, api.url, client_class, **settings)

    return make


def run(client, call):
    """Return the result of *call*, a function of a sync or async client, and close the client."""
    if isinstance(client, SyncLLMClient):
        with client, sdk(client):
            return call(client)

    async def go():
        async with client, sdk(client):
            result = call(client)
            return await result if asyncio.iscoroutine(result) else result

    return asyncio.run(go())


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
@pytest.mark.parametrize("name", ["openai", *BY_SDK, "litellm"])
def test_refused_connection_names_the_address(name, client_class, client_of, api):
    """The error has the setting to check, whichever transport sent the request."""
    made = client_of(name, client_class)
    api.shutdown()
    api.server_close()
    with pytest.raises(ProviderError, match=r"cannot reach (127\.0\.0\.1|litellm)") as error:
        run(made, lambda llm: llm.chat("hello"))
    assert "connection" == error.value.kind
    assert "LLM_BASE_URL" in str(error.value)


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_hanging_command_is_stopped(client_class, client_of, claude):
    """It ends after timeout_s, in a chat and in a stream."""
    claude.setenv("STUB_CLAUDE", "hangs")
    claude.setenv("LLM_TIMEOUT_S", "0.8")  # longer than a command takes to start

    async def read(llm):
        return [delta async for delta in llm.stream("hello")]

    by_stream = read if client_class is LLMClient else lambda llm: list(llm.stream("hello"))
    for call, message in (
        (lambda llm: llm.chat("hello"), "did not end within 0.8 s"),
        (by_stream, "wrote nothing of an answer within 0.8 s"),
    ):
        with pytest.raises(ProviderError) as error:
            run(client_of("local_claude", client_class), call)
        assert f"{message} and was stopped" in str(error.value)
        assert "raise timeout_s (LLM_TIMEOUT_S)" in str(error.value)


@pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
def test_missing_command_names_the_install_command(client_class, claude, tmp_path):
    """The error has the npm command to type."""
    claude.setenv("PATH", str(tmp_path))
    with pytest.raises(ProviderError, match="cannot run 'claude'") as error:
        run(client_class(provider="local_claude"), lambda llm: llm.chat("hello"))
    assert "npm install -g @anthropic-ai/claude-code" in str(error.value)


def test_unknown_model_error_suggests_the_nearest(client_of, api):
    """A status of 404 names a model that may have been meant."""
    api.statuses = [404]
    with pytest.raises(ProviderError, match="did you mean 'claude-haiku-4-5'"):
        run(client_of("anthropic", SyncLLMClient, model="claude-haiku-4-6x"), lambda llm: llm.chat("hello"))


def test_retried_attempts_are_on_the_response(api):
    """Each attempt has its error; failed ones add no tokens."""
    api.statuses = [429, 429]
    config = GatewayConfig(provider="openai", api_key="k", base_url=f"{api.url}/v1", max_retries=2)
    response = run(SyncLLMClient(config), lambda llm: llm.chat("hello"))
    assert ["rate_limited", "rate_limited", None] == [one.error for one in response.attempts]
    assert 18 == response.usage.total_tokens


def test_stream_closed_early_counts_its_input_tokens(client_of):
    """The input was billed, however little of the reply was read."""
    client = client_of("anthropic", SyncLLMClient)
    with client, client.stream("hello") as stream:
        next(iter(stream))
    assert 11 == client.cost_summary()[f"anthropic:{client.model}"]["input_tokens"]


def test_custom_provider_is_closed_with_the_client():
    """Sync and async clients close it once."""
    for client_class in (SyncLLMClient, LLMClient):
        provider = Custom()
        run(client_class(provider_instance=provider), lambda llm: None)
        assert 1 == provider.closed


def test_stream_is_an_iterator_and_keeps_its_response(client_of):
    """Deltas come one at a time; a second pass is empty and leaves the response alone."""
    with client_of("anthropic", SyncLLMClient) as client:
        stream = client.stream("hello")
        assert "HEL" == next(stream).text
        assert "LO" == "".join(delta.text for delta in stream)
        assert [] == list(stream)
    assert "HELLO" == stream.response.content


@pytest.mark.parametrize(("client_class", "other"), [(SyncLLMClient, LLMClient), (LLMClient, SyncLLMClient)])
def test_sync_client_rejects_async_sdk_client_and_vice_versa(client_class, other, api):
    """The error names the client class to use, and nothing is sent."""
    provider = sdk_of("openai", api.url, other)
    with pytest.raises(ConfigError, match="Client cannot send through") as error:
        reply = client_class(provider_instance=provider).chat("hello")
        asyncio.run(reply)  # an async client sends when it is awaited
    assert f"use {other.__name__}" in str(error.value)
    assert [] == api.requests


@pytest.mark.parametrize("body", [b"[]", b"null", b'{"content": 5, "choices": 7, "output": 3}', b'{"usage": []}'])
@pytest.mark.parametrize("name", [*HTTP, *GOOGLE, "bedrock", "cohere"])
def test_malformed_reply_raises_provider_error_or_is_empty(name, body, client_of, api):
    """No other exception is raised for valid JSON of an unexpected form."""
    api.statuses = [body]
    outcome = ""
    with contextlib.suppress(ProviderError):
        outcome = run(client_of(name, SyncLLMClient), lambda llm: llm.chat("hello")).content
    assert "" == outcome


def test_unsupported_option_is_rejected_before_sending(client_of, api):
    """The error names the environment variable that may have set it."""
    with pytest.raises(ProviderError, match="anthropic takes no temperature") as error:
        run(client_of("anthropic", SyncLLMClient), lambda llm: llm.chat("hello", temperature=0.5))
    assert "unset LLM_TEMPERATURE" in str(error.value)
    assert [] == api.requests


@pytest.mark.parametrize("name", [*HTTP, *GOOGLE])
def test_recorded_stream_replays_with_usage_and_cost(name, client_of, tmp_path):
    """They are the same as in the recording, though the client stops reading at the format's last event."""

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
def test_provider_at_an_unknown_address_keeps_its_price(name, model, row, client_of, tmp_path):
    """Live, recorded and replayed costs agree; an unknown server's cost is None."""

    def cost():
        return run(client_of(name, SyncLLMClient, model=model), lambda llm: llm.chat("hello")).cost_usd

    live = cost()
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        assert live == cost()
    with use_cassette(tmp_path / "a.yaml"):
        assert live == cost()
    assert (name, row) == ((record := cassette.calls[0]).provider, (record.price or {}).get("model"))
    assert row is not None or live is None


def test_replay_reports_the_recorded_cost(client_of, tmp_path):
    """Today's price list does not change it."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        run(client_of("openai", SyncLLMClient), lambda llm: llm.chat("hello"))
    text = (tmp_path / "a.yaml").read_text()
    (tmp_path / "a.yaml").write_text(re.sub("cost_usd: .*", "cost_usd: '9.99'", text))
    with use_cassette(tmp_path / "a.yaml"):
        response = run(client_of("openai", SyncLLMClient), lambda llm: llm.chat("hello"))
    assert "9.99" == str(response.cost_usd)


def test_signed_requests_replay_with_any_credentials(client_of, api, tmp_path, monkeypatch):
    """AWS signatures and dates are neither compared nor stored."""

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


def test_stub_server_rejects_a_wrong_signature(client_of, api, monkeypatch):
    """The other tests with signed requests therefore prove that signatures are right."""
    client = client_of("bedrock signed", SyncLLMClient)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    wrong = SyncLLMClient(provider="bedrock", base_url=api.url)
    with pytest.raises(ProviderError, match=r"bedrock answered 403 for 'global\.anthropic\.claude-haiku") as error:
        run(wrong, lambda llm: llm.chat("hello"))
    assert "permission" == error.value.kind
    assert "HELLO" == run(client, lambda llm: llm.chat("hello", model="arn:aws:bedrock:us-east-1::a/b c.é")).content
