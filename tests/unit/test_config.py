"""Sources of settings, and messages about wrong ones."""

import pytest

from llm_gateway import SyncLLMClient, list_providers
from llm_gateway.config import GatewayConfig, load
from llm_gateway.exceptions import ConfigError, CostLimitExceededError, MissingKeyError, UnknownProviderError
from llm_gateway.providers.auth import NoAuth
from llm_gateway.providers.base import HttpProvider
from llm_gateway.types import LLMResponse, TokenUsage
from llm_gateway.wire import openai_chat

KNOWN = list_providers()


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "LLM_API_KEY", "LLM_MODEL", "LLM_PROVIDER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_an_argument_wins_over_a_variable_and_that_over_the_file(monkeypatch, tmp_path):
    """``.env`` is read from the folder of the run."""
    (tmp_path / ".env").write_text("LLM_MODEL=openai:from-file\nLLM_MAX_TOKENS=7\n")
    assert ("openai", "from-file") == load().target(KNOWN)
    monkeypatch.setenv("LLM_MODEL", "from-variable")
    assert ("anthropic", "from-variable") == load().target(KNOWN)
    assert ("openai", "from-argument") == load(model="openai:from-argument").target(KNOWN)
    assert 7 == load().max_tokens


def test_a_key_comes_from_our_variable_then_from_the_providers_own(monkeypatch, tmp_path):
    """Also from ``.env``; it is never shown."""
    (tmp_path / ".env").write_text("OPENAI_API_KEY=of-file\n")
    assert "of-file" == load().key("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "of-openai")
    assert "of-openai" == load().key("openai")
    monkeypatch.setenv("LLM_API_KEY", "of-ours")
    assert "of-ours" == load().key("openai")
    assert "of-ours" not in repr(load())


def test_no_key_names_the_variables():
    """And the command to type."""
    with pytest.raises(MissingKeyError) as error:
        SyncLLMClient(provider="openai")
    assert (
        "no API key for 'openai'\n"
        "  neither OPENAI_API_KEY nor LLM_API_KEY is set, in the environment or in .env\n"
        "  export OPENAI_API_KEY=..." == str(error.value)
    )


def test_an_unknown_provider_offers_the_nearest():
    """And lists all."""
    with pytest.raises(UnknownProviderError) as error:
        SyncLLMClient(provider="antropic")
    assert (f"unknown provider 'antropic'\n  did you mean 'anthropic'?\n  known providers: {', '.join(KNOWN)}") == str(
        error.value
    )


def test_every_wrong_value_is_named_at_once(monkeypatch):
    """By the variable that holds it."""
    monkeypatch.setenv("LLM_MAX_TOKENS", "-1")
    monkeypatch.setenv("LLM_TIMEOUT_S", "soon")
    with pytest.raises(ConfigError) as error:
        load()
    assert "LLM_MAX_TOKENS = '-1': Input should be greater than 0" in str(error.value)
    assert "LLM_TIMEOUT_S = 'soon': Input should be a valid number" in str(error.value)


def test_the_cost_limit_refuses_the_call():
    """Before it is sent."""
    client = SyncLLMClient(GatewayConfig(api_key="k", cost_limit_usd=0))
    with pytest.raises(CostLimitExceededError, match=r"the cost limit of \$0 is reached") as error:
        client.chat("hello")
    assert "raise the limit (cost_limit_usd, LLM_COST_LIMIT_USD)" in str(error.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"model": "llama3:8b"}, ("anthropic", "llama3:8b")),
        ({"model": "ft:gpt-5-mini:org::id", "provider": "openai"}, ("openai", "ft:gpt-5-mini:org::id")),
        ({"model": "openai:ft:gpt-5-mini:org::id"}, ("openai", "ft:gpt-5-mini:org::id")),
        ({"model": "openai:gpt-5-mini", "provider": "openai"}, ("openai", "gpt-5-mini")),
        ({"model": "openai:gpt-5-mini", "provider": "anthropic"}, ("anthropic", None)),
        ({"model": "antropic:x"}, ("antropic", "x")),
    ],
)
def test_a_colon_in_a_model_follows_a_provider_only_if_there_is_one(given, expected):
    """Or a misspelt one, which is then refused by name."""
    assert expected == load(**given).target(KNOWN)


class Unpriced:
    """A provider without known prices."""

    async def complete(self, messages, response_model=None):
        return LLMResponse("yes", "mine", "my-model", usage=TokenUsage(1, 2))

    async def close(self):
        pass


def test_a_cost_limit_that_cannot_be_held_refuses_too():
    """After the first call whose price is not known."""
    client = SyncLLMClient(GatewayConfig(cost_limit_usd=1), provider_instance=Unpriced())
    assert "yes" == client.chat("hello").content
    with pytest.raises(CostLimitExceededError, match="cannot be held: what 'my-model' cost is not known"):
        client.chat("hello")


def test_arguments_win_over_settings_that_are_handed_in(monkeypatch):
    """A model that names its provider sets both, and wins over a variable."""
    monkeypatch.setenv("LLM_PROVIDER", "groq")
    client = SyncLLMClient(GatewayConfig(api_key="k", model="gpt-5-nano"), model="openai:gpt-5-mini", api_key="mine")

    assert ("openai", "gpt-5-mini", "mine") == (
        client.provider.name,
        client.model,
        client.config.api_key.get_secret_value(),
    )


def test_an_option_that_there_is_not_is_refused_with_the_nearest():
    """As Python refuses a wrong argument."""
    with pytest.raises(TypeError, match="there is no option 'max_token'; did you mean 'max_tokens'"):
        SyncLLMClient(GatewayConfig(api_key="k")).chat("hi", max_token=5)


def test_a_variable_that_is_no_json_is_named(monkeypatch):
    """Without what it holds."""
    monkeypatch.setenv("LLM_PROVIDERS", "{sk-1")
    with pytest.raises(ConfigError) as caught:
        load()

    assert "LLM_PROVIDERS is no JSON\n  a variable holds a mapping as JSON\n  export LLM_PROVIDERS='{...}'" == str(
        caught.value
    )


@pytest.mark.parametrize(
    ("provider", "model"),
    [("azure", "my-deployment"), ("compatible", "my-model"), ("litellm", "watsonx/ibm/granite-4-h-small")],
)
def test_a_provider_without_a_default_needs_a_model(provider, model):
    """Raised before a request without one is sent; a call may name it too."""
    made = HttpProvider(provider, openai_chat.DIALECT, "https://llm.example", "/chat", NoAuth(), "")
    client = SyncLLMClient(provider_instance=made)
    with pytest.raises(ConfigError) as caught:
        client.chat("hi")

    assert (
        f"no model is set for {provider!r}\n"
        "  this provider has no default: its models, or deployments, are your own\n"
        f"  export LLM_MODEL={provider}:{model}"
    ) == str(caught.value)
    assert "m" == client._build_request("hi", model="m").model


@pytest.mark.parametrize(
    ("name", "cause"), [("max_retrys", "did you mean 'max_retries'?"), ("zzz", "GatewayConfig has no such field")]
)
def test_a_setting_that_there_is_not_is_refused(name, cause):
    """With the nearest; it was ignored."""
    with pytest.raises(ConfigError) as caught:
        GatewayConfig(**{name: "sk-1"})

    settings = ", ".join(sorted(GatewayConfig.model_fields))
    assert f"there is no setting {name!r}\n  {cause}\n  settings are {settings}" == str(caught.value)
