"""Links of the documentation work, and it covers what the plugin offers."""

import re
from pathlib import Path

import pytest

import llm_gateway.pytest_plugin as plugin
from llm_gateway.config import GatewayConfig

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for folder in (ROOT / "docs", ROOT / "examples")
    for path in folder.rglob("*.md")
    if "changelog" not in path.parts and not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]
README = ROOT / "README.md"
FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(path):
    return FENCED.sub("", path.read_text(encoding="utf-8"))


def links_of(path):
    """Return the relative links of a page, as file and anchor."""
    found = (found[1].partition("#") for found in re.finditer(r"\]\((?!https?:)([^)\s]+)\)", text_of(path)))
    return [((path.parent / name).resolve() if name else path, place) for name, _, place in found]


def places_of(path):
    titles = re.findall(r"^#+ (.+)$", text_of(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [README, *PAGES], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_to_existing_files_and_headings(page):
    """On each page."""
    links = links_of(page)

    assert [] == [target for target, _ in links if not target.exists()]
    assert [] == [(target.name, place) for target, place in links if place and place not in places_of(target)]


def test_every_page_can_be_reached_from_the_readme():
    """By following links."""
    found, new = {README}, [README]
    while new:
        targets = {target / "README.md" if target.is_dir() else target for target, _ in links_of(new.pop())}
        more = {target for target in targets if target.suffix == ".md" and target.exists()} - found
        found |= more
        new += more

    assert set() == {path.relative_to(ROOT).as_posix() for path in PAGES if path not in found}


def is_fixture(value):
    """Return whether *value* is a fixture, in pytest 8.4 and later or in earlier versions."""
    return type(value).__name__ == "FixtureFunctionDefinition" or hasattr(value, "_pytestfixturefunction")


def test_the_readme_lists_all_fixtures_markers_and_ini_values(pytestconfig):
    """Each is in one of its tables."""
    readme = README.read_text(encoding="utf-8")
    fixtures = {name for name, one in vars(plugin).items() if is_fixture(one)}
    markers = {line.partition("(")[0] for line in pytestconfig.getini("markers") if line.startswith("llm")}
    ini = {name for name, *_ in plugin.options._INI}

    assert {"llm", "fake_llm"} < fixtures
    assert set() == {
        name for name in fixtures | markers | ini if not re.search(rf"`@?(pytest\.mark\.)?{name}\b", readme)
    }


def test_every_setting_is_documented():
    """Each environment variable of the configuration is on one of the pages."""
    pages = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    fields = set(GatewayConfig.model_fields) - {"models", "providers"}  # mappings, which only files hold

    assert set() == {f"LLM_{name.upper()}" for name in fields if f"LLM_{name.upper()}" not in pages}
