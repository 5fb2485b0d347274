"""Invalid keys and URLs, and the errors for them before anything is sent."""

import pytest

from llm_gateway import GatewayConfig, SyncLLMClient
from llm_gateway.exceptions import ConfigError


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch, tmp_path):
    for name in ("LLM_API_KEY", "LLM_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("sk-secret\n", "character 10 of 10 in OPENAI_API_KEY is a line break"),
        (" sk-secret", "character 1 of 10 in OPENAI_API_KEY is a blank"),
        ("sk\u2011secret", "character 3 of 9 in OPENAI_API_KEY is no ASCII"),
        ("sk\x07secret", "character 3 of 9 in OPENAI_API_KEY is not printable"),
    ],
)
def test_a_key_that_is_invalid_in_a_header_is_an_error(key, words, monkeypatch):
    """It has the variable and the position of the character, never the key."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(provider="openai")

    assert (
        f"the API key for 'openai' cannot be sent\n  {words}\n  copy the key again, and set OPENAI_API_KEY to nothing else"
    ) == str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "origin"),
    [({"api_key": "a b"}, "LLM_API_KEY"), ({"providers": {"openai": {"api_key": "a b"}}}, "providers.openai.api_key")],
)
def test_the_error_of_an_invalid_key_has_its_source(settings, origin):
    """Be it a variable or a section of the settings file."""
    with pytest.raises(ConfigError, match=f"character 2 of 3 in {origin} is a blank"):
        SyncLLMClient(GatewayConfig(provider="openai", **settings))


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("proxy.example/v1", "'proxy.example/v1' is no address for 'openai'\n  it has no scheme\n  {}proxy.example/v1"),
        ("ftp://h/v1", "'ftp://h/v1' is no address for 'openai'\n  its scheme is 'ftp'\n  {}..."),
        ("https://a b/v1", "'https://a b/v1' is no address for 'openai'\n  character 10 is a blank\n  {}..."),
        ("https://h/v1\n", "'https://h/v1\\n' is no address for 'openai'\n  character 13 is a line break\n  {}..."),
        ("https://", "'https://' is no address for 'openai'\n  it names no host\n  {}..."),
        (
            "https://h:99999/v1",
            "'https://h:99999/v1' is no address for 'openai'\n  Port out of range 0-65535\n  {}...",
        ),
        (
            "https://me:hunter2@h /v1",
            "'https://...@h /v1' is no address for 'openai'\n  character 21 is a blank\n  {}...",
        ),
        (
            "https://h/v1?api-version=1",
            (
                "'https://h/v1?...' is no address for 'openai'\n"
                "  it ends with a query, and paths are added to it\n  {}..."
            ),
        ),
    ],
)
@pytest.mark.parametrize("variable", ["LLM_BASE_URL", "OPENAI_BASE_URL"])
def test_an_invalid_url_is_an_error(address, text, variable, monkeypatch):
    """It has the mistake and the variable, never a password."""
    monkeypatch.setenv(variable, address)
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(provider="openai", api_key="k")

    assert text.format(f"export {variable}=https://") == str(caught.value)


def test_the_error_of_an_invalid_url_in_a_file_names_the_file():
    """It does not propose to export a variable."""
    with pytest.raises(ConfigError, match=r"\n  set providers\.openai\.base_url to https://h/v1$"):
        SyncLLMClient(GatewayConfig(provider="openai", api_key="k", providers={"openai": {"base_url": "h/v1"}}))
