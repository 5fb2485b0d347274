"""Settings files: names, precedence, and messages about mistakes."""

from decimal import Decimal

import pytest

from llm_gateway import SyncLLMClient
from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import load
from llm_gateway.exceptions import ConfigError
from llm_gateway.registry import list_providers

FILE = """
active_provider: openai
active_model: gpt-5-mini
max_retries: 1
providers:
  openai:
    api_key: "${MY_OPENAI_KEY}"
    base_url: "https://${MY_HOST:-proxy.example}/v1"
    fallback_models: [gpt-5-nano]
  groq:
    api_key: "g-${MY_OPENAI_KEY}"
    model: llama-3.1-8b-instant
cost_tracking: {limit_usd: 1.50, warn_usd: 1}
"""


@pytest.fixture
def file(monkeypatch, tmp_path):
    """Return a function that writes a settings file; nothing else is set."""
    for one in PROVIDERS.values():
        for name in one.key_variables:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_OPENAI_KEY", "secret-1")

    def write(text, name="llm.yaml"):
        (tmp_path / name).write_text(text)
        return name

    return write


def test_a_file_can_set_everything(file):
    """Provider, model, keys from variables, settings of the provider, and limits."""
    config = load(config=file(FILE))

    assert ("openai", "gpt-5-mini") == config.target(list_providers())
    assert ("secret-1", "https://proxy.example/v1") == (config.key("openai"), config.url("openai", None))
    assert ("g-secret-1", "llama-3.1-8b-instant") == (config.key("groq"), config.of("groq").model)
    assert (1, Decimal("1.5"), 1) == (config.max_retries, config.cost_limit_usd, config.cost_warn_usd)
    assert "secret-1" not in repr(config)


def test_one_variable_switches_to_another_provider_of_the_file(file, monkeypatch):
    """With the key and the model that the file sets for it."""
    monkeypatch.setenv("LLM_CONFIG", file(FILE))
    monkeypatch.setenv("LLM_PROVIDER", "groq")
    monkeypatch.setenv("LLM_MODEL", "")
    with SyncLLMClient() as client:
        assert ("groq", "llama-3.1-8b-instant") == (client.provider.name, client.model)
        assert ("authorization", "Bearer g-secret-1") in client.provider.auth.apply(
            client.provider.request(client._build_request("hi"))
        ).headers


def test_arguments_take_precedence_over_variables_and_those_over_files(file, monkeypatch):
    """A later file takes precedence over an earlier one, field by field."""
    file(FILE)
    both = [file(FILE), file("max_retries: 7\nproviders: {openai: {base_url: 'https://prod.example/v1'}}", "prod.yaml")]
    config = load(config=both)
    assert (7, "https://prod.example/v1", "secret-1") == (
        config.max_retries,
        config.url("openai", None),
        config.key("openai"),
    )

    monkeypatch.setenv("LLM_MAX_RETRIES", "5")
    assert 5 == load(config=both).max_retries
    assert 4 == load(config=both, max_retries=4).max_retries


def test_the_variable_can_name_several_files(file, monkeypatch):
    """Separated by the path separator."""
    monkeypatch.setenv("LLM_CONFIG", f"{file(FILE)}:{file('max_retries: 7', 'prod.yaml')}")
    assert 7 == load().max_retries


def test_all_mistakes_are_named_in_one_error_with_file_and_field(file):
    """With the nearest name, the variable that is not set, or the expected value."""
    name = file(
        "active_provder: openai\nproviders: {openai: {api_kee: x, base_url: '${NOT_SET}'}, groq: 5}\n"
        "cost_tracking: {limit: 1}\ntimeout: 3\n"
    )
    with pytest.raises(ConfigError) as caught:
        load(config=name)

    assert (
        "the configuration is wrong\n"
        "  llm.yaml: active_provder is not known, did you mean 'active_provider'?\n"
        "  llm.yaml: providers.openai.api_kee is not known, did you mean 'api_key'?\n"
        "  llm.yaml: providers.openai.base_url needs the variable NOT_SET, which is not set: export NOT_SET=...\n"
        "  llm.yaml: providers.groq has to be a mapping, such as {api_key: ${KEY}}\n"
        "  llm.yaml: cost_tracking.limit is not known, did you mean 'limit_usd'?\n"
        "  llm.yaml: timeout is not known, did you mean 'timeout_s'?\n"
        "  correct the lines above"
    ) == str(caught.value)


def test_a_wrong_value_is_an_error_with_its_source(file, monkeypatch):
    """A file, a variable or an argument."""
    name = file("max_tokens: -1\ntimeout_s: soon\n")
    monkeypatch.setenv("LLM_TIMEOUT_S", "later")
    with pytest.raises(ConfigError) as caught:
        load(config=name, max_retries=-3)

    for line in ("llm.yaml: max_tokens = -1: ", "LLM_TIMEOUT_S = 'later': ", "the argument max_retries = -3: "):
        assert f"\n  {line}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "llm.yaml is no YAML"), ("- 1", "llm.yaml has to be a mapping of settings")]
)
def test_a_file_that_is_not_a_yaml_mapping_is_named(text, words, file):
    """With the line, if the YAML parser reports it."""
    with pytest.raises(ConfigError, match=words):
        load(config=file(text))


