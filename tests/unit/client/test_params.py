"""Unsupported options: an error, or left out and listed."""

import json
import re

import pytest

from llm_gateway import GatewayConfig, SyncLLMClient, UnsupportedParamWarning, register_model
from llm_gateway.client import flows
from llm_gateway.client.models import registered
from llm_gateway.exceptions import AllFallbacksFailedError, ConfigError, ProviderError
from llm_gateway.flow.steps import Now, Send
from llm_gateway.types import ImagePart, LLMMessage, WireReply


@pytest.fixture(autouse=True)
def forget_registered(tmp_path, monkeypatch):
    """Forget the facts that a test registers."""
    monkeypatch.setenv("LLM_MODELS_CACHE", str(tmp_path))
    yield
    registered.clear()


def client(model="openai:gpt-5-mini", **settings):
    return SyncLLMClient(GatewayConfig(model=model, api_key="k", max_retries=0, **settings))


def called(client, *statuses, prompt="hi", body=b"{}", **options):
    """Return the bodies that were sent, and the response."""
    replies, sent = [WireReply(one, (), body) for one in statuses], []
    flow = flows.chat(client._start_call(None, options), client._build_request(prompt, **options))
    step = next(flow)
    try:
        while True:
            if isinstance(step, Send):
                sent.append(json.loads(step.request.body))
            step = flow.send(replies.pop(0) if isinstance(step, Send) else 0.0 if isinstance(step, Now) else None)
    except StopIteration as done:
        return sent, done.value


def test_an_error_is_the_default_and_shows_what_to_type():
    """A call without its temperature is another call than the code makes; nothing is sent."""
    with pytest.raises(ProviderError) as error:
        called(client(), temperature=0.0, stop="x", seed=7)
    assert (
        "openai:gpt-5-mini takes no temperature=0.0\n"
        "  it reasons, and takes 1 alone\n"
        "  leave it out or unset LLM_TEMPERATURE; to send calls without what is not taken: "
        "export LLM_UNSUPPORTED_PARAMS=warn" == str(error.value)
    )
    assert "unsupported_param" == error.value.kind


def test_an_error_names_the_providers_own_field():
    """Where the provider has another field for the option."""
    with pytest.raises(ProviderError) as error:
        called(client("anthropic:claude-haiku-4-5", reasoning_effort="low", top_p=0.5), stop="x")
    assert (
        "anthropic:claude-haiku-4-5 takes no top_p, reasoning_effort\n"
        "  its API refuses the whole request; it thinks within a budget of tokens, and knows no levels\n"
        '  use its own field: extra={"thinking": {"type": "enabled", "budget_tokens": 2048}}\n'
        "  leave it out or unset LLM_TOP_P and unset LLM_REASONING_EFFORT; to send calls without what is not taken: "
        "export LLM_UNSUPPORTED_PARAMS=warn" == str(error.value)
    )


def test_a_warning_is_given_once_for_each_model_and_option():
    """The call is sent without the option, and the response lists it."""
    lenient = client(unsupported_params="warn", temperature=0.5)
    with pytest.warns(UnsupportedParamWarning) as caught:
        sent, response = called(lenient, 200, top_p=0.5, seed=0)
    called(lenient, 200)
    with pytest.warns(UnsupportedParamWarning, match="openai:gpt-5-nano takes no temperature=0.5"):
        called(lenient, 200, model="gpt-5-nano")

    assert [
        "openai:gpt-5-mini takes no temperature=0.5, so it is left out: it reasons, and takes 1 alone",
        "openai:gpt-5-mini takes no top_p=0.5, so it is left out: it reasons, and takes 1 alone",
    ] == [str(one.message) for one in caught]
    assert ("temperature", "top_p") == response.dropped_params
    assert {"model", "messages", "seed"} == sent[0].keys()


def test_what_is_dropped_is_on_the_response():
    """The option of the call overrides the setting; there is no warning."""
    sent, response = called(
        client("anthropic:claude-haiku-5-5"), 200, temperature=0.0, seed=0, unsupported_params="drop"
    )
    assert ("temperature", "seed") == response.dropped_params
    assert {"model", "messages", "max_tokens"} == sent[0].keys()
    assert () == called(client("openai:gpt-4o", unsupported_params="drop"), 200, temperature=0.0)[1].dropped_params


def test_a_fallback_is_called_without_unsupported_options():
    """And the first model with it."""
    chain = client("openai:gpt-4o", fallback_models=("gpt-5-mini",), unsupported_params="drop", temperature=0.5)
    sent, response = called(chain, 503, 200)
    assert [0.5, None] == [body.get("temperature") for body in sent]
    assert ("temperature",) == response.dropped_params


def test_a_fallback_that_does_not_take_it_is_passed_over():
    """The error lists the failure before it; an unsupported option of the first model ends the call."""
    with pytest.raises(AllFallbacksFailedError, match=r"answered 503 for 'gpt-4o'(.|\n)*gpt-5-mini takes no temper"):
        called(client("openai:gpt-4o", fallback_models=("gpt-5-mini",)), 503, temperature=0.5)
    chain = client("openai:gpt-4o", fallback_models=("gpt-5-mini", "gpt-4.1"))
    assert ["gpt-4o", "gpt-4.1"] == [body["model"] for body in called(chain, 503, 200, temperature=0.5)[0]]
    with pytest.raises(ProviderError, match="openai:gpt-5-mini takes no temperature"):
        called(client(fallback_models=("gpt-4o",)), temperature=0.5)


