"""Fallbacks: which model is called next, and when none is."""

import dataclasses
import json
import logging
import pickle

import pytest
from pydantic import BaseModel

from llm_gateway import GatewayConfig, SyncLLMClient
from llm_gateway.client import flows
from llm_gateway.exceptions import AllFallbacksFailedError, ConfigError, ProviderError, UnknownProviderError
from llm_gateway.flow.steps import Emit, Head, Now, Open, Read, Send, Sleep
from llm_gateway.types import WireReply


def good(text):
    message = {"role": "assistant", "content": text}
    body = {"choices": [{"message": message, "finish_reason": "stop"}], "usage": {"prompt_tokens": 3}}
    return WireReply(200, (), json.dumps(body).encode())


def bad(status, *headers, **error):
    return WireReply(status, headers, json.dumps({"error": {"message": "no", **error}}).encode())


def played(flow, replies):
    """Return the steps of *flow*, its requests answered by *replies* in turn, and its result."""
    steps, replies = [], list(replies)
    step = next(flow)
    try:
        while True:
            steps.append(step)
            step = flow.send(replies.pop(0) if isinstance(step, Send) else 0.0 if isinstance(step, Now) else None)
    except StopIteration as done:
        return steps, done.value


@pytest.fixture
def client(monkeypatch):
    """A client of OpenAI with two more models, one of them Groq's."""
    monkeypatch.setenv("GROQ_API_KEY", "g")

    def make(*models, **settings):
        config = GatewayConfig(
            provider="openai",
            model="gpt-5-mini",
            api_key="k",
            max_retries=0,
            fallback_models=models or ("gpt-5-nano", "groq:llama-3.1-8b-instant"),
            cross_provider_fallback=True,
            **settings,
        )
        return SyncLLMClient(config)

    return make


def called(client, replies, **options):
    """Return the hosts and models that were called, and the response."""
    steps, response = played(flows.chat(client._start_call(), client._build_request("hi", **options)), replies)
    sent = [step.request for step in steps if isinstance(step, Send)]
    return [(one.url.split("/")[2], one.body.split(b'"model": "')[1].split(b'"')[0].decode()) for one in sent], response


def test_the_next_model_answers(client, caplog):
    """The response has its name and all attempts; each fallback is logged."""
    with caplog.at_level(logging.WARNING, "llm_gateway.fallback"):
        sent, response = called(client(), [bad(503), bad(529), good("yes")])

    assert [
        ("api.openai.com", "gpt-5-mini"),
        ("api.openai.com", "gpt-5-nano"),
        ("api.groq.com", "llama-3.1-8b-instant"),
    ] == sent
    assert ("groq", "yes") == (response.provider, response.content)
    assert [("openai", 503), ("openai", 529), ("groq", 200)] == [
        (one.provider, one.status) for one in response.attempts
    ]
    assert [
        "openai answered 503 for 'gpt-5-mini': no, trying openai:gpt-5-nano",
        "openai answered 529 for 'gpt-5-nano': no, trying groq:llama-3.1-8b-instant",
    ] == caplog.messages


def test_a_key_of_one_provider_goes_to_no_other(client):
    """The other has a variable of its own."""
    made = client("groq:llama-3.1-8b-instant")
    call = made._start_call()
    steps, _ = played(flows.chat(call, made._build_request("hi")), [bad(503), good("yes")])
    keys = [dict(step.request.headers)["authorization"] for step in steps if isinstance(step, Send)]

    assert ["Bearer k", "Bearer g"] == keys


def test_a_wrong_request_is_sent_once(client):
    """Any other model would reject it too."""
    with pytest.raises(ProviderError) as caught:
        called(client(), [bad(400, type="invalid_request_error")])
    assert "invalid_request" == caught.value.kind
    assert not isinstance(caught.value, AllFallbacksFailedError)


@pytest.mark.parametrize("error", [{"type": "authentication_error"}, {"code": "insufficient_quota"}])
def test_a_rejected_account_is_retried_at_another_provider_only(error, client):
    """The provider's other models would reject it as well."""
    sent, _ = called(client(), [bad(429 if "code" in error else 401, **error), good("yes")])

    assert ["gpt-5-mini", "llama-3.1-8b-instant"] == [model for _, model in sent]


def test_when_none_answers_all_errors_are_listed(client):
    """The error has the attributes of the last one, and it pickles."""
    with pytest.raises(AllFallbacksFailedError) as caught:
        called(client(), [bad(503), bad(529), bad(429, ("retry-after", "9"))])

    assert (
        "none of 3 models answered\n"
        "  openai answered 503 for 'gpt-5-mini': no\n"
        "  openai answered 529 for 'gpt-5-nano': no\n"
        "  groq answered 429 for 'llama-3.1-8b-instant': no\n"
        "  call less often, or raise LLM_MAX_RETRIES"
    ) == str(caught.value)
    assert ("rate_limited", 9.0, 3) == (caught.value.kind, caught.value.retry_after_s, len(caught.value.errors))
    assert str(caught.value) == str(pickle.loads(pickle.dumps(caught.value)))