def test_a_missing_file_is_named(file):
    """It is never treated as empty."""
    with pytest.raises(ConfigError, match=r"nowhere.yaml cannot be read\n  No such file or directory"):
        load(config="nowhere.yaml")


RESPONSES = "active_provider: openai_responses\nproviders:\n"
GATEWAY = "{api_key: theirs, base_url: 'http://127.0.0.1:9/v1'}"


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        (f"  openai_responses: {GATEWAY}", ("http://127.0.0.1:9/v1/responses", "theirs", "gpt-5-mini")),
        (f"  openai: {GATEWAY}", ("http://127.0.0.1:9/v1/responses", "theirs", "gpt-5-mini")),
        (
            f"  openai: {GATEWAY}\n  openai_responses: {{api_key: mine, model: gpt-5}}",
            ("http://127.0.0.1:9/v1/responses", "mine", "gpt-5"),
        ),
    ],
)
def test_openai_responses_uses_its_own_section_then_that_of_openai(sections, expected, file):
    """Prompts meant for a private gateway go nowhere else."""
    with SyncLLMClient(load(config=file(RESPONSES + sections))) as client:
        request = client.provider.auth.apply(client.provider.request(client._build_request("hi")))

    url, key, model = expected
    assert (url, f"Bearer {key}", model) == (request.url, dict(request.headers)["authorization"], client.model)


@pytest.mark.parametrize("section", ["openai", "openai_responses"])
def test_an_invalid_key_is_named_with_the_section_that_holds_it(section, file):
    """Even if that is the section of a related provider."""
    config = load(config=file(f"{RESPONSES}  {section}: {{api_key: 'a b'}}"))
    with pytest.raises(ConfigError, match=rf"in providers\.{section}\.api_key is a blank"):
        SyncLLMClient(config)


def test_a_single_fallback_needs_no_list(file):
    """In a provider's section and at the top level."""
    config = load(config=file("providers: {openai: {fallback_models: gpt-5-nano}}"))

    assert ("gpt-5-nano",) == config.of("openai").fallback_models


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{openai: {model: 5}}", "llm.yaml: providers.openai.model = 5: Input should be a valid string"),
        (
            "{openai: {fallback_models: [a, 5]}}",
            "llm.yaml: providers.openai.fallback_models.1 = 5: Input should be a valid string",
        ),
        (
            "{openai: {api_key: 9876543210123456}}",
            "llm.yaml: providers.openai.api_key is a number here, not a text: put it in quotes",
        ),
        ("{openai: {api_key: [9876543210123456]}}", "llm.yaml: providers.openai.api_key: Input should be"),
    ],
)
def test_a_wrong_value_in_a_section_is_named_with_file_and_path(text, line, file):
    """API keys are not shown."""
    with pytest.raises(ConfigError) as caught:
        load(config=file(f"providers: {text}"))

    assert f"\n  {line}" in str(caught.value)
    assert "9876543210123456" not in str(caught.value)


def test_no_error_shows_an_api_key(file, monkeypatch):
    """Be the mistake in arguments, in a variable, or in the YAML."""
    shown = []
    for given in ({"providers": {"openai": "sk-123"}}, {"api_key": ["sk-123"]}, {"config": file('api_key: "sk-123')}):
        with pytest.raises(ConfigError) as caught:
            load(**given)
        shown.append(str(caught.value))
    monkeypatch.setenv("LLM_PROVIDERS", '{"openai": {"api_key": 123123}}')
    with pytest.raises(ConfigError, match=r"LLM_PROVIDERS.openai.api_key is a number here") as caught:
        load()

    assert not [text for text in (*shown, str(caught.value)) if "123" in text]
    assert "llm.yaml is no YAML\n  line 1: found unexpected end of stream\n  correct that line" in shown


def test_a_misspelt_section_is_an_error_with_the_nearest_name(file):
    """It would otherwise have no effect."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(load(config=file("api_key: k\nproviders: {opnai: {model: x}}")))

    assert (
        "llm.yaml: providers.opnai is no provider's section\n"
        "  did you mean 'openai'?\n"
        f"  correct the name, or register_provider('opnai', ...) first; known: {', '.join(list_providers())}"
    ) == str(caught.value)


@pytest.mark.parametrize("name", ["acme", "openai-eu", "azure2", "my_groq"])
def test_a_section_of_an_unregistered_provider_is_accepted(name, file):
    """The provider may be registered later."""
    with SyncLLMClient(load(config=file(f"api_key: k\nproviders: {{{name}: {{model: x}}}}"))) as client:
        assert "anthropic" == client.provider_name


@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_a_section_cannot_set_what_the_claude_command_ignores(name, file):
    """Prompts would go to another provider than the file sets."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(load(config=file(f"active_provider: local_claude\nproviders: {{local_claude: {{{name}: x}}}}")))

    assert (
        f"providers.local_claude.{name} cannot be used\n"
        "  the claude command has a login and an address of its own\n"
        f"  leave it out, or set it in providers.anthropic.{name} and use active_provider: anthropic"
    ) == str(caught.value)
