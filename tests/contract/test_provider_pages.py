"""Pages of docs/providers: their tables agree with the code, and their examples run."""

import re

import provider_pages
import pytest
from provider_pages import FOLDER, NAMES

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import load
from llm_gateway.registry import list_providers

AT_ROOT = ("anthropic", "azure", "bedrock", "cohere", "vertex")
OTHERS = [name for name in NAMES if name != "litellm"]  # its example runs in tests/replay/test_litellm.py


def block(name, language):
    """Return the first example in *language* of a page."""
    found, *_ = re.findall(rf"^```{language}\n(.*?)^```", (FOLDER / f"{name}.md").read_text(), re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture
def no_provider_variables(monkeypatch):
    """Unset the environment variables of every provider."""
    for one in PROVIDERS.values():
        variables = (one.url_variable, one.version_variable, one.project_variable)
        for variable in (*filter(None, variables), *one.key_variables, *one.region_variables):
            monkeypatch.delenv(variable, raising=False)


def test_every_provider_has_a_page():
    """There is no page of a provider that was removed."""
    assert {*NAMES, "README"} == {path.stem for path in FOLDER.glob("*.md")}
    assert set(NAMES) <= set(list_providers())


def test_pages_agree_with_the_catalogue(no_provider_variables):
    """They are written by: python tests/fakes/provider_pages.py."""
    for path, text in provider_pages.pages().items():
        written = path.read_text(encoding="utf-8")
        assert text == written, path
        assert path.suffix != ".md" or 1 == written.count(provider_pages.START), path


@pytest.mark.parametrize("name", NAMES)
def test_configuration_example_is_valid(name, no_provider_variables, tmp_path, monkeypatch):
    """It selects the provider and the model that the other examples of the page use."""
    text = block(name, "yaml")
    for variable in re.findall(r"\$\{(\w+)\}", text):
        monkeypatch.setenv(variable, "from-the-environment")
    (tmp_path / "llm.yaml").write_text(text)
    config = load(config=tmp_path / "llm.yaml", _env_file=None)

    provider, model = config.target(NAMES)
    assert name == provider
    assert f'SyncLLMClient(model="{name}:{model}")' in block(name, "python")
    assert f"LLM_MODEL={name}:{model}\n" in block(name, "sh")
    if "${" in text:
        assert "from-the-environment" == config.key(name)


@pytest.mark.parametrize("name", OTHERS)
def test_python_example_runs(name, api, claude, monkeypatch, capsys):
    """With the documented variables set, it gets a reply from a stub server."""
    for variable, value in {
        "AWS_REGION": "us-east-1",
        "GOOGLE_CLOUD_PROJECT": "my-project",
        "LLM_API_KEY": "k",
        "LLM_BASE_URL": api.url if name in AT_ROOT else f"{api.url}/v1",
    }.items():
        monkeypatch.setenv(variable, value)
    exec(compile(block(name, "python"), f"docs/providers/{name}.md", "exec"), {})

    assert capsys.readouterr().out.startswith("SAY HELLO. 18 ")
