"""Sessions and derived clients."""

import asyncio
from decimal import Decimal

import pytest

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient, register_provider, registry
from llm_gateway.exceptions import ConfigError, UnknownProviderError
from llm_gateway.types import ChatReply, LLMResponse, TextPart, TokenUsage

CLIENTS = pytest.mark.parametrize("make", [SyncLLMClient, LLMClient])


class Mine:
    """A provider whose answers have a cost."""

    name = "mine"
    default_model = "m-1"

    def __init__(self, cost="0.10"):
        self.cost_usd, self.closed = None if cost is None else Decimal(cost), 0

    async def complete(self, messages, response_model=None):
        reply = ChatReply((TextPart("yes"),), "m-1", usage=TokenUsage(3, 4), cost_usd=self.cost_usd)
        return LLMResponse("yes", "mine", "m-1", reply=reply)

    async def close(self):
        self.closed += 1


def done(value):
    """Return *value*, awaited where it is a coroutine."""
    return asyncio.run(value) if asyncio.iscoroutine(value) else value


@CLIENTS
def test_what_a_session_cost(make):
    """The client's own, or the one that a call names; a session without calls cost nothing."""
    client = make(provider_instance=Mine(), session_id="a")
    responses = [done(client.chat("hi", session_id=name)) for name in (None, "b", "b")]

    assert ["a", "b", "b"] == [one.attempts[0].session_id for one in responses]
    assert [Decimal("0.10"), Decimal("0.20"), 0] == [client.get_session_cost(name) for name in (None, "b", "c")]
    assert Decimal("0.30") == client.total_cost_usd


def test_a_session_of_unknown_cost():
    """Is not known, and takes no other session with it."""
    client = SyncLLMClient(provider_instance=Mine(None))
    client.chat("hi", session_id="a")

    assert (None, 0) == (client.get_session_cost("a"), client.get_session_cost("b"))


def test_a_session_has_to_be_named():
    """The error shows what to write."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(provider_instance=Mine()).get_session_cost()

    assert (
        "no session was named\n"
        "  the client was made without a session_id\n"
        '  say which: llm.get_session_cost("..."), or make the client with session_id="..."'
    ) == str(caught.value)


@CLIENTS
def test_a_derived_client_shares_its_resources(make):
    """Totals, connections and observers; the first client is unchanged."""
    one = make(provider_instance=Mine(), session_id="a", observers=[type("Deaf", (), {"observe": print})()])
    other = one.with_options(model="m-2", session_id="b")
    done(other.chat("hi"))

    assert type(one) is type(other)
    assert ("m-1", "a", 0, "m-2", "b", 1) == tuple(
        value for client in (one, other) for value in (client.model, client.session_id, client.call_count)
    )
    assert one.cost_tracker is other.cost_tracker
    assert one._transport is other._transport
    assert one._observers is other._observers
    assert one.provider is other.provider
    assert Decimal("0.10") == one.total_cost_usd == one.get_session_cost("b")


@CLIENTS
def test_closing_a_derived_client_leaves_the_first_open(make):
    """Its provider as well; a provider of the derived client alone is closed."""
    one = make(provider_instance=Mine())
    register_provider("theirs", lambda config: Mine())
    try:
        derived, theirs = one.with_options(model="m-2"), one.with_options(provider="theirs")
    finally:
        registry._registered.clear()
    done(derived.close())
    done(theirs.close())
    assert (0, 1) == (one.provider.closed, theirs.provider.closed)

    done(one.close())
    assert (1, 1) == (one.provider.closed, theirs.provider.closed)


@pytest.fixture
def openai(monkeypatch):
    monkeypatch.setenv("GROQ_API_KEY", "g")
    settings = {"base_url": "http://proxy.example", "fallback_models": ("gpt-5-nano",)}
    return SyncLLMClient(GatewayConfig(provider="openai", api_key="k", model="gpt-5-mini", **settings))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("openai", "gpt-5-mini", 1)),
        ({"model": "gpt-5"}, ("openai", "gpt-5", 1)),
        ({"model": "openai:gpt-5"}, ("openai", "gpt-5", 1)),
        ({"model": "ft:gpt-5:acme"}, ("openai", "ft:gpt-5:acme", 1)),
        ({"model": "groq:llama3"}, ("groq", "llama3", 0)),
        ({"provider": "groq", "model": "llama3"}, ("groq", "llama3", 0)),
        ({"provider": "groq", "model": "groq:llama3"}, ("groq", "llama3", 0)),
    ],
)
def test_another_model_or_provider(given, expected, openai):
    """A name before a colon is a provider's if it is known."""
    other = openai.with_options(**given)

    assert expected == (other.provider.name, other.model, len(other._fallbacks))
    assert ("openai", "gpt-5-mini") == (openai.provider.name, openai.model)


def test_another_provider_has_its_own_key_address_and_model(openai):
    """What is set for one is not sent to another."""
    other = openai.with_options(provider="groq")
    sent = other.provider.auth.apply(other.provider.request(other._build_request("hi")))

    assert "https://api.groq.com/openai/v1/chat/completions" == sent.url
    assert "Bearer g" == dict(sent.headers)["authorization"]
    assert other.provider.default_model == other.model


def test_a_misspelt_provider_is_named(openai):
    """When the derived client is made."""
    with pytest.raises(UnknownProviderError, match="did you mean 'groq'"):
        openai.with_options(model="groqq:llama3")
