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


def test_arguments_take_precedence_over_variables_and_those_over_dotenv(monkeypatch, tmp_path):
    """``.env`` is read from the working directory."""
    (tmp_path / ".env").write_text("LLM_MODEL=openai:from-file\nLLM_MAX_TOKENS=7\n")
    assert ("openai", "from-file") == load().target(KNOWN)
    monkeypatch.setenv("LLM_MODEL", "from-variable")
    assert ("anthropic", "from-variable") == load().target(KNOWN)
    assert ("openai", "from-argument") == load(model="openai:from-argument").target(KNOWN)
    assert 7 == load().max_tokens


def test_a_key_is_read_from_our_variable_then_from_the_providers_own(monkeypatch, tmp_path):
    """Also from ``.env``; it is never shown."""
    (tmp_path / ".env").write_text("OPENAI_API_KEY=of-file\n")
    assert "of-file" == load().key("openai")
    monkeypatch.setenv("OPENAI_API_KEY", "of-openai")
    assert "of-openai" == load().key("openai")
    monkeypatch.setenv("LLM_API_KEY", "of-ours")
    assert "of-ours" == load().key("openai")
    assert "of-ours" not in repr(load())


def test_a_missing_key_is_an_error_with_the_variables_to_set():
    """And the command to type."""
    with pytest.raises(MissingKeyError) as error:
        SyncLLMClient(provider="openai")
    assert (
        "no API key for 'openai'\n"
        "  neither OPENAI_API_KEY nor LLM_API_KEY is set, in the environment or in .env\n"
        "  export OPENAI_API_KEY=..." == str(error.value)
    )


def test_an_unknown_provider_is_an_error_with_the_nearest_name():
    """And the list of all names."""
    with pytest.raises(UnknownProviderError) as error:
        SyncLLMClient(provider="antropic")
    assert (f"unknown provider 'antropic'\n  did you mean 'anthropic'?\n  known providers: {', '.join(KNOWN)}") == str(
        error.value
    )


def test_all_wrong_values_are_named_in_one_error(monkeypatch):
    """By the variable that holds each."""
    monkeypatch.setenv("LLM_MAX_TOKENS", "-1")
    monkeypatch.setenv("LLM_TIMEOUT_S", "soon")
    with pytest.raises(ConfigError) as error:
        load()
    assert "LLM_MAX_TOKENS = '-1': Input should be greater than 0" in str(error.value)
    assert "LLM_TIMEOUT_S = 'soon': Input should be a valid number" in str(error.value)


def test_a_call_over_the_cost_limit_is_rejected():
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
def test_the_prefix_of_a_model_is_a_provider_only_if_it_names_one(given, expected):
    """A misspelt provider is taken for one, so that the error can show the nearest name."""
    assert expected == load(**given).target(KNOWN)


class Unpriced:
    """Provider whose prices are unknown."""

    async def complete(self, messages, response_model=None):
        return LLMResponse("yes", "mine", "my-model", usage=TokenUsage(1, 2))

    async def close(self):
        pass


def test_after_a_call_of_unknown_price_a_cost_limit_rejects_calls():
    """The limit could be exceeded unnoticed."""
    client = SyncLLMClient(GatewayConfig(cost_limit_usd=1), provider_instance=Unpriced())
    assert "yes" == client.chat("hello").content
    with pytest.raises(CostLimitExceededError, match="cannot be held: what 'my-model' cost is not known"):
        client.chat("hello")


def test_arguments_take_precedence_over_a_given_config(monkeypatch):
    """A model with a provider prefix sets both, and takes precedence over a variable."""
    monkeypatch.setenv("LLM_PROVIDER", "groq")
    client = SyncLLMClient(GatewayConfig(api_key="k", model="gpt-5-nano"), model="openai:gpt-5-mini", api_key="mine")

    assert ("openai", "gpt-5-mini", "mine") == (
        client.provider.name,
        client.model,
        client.config.api_key.get_secret_value(),
    )


def test_an_unknown_option_is_a_type_error_with_the_nearest_name():
    """As Python raises for a wrong argument."""
    with pytest.raises(TypeError, match="there is no option 'max_token'; did you mean 'max_tokens'"):
        SyncLLMClient(GatewayConfig(api_key="k")).chat("hi", max_token=5)


def test_a_variable_with_invalid_json_is_named(monkeypatch):
    """Its value is not shown."""
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
def test_a_provider_without_a_default_model_needs_one(provider, model):
    """The error comes before a request is sent; a call may name the model too."""
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
def test_an_unknown_setting_is_an_error(name, cause):
    """It has the nearest name, instead of the setting being ignored."""
    with pytest.raises(ConfigError) as caught:
        GatewayConfig(**{name: "sk-1"})

    settings = ", ".join(sorted(GatewayConfig.model_fields))
    assert f"there is no setting {name!r}\n  {cause}\n  settings are {settings}" == str(caught.value)
