"""The circuit of a provider that fails again and again, as data: time is what is handed in."""

import json
import pickle
import threading

import pytest

from llm_gateway import GatewayConfig, SyncLLMClient
from llm_gateway.client import flows
from llm_gateway.client.breaker import Breaker
from llm_gateway.exceptions import CircuitOpenError, ErrorKind, ProviderError
from llm_gateway.flow.steps import Now, Send, Sleep
from llm_gateway.providers import openai
from llm_gateway.types import ChatReply, TextPart, TokenUsage, WireReply


def failure(kind: ErrorKind = "server"):
    return ProviderError(f"openai answered badly: {kind}", kind=kind, provider="openai")


def opened(most=3, pause_s=30.0):
    breaker = Breaker(most, pause_s)
    for _ in range(most):
        breaker.failed(failure(), 100.0)
    return breaker


def test_it_opens_after_failures_in_a_row():
    """One answer in between begins the count again."""
    breaker = Breaker(3, 30.0)
    for _ in range(2):
        breaker.failed(failure(), 100.0)
    breaker.answered()
    for _ in range(2):
        breaker.failed(failure("overloaded"), 100.0)

    assert "closed" == breaker.state(100.0)
    breaker.failed(failure("timeout"), 100.0)
    assert ["open", "open", "half_open"] == [breaker.state(at) for at in (100.0, 129.9, 130.0)]


@pytest.mark.parametrize("kind", ["auth", "invalid_request", "rate_limited", "quota_exhausted", "content_filter"])
def test_a_refusal_is_no_failure(kind):
    """The provider answered, so it is available."""
    breaker = Breaker(2, 30.0)
    for one in ("server", kind, "connection"):
        breaker.failed(failure(one), 100.0)

    assert "closed" == breaker.state(100.0)


def test_what_the_user_reads():
    """How many failed and how, when to try again, and what to set; it pickles."""
    with pytest.raises(CircuitOpenError) as caught:
        opened().admit("openai", 110.0)

    assert (
        "openai was not called: its last 3 attempts failed\n"
        "  the last one: openai answered badly: server\n"
        "  try again in 20 s, name a model that answers instead (LLM_FALLBACK_MODELS), or raise LLM_CIRCUIT_FAILURES"
    ) == str(caught.value)
    assert ("overloaded", True, 20.0, 3) == (
        caught.value.kind,
        caught.value.is_retryable,
        caught.value.retry_after_s,
        caught.value.failures,
    )
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


@pytest.mark.parametrize("is_mended", [True, False])
def test_after_the_pause_one_attempt_decides(is_mended):
    """The others wait for it; one that never comes back is followed by another after a second pause."""
    breaker = opened()
    breaker.admit("openai", 130.0)
    with pytest.raises(CircuitOpenError):
        breaker.admit("openai", 130.1)
    if is_mended:
        breaker.answered()
        breaker.admit("openai", 130.2)
    else:
        breaker.failed(failure(), 131.0)
        assert ["open", "half_open"] == [breaker.state(at) for at in (160.9, 161.0)]
    lost = opened()
    lost.admit("openai", 130.0)
    lost.admit("openai", 160.0)


def test_of_many_threads_one_is_let_through():
    """And failures of all are counted."""
    breaker, passed = opened(most=64), []

    def go():
        try:
            breaker.admit("openai", 130.0)
        except CircuitOpenError:
            return
        passed.append(1)

    threads = [threading.Thread(target=go) for _ in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert [1] == passed


@pytest.fixture
def client():
    """Its own model and a fallback at another address."""
    return SyncLLMClient(
        GatewayConfig(
            provider="openai",
            api_key="k",
            model="gpt-5-mini",
            circuit_failures=2,
            max_retries=5,
            providers={"groq": {"api_key": "g"}},
            fallback_models=("groq:llama-3.1-8b-instant",),
            cross_provider_fallback=True,
        )
    )


def good(text):
    reply = ChatReply((TextPart(text),), "m", "id", "end_turn", TokenUsage(3, 4))
    return WireReply(200, (), json.dumps(openai.openai_chat.DIALECT.encode_reply(reply)).encode())


def chat(client, replies, at):
    """Where a chat was sent, how often it waited, and what came."""
    call, request = client._start_call(), client._build_request("hi")
    flow, sent, waits, value = flows.chat(call, request), [], 0, None
    try:
        while True:
            step = flow.send(value)
            if isinstance(step, Send):
                sent.append(step.request.url.split("/")[2])
            waits += isinstance(step, Sleep)
            value = replies[sent[-1]] if isinstance(step, Send) else at if isinstance(step, Now) else None
    except StopIteration as done:
        return sent, waits, done.value


def test_an_open_circuit_lets_the_fallback_go_on_at_once(client):
    """Within a call no more attempts are made, and the next call does not even try, until the pause is over."""
    broken = {"api.openai.com": WireReply(503, (), b"{}"), "api.groq.com": good("yes")}
    ours, theirs = "api.openai.com", "api.groq.com"

    sent, waits, response = chat(client, broken, 100.0)
    assert ([ours, ours, theirs], 1, "yes") == (sent, waits, response.content)
    assert ([theirs], 0) == chat(client, broken, 101.0)[:2]
    assert ([theirs], 0) == chat(client.with_options(session_id="same breakers"), broken, 102.0)[:2]
    assert ([ours, theirs], 0) == chat(client, broken, 131.0)[:2]
    assert ([ours], 0) == chat(client, {ours: good("yes")}, 162.0)[:2]
    assert ([ours], 0) == chat(client, {ours: good("yes")}, 162.0)[:2]


def test_without_the_setting_there_is_none():
    """Failing fast helps where something else can answer; otherwise it loses calls that a retry would have saved."""
    assert SyncLLMClient(GatewayConfig(provider="openai", api_key="k"))._start_call().breaker is None
