"""The pages of docs/providers: what they say of a provider holds, and what they show runs."""

import re

import provider_pages
import pytest
from provider_pages import FOLDER, NAMES

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import load
from llm_gateway.registry import list_providers

AT_ROOT = ("anthropic", "azure", "bedrock", "cohere", "vertex")
OTHERS = [name for name in NAMES if name != "litellm"]  # which runs in tests/replay/test_litellm.py


def block(name, language):
    """The first example in *language* of a page."""
    found, *_ = re.findall(rf"^```{language}\n(.*?)^```", (FOLDER / f"{name}.md").read_text(), re.DOTALL | re.MULTILINE)
    return found


@pytest.fixture
def alone(monkeypatch):
    """Remove every setting of a provider from the environment."""
    for one in PROVIDERS.values():
        variables = (one.url_variable, one.version_variable, one.project_variable)
        for variable in (*filter(None, variables), *one.key_variables, *one.region_variables):
            monkeypatch.delenv(variable, raising=False)


def test_every_provider_has_its_page_and_the_index_has_each():
    """And there is no page of a provider that is gone."""
    assert {*NAMES, "README"} == {path.stem for path in FOLDER.glob("*.md")}
    assert set(NAMES) <= set(list_providers())


def test_what_repeats_the_catalogue_is_up_to_date(alone):
    """Written again by: python tests/fakes/provider_pages.py."""
    for path, text in provider_pages.pages().items():
        written = path.read_text(encoding="utf-8")
        assert text == written, path
        assert path.suffix != ".md" or 1 == written.count(provider_pages.START), path


@pytest.mark.parametrize("name", NAMES)
def test_the_section_of_a_file_is_read_unchanged(name, alone, tmp_path, monkeypatch):
    """It chooses the provider, the model and what else the section sets."""
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
def test_what_a_page_shows_runs(name, api, claude, monkeypatch, capsys):
    """Against a stub server, with the variables of the page."""
    for variable, value in {
        "AWS_REGION": "us-east-1",
        "GOOGLE_CLOUD_PROJECT": "my-project",
        "LLM_API_KEY": "k",
        "LLM_BASE_URL": api.url if name in AT_ROOT else f"{api.url}/v1",
    }.items():
        monkeypatch.setenv(variable, value)
    exec(compile(block(name, "python"), f"docs/providers/{name}.md", "exec"), {})

    assert capsys.readouterr().out.startswith("SAY HELLO. 18 ")