class Answer(BaseModel):
    answer: str


def test_a_corrected_answer_comes_from_the_same_model(client):
    """Not from the one that could not answer."""
    made = client()
    flow = flows.complete(
        made._start_call(Answer), made._build_request("hi", response_model=Answer), flows.adapter_for(Answer)
    )
    steps, response = played(flow, [bad(503), good('{"no": 1}'), good('{"answer": "a"}')])
    models = [step.request.body.split(b'"model": "')[1].split(b'"')[0] for step in steps if isinstance(step, Send)]

    assert [b"gpt-5-mini", b"gpt-5-nano", b"gpt-5-nano"] == models
    assert Answer(answer="a") == response.content


def test_no_attempt_begins_after_the_total_time(client):
    """A wait that would pass it is not begun either."""
    made = client("gpt-5-nano", total_timeout_s=1)
    call = dataclasses.replace(made._start_call(), max_retries=5)
    flow = flows.chat(call, made._build_request("hi"))
    waits, clock, step = [], 0.0, next(flow)
    with pytest.raises(ProviderError):
        while True:
            if isinstance(step, Sleep):
                waits.append(step.seconds)
                clock += step.seconds
            step = flow.send(bad(503) if isinstance(step, Send) else clock)

    assert sum(waits) < 1


def test_another_provider_has_to_be_allowed():
    """With what to type."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(GatewayConfig(provider="openai", api_key="k", fallback_models=("groq:x",)))
    assert (
        "'groq:x' cannot be a fallback for a model of openai\n  LLM_FALLBACK_MODELS names another provider\n"
        "  export LLM_CROSS_PROVIDER_FALLBACK=true, or name a model of the same provider"
    ) == str(caught.value)


def test_a_misspelt_provider_is_named():
    """Before any call."""
    with pytest.raises(UnknownProviderError, match="did you mean 'groq'"):
        SyncLLMClient(
            GatewayConfig(provider="openai", api_key="k", fallback_models=("groqq:x",), cross_provider_fallback=True)
        ).chat("hi")


def test_the_variable_holds_a_list(monkeypatch):
    """With commas between."""
    monkeypatch.setenv("LLM_FALLBACK_MODELS", "gpt-5-nano, groq:llama-3.1-8b-instant,")
    assert ("gpt-5-nano", "groq:llama-3.1-8b-instant") == GatewayConfig().fallback_models


def test_a_stream_falls_back_until_its_first_content(client):
    """Not after it: what was handed out cannot be taken back."""
    made = client()
    flow = flows.stream(made._start_call(), made._build_request("hi"))
    chunk = b'data: {"choices": [{"index": 0, "delta": {"content": "a"}}]}\n\n'
    heads, reads, opened, step = [503, 200], [b"", chunk, b""], [], next(flow)
    with pytest.raises(ProviderError, match="the stream ended too early"):
        while True:
            if isinstance(step, Open):
                opened.append(step.request.url)
            value = (
                Head(heads.pop(0), ()) if isinstance(step, Open) else reads.pop(0) if isinstance(step, Read) else None
            )
            step = flow.send(None if isinstance(step, Emit) else 0.0 if value is None else value)

    assert 2 == len(opened)


@pytest.mark.parametrize(("name", "near"), [("grok", "groq"), ("opnai", "openai"), ("groqq", "groq")])
def test_a_misspelt_provider_of_a_fallback_is_refused_with_the_nearest(name, near):
    """Whether or not another provider is allowed: in an outage its model would not exist."""
    with pytest.raises(UnknownProviderError, match=f"unknown provider '{name}'\n  did you mean '{near}'"):
        SyncLLMClient(GatewayConfig(provider="openai", api_key="k", fallback_models=(f"{name}:x",)))
    with pytest.raises(UnknownProviderError, match=f"unknown provider '{name}'\n  did you mean '{near}'"):
        SyncLLMClient(GatewayConfig(api_key="k"), model=f"{name}:x")


def test_a_tag_of_ollama_is_no_provider():
    """However near its model's name is to one."""
    client = SyncLLMClient(GatewayConfig(provider="ollama", model="llama3.2", fallback_models=("llama:7b",)))

    assert [("ollama", "llama:7b")] == [(one.name, one.model) for one in client._start_call().fallbacks]