def test_images_and_tools_are_never_left_out():
    """Without them it would be another request."""
    picture = LLMMessage.user("What is it?", ImagePart(url="https://example.com/a.png"))
    with pytest.raises(ProviderError) as error:
        called(client("openai:gpt-3.5-turbo", unsupported_params="drop"), prompt=picture)
    assert (
        "openai:gpt-3.5-turbo takes no images\n"
        "  it reads text alone\n"
        '  choose another model; if this one takes them: register_model("openai:gpt-3.5-turbo", refuses=[])'
        == str(error.value)
    )
    register_model("openai:gpt-3.5-turbo", refuses=[])
    assert 1 == len(called(client("openai:gpt-3.5-turbo"), 200, prompt=picture)[0])


def test_registered_facts_of_a_model_are_used(tmp_path):
    """In a file as by a call."""
    (tmp_path / "llm.yaml").write_text("models: {'compatible:mine': {refuses: [tools, seed]}}\n")
    mine = SyncLLMClient(GatewayConfig(config=tmp_path / "llm.yaml", model="compatible:mine", base_url="http://x/v1"))
    with pytest.raises(ProviderError, match="compatible:mine takes no seed, tools\n  it is set so for this model"):
        called(mine, seed=7, tools=[{"name": "weigh"}])
    with pytest.raises(
        ConfigError, match=r"register_model: 'a:b' has refuses=\['image'\]\n  'image' is none of images, "
    ):
        register_model("a:b", refuses=["image"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"reasoning_effort": "hgih"},
            (
                "reasoning_effort='hgih' is not known\n"
                "  did you mean 'high'?\n"
                "  leave it out, or give one of 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'"
            ),
        ),
        (
            {"unsupported_params": "ignore"},
            (
                "unsupported_params='ignore' is not known\n"
                "  values are drop, error, warn\n"
                "  leave it out, or give one of 'error', 'warn', 'drop'"
            ),
        ),
        (
            {"extra": ["x"]},
            (
                "extra=['x'] is no dict\n"
                "  it is merged into the provider's own request body\n"
                '  for example: extra={"service_tier": "flex"}'
            ),
        ),
    ],
)
def test_a_word_that_an_option_does_not_know_is_refused(options, words):
    """Before anything is sent."""
    with pytest.raises(ConfigError) as error:
        client()._build_request("hi", **options)
    assert words == str(error.value)


def test_settings_hold_for_calls_that_do_not_say_otherwise(monkeypatch):
    """Each by its variable."""
    for name, value in (("TOP_P", "0.5"), ("SEED", "7"), ("REASONING_EFFORT", "low")):
        monkeypatch.setenv(f"LLM_{name}", value)
    request = SyncLLMClient(GatewayConfig(model="groq:openai/gpt-oss-20b", api_key="k"))._build_request("hi", seed=0)
    assert (0.5, 0, "low") == (request.top_p, request.seed, request.reasoning_effort)


def test_json_mode_gives_the_object_without_a_fence():
    """So that it can be read as it is."""
    fenced = {"choices": [{"message": {"content": '```json\n{"a": 1}\n```'}, "finish_reason": "stop"}]}
    llm = client("groq:llama-3.1-8b-instant")
    sent, response = called(llm, 200, body=json.dumps(fenced).encode(), prompt="Which JSON?", json_mode=True)
    assert ({"type": "json_object"}, '{"a": 1}') == (sent[0]["response_format"], response.content)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (
            {"timeout_s": 0},
            "timeout_s=0 cannot be used\n  it has to be a number of seconds above 0, and at most 100,000,000\n  for example: timeout_s=30",
        ),
        ({"timeout_s": "5"}, "timeout_s='5' cannot be used"),
        ({"timeout_s": float("nan")}, "timeout_s=nan cannot be used"),
        ({"timeout_s": 1e10}, "timeout_s=10000000000.0 cannot be used"),
        ({"total_timeout_s": -1}, "total_timeout_s=-1 cannot be used"),
        ({"total_timeout_s": float("nan")}, "total_timeout_s=nan cannot be used"),
        ({"max_context_tokens": -5}, "max_context_tokens=-5 cannot be used\n  it has to be a number of tokens above 0"),
        ({"max_context_tokens": True}, "max_context_tokens=True cannot be used"),
        ({"model": 5}, "model=5 cannot be used\n  it has to be a name"),
        ({"system": 5}, "system=5 cannot be used"),
        ({"stop": 5}, "stop=5 cannot be used"),
        ({"tools": 5}, "tools=5 cannot be used"),
    ],
)
def test_values_that_no_option_can_have(options, text):
    """Raise before anything is sent, instead of an exception from a lower layer."""
    with pytest.raises(ConfigError, match=re.escape(text)):
        SyncLLMClient(GatewayConfig(provider="openai", api_key="k", model="m")).chat("hi", **options)
