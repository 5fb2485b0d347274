"""Settings in files: names, precedence, and messages about mistakes."""

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
    """Write a file of settings, with nothing else set."""
    for one in PROVIDERS.values():
        for name in one.key_variables:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MY_OPENAI_KEY", "secret-1")

    def write(text, name="llm.yaml"):
        (tmp_path / name).write_text(text)
        return name

    return write


def test_a_file_sets_everything(file):
    """Provider and model, keys from variables, what a provider needs, and limits."""
    config = load(config=file(FILE))

    assert ("openai", "gpt-5-mini") == config.target(list_providers())
    assert ("secret-1", "https://proxy.example/v1") == (config.key("openai"), config.url("openai", None))
    assert ("g-secret-1", "llama-3.1-8b-instant") == (config.key("groq"), config.of("groq").model)
    assert (1, Decimal("1.5"), 1) == (config.max_retries, config.cost_limit_usd, config.cost_warn_usd)
    assert "secret-1" not in repr(config)


def test_another_provider_is_one_variable_away(file, monkeypatch):
    """With the key and the model that the file sets for it."""
    monkeypatch.setenv("LLM_CONFIG", file(FILE))
    monkeypatch.setenv("LLM_PROVIDER", "groq")
    monkeypatch.setenv("LLM_MODEL", "")
    with SyncLLMClient() as client:
        assert ("groq", "llama-3.1-8b-instant") == (client.provider.name, client.model)
        assert ("authorization", "Bearer g-secret-1") in client.provider.auth.apply(
            client.provider.request(client._build_request("hi"))
        ).headers


def test_arguments_win_over_variables_and_those_over_files(file, monkeypatch):
    """And a later file over an earlier one, key by key."""
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


def test_the_variable_names_several_files(file, monkeypatch):
    """With the path separator between."""
    monkeypatch.setenv("LLM_CONFIG", f"{file(FILE)}:{file('max_retries: 7', 'prod.yaml')}")
    assert 7 == load().max_retries


def test_all_mistakes_at_once_with_file_and_key(file):
    """The nearest name, the variable that is not set, what has to stand there."""
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


def test_a_wrong_value_names_where_it_was_set(file, monkeypatch):
    """File, variable or argument."""
    name = file("max_tokens: -1\ntimeout_s: soon\n")
    monkeypatch.setenv("LLM_TIMEOUT_S", "later")
    with pytest.raises(ConfigError) as caught:
        load(config=name, max_retries=-3)

    for line in ("llm.yaml: max_tokens = -1: ", "LLM_TIMEOUT_S = 'later': ", "the argument max_retries = -3: "):
        assert f"\n  {line}" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"), [("a: [", "llm.yaml is no YAML"), ("- 1", "llm.yaml has to be a mapping of settings")]
)
def test_a_file_that_is_none_is_named(text, words, file):
    """With the line, where the YAML parser reports it."""
    with pytest.raises(ConfigError, match=words):
        load(config=file(text))


def test_a_file_that_is_not_there_is_named(file):
    """It is never taken for empty."""
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
def test_another_way_to_a_provider_has_its_own_section_first(sections, expected, file):
    """Then the provider's: prompts for a private gateway go nowhere else."""
    with SyncLLMClient(load(config=file(RESPONSES + sections))) as client:
        request = client.provider.auth.apply(client.provider.request(client._build_request("hi")))

    url, key, model = expected
    assert (url, f"Bearer {key}", model) == (request.url, dict(request.headers)["authorization"], client.model)


@pytest.mark.parametrize("section", ["openai", "openai_responses"])
def test_a_wrong_key_names_the_section_that_holds_it(section, file):
    """Not the one that was requested."""
    config = load(config=file(f"{RESPONSES}  {section}: {{api_key: 'a b'}}"))
    with pytest.raises(ConfigError, match=rf"in providers\.{section}\.api_key is a blank"):
        SyncLLMClient(config)


def test_one_fallback_needs_no_list(file):
    """In a provider's section as at the top."""
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
def test_a_wrong_value_of_a_provider_names_file_and_path(text, line, file):
    """And shows no key."""
    with pytest.raises(ConfigError) as caught:
        load(config=file(f"providers: {text}"))

    assert f"\n  {line}" in str(caught.value)
    assert "9876543210123456" not in str(caught.value)


def test_a_key_is_not_shown_by_any_other_mistake(file, monkeypatch):
    """Of arguments, of a variable, of what is no YAML."""
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


def test_a_misspelt_section_is_refused_with_the_nearest(file):
    """It was meant to set something."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(load(config=file("api_key: k\nproviders: {opnai: {model: x}}")))

    assert (
        "llm.yaml: providers.opnai is no provider's section\n"
        "  did you mean 'openai'?\n"
        f"  correct the name, or register_provider('opnai', ...) first; known: {', '.join(list_providers())}"
    ) == str(caught.value)


@pytest.mark.parametrize("name", ["acme", "openai-eu", "azure2", "my_groq"])
def test_a_section_of_another_name_waits_for_its_provider(name, file):
    """Which may be registered later."""
    with SyncLLMClient(load(config=file(f"api_key: k\nproviders: {{{name}: {{model: x}}}}"))) as client:
        assert "anthropic" == client.provider_name


@pytest.mark.parametrize("name", ["api_key", "base_url"])
def test_a_section_sets_nothing_that_the_claude_command_ignores(name, file):
    """Prompts would go to another provider than the file sets."""
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(load(config=file(f"active_provider: local_claude\nproviders: {{local_claude: {{{name}: x}}}}")))

    assert (
        f"providers.local_claude.{name} cannot be used\n"
        "  the claude command has a login and an address of its own\n"
        f"  leave it out, or set it in providers.anthropic.{name} and use active_provider: anthropic"
    ) == str(caught.value)
