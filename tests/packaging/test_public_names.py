"""Public names are those of docs/reference.md; every other package is documented as internal."""

import importlib
import pkgutil
import re
import tomllib
from pathlib import Path

import pytest

import llm_gateway
import llm_gateway.pytest_plugin as plugin
from llm_gateway import LLMClient, SyncLLMClient, hookspecs
from llm_gateway.pytest_plugin import hooks, options

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
PROMISED = {
    *("llm_gateway", "llm_gateway.client", "llm_gateway.config", "llm_gateway.types", "llm_gateway.exceptions"),
    *("llm_gateway.registry", "llm_gateway.cost", "llm_gateway.providers.base", "llm_gateway.providers.anthropic"),
    *("llm_gateway.providers.openai", "llm_gateway.providers.local_claude"),
    *("llm_gateway.observability.tracing", "llm_gateway.observability.logging"),
}
DOCUMENTS = [
    ROOT / "README.md",
    *(path for path in (ROOT / "docs").rglob("*.md") if "changelog" not in path.parts),
    *(path for path in (ROOT / "examples").rglob("*.py") if path.name != "stub_providers.py"),
]
IMPORT = re.compile(r"^\s*(?:>>> )?from (llm_gateway[\w.]*) import \(?([\w, ]+)", re.MULTILINE)


def section(title):
    """Return the text below the heading *title*, up to the next one."""
    return re.split(r"^#+ ", PAGE.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]


def cells(text, number=0):
    """Return the names in backquotes in column *number* of the tables in *text*, by those in the first column."""
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    return {row[0]: re.findall(r"`([\w.-]+)`", row[number]) for row in rows}


def names(title):
    return [name for row in cells(section(title)).values() for name in row]


MODULES = {title: names(f"`{title}`") for title in re.findall(r"^### `(.+)`$", PAGE, re.MULTILINE)}
PYTEST = cells(section("In pytest"), 1)


def packages():
    """Yield `llm_gateway` and every package in it."""
    yield llm_gateway
    for found in pkgutil.walk_packages(llm_gateway.__path__, "llm_gateway."):
        if found.ispkg:
            yield importlib.import_module(found.name)


@pytest.mark.parametrize("module", MODULES)
def test_a_public_module_exports_the_names_of_its_section(module):
    """All of them, once each, and importable."""
    found = importlib.import_module(module)

    assert sorted(found.__all__) == sorted(MODULES[module])
    assert [] == [name for name in found.__all__ if not hasattr(found, name)]


def test_the_promised_modules_have_a_section():
    """Modules that were published stay public."""
    assert set() == PROMISED - set(MODULES)


def test_every_other_package_is_documented_as_internal():
    """A package with public modules, or with a public name, lists them."""
    docs = {one.__name__: " ".join((one.__doc__ or "").split()) for one in packages()}
    hidden = {name: doc for name, doc in docs.items() if name not in MODULES}
    partly = {parent: name for name in MODULES if (parent := name.rpartition(".")[0]) in hidden}

    assert [] == [name for name, doc in hidden.items() if "Internal" not in doc]
    assert [] == [name for name, doc in hidden.items() if ("Internal, except " in doc) is not (name in partly)]
    assert ["llm_gateway.pytest_plugin.snapshots"] == [name for name in MODULES if "Internal" in docs.get(name, "")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_documentation_and_examples_import_only_public_names(document):
    """Code that readers copy keeps working."""
    found = [
        (module, name.strip())
        for module, names in IMPORT.findall(document.read_text(encoding="utf-8"))
        for name in names.split(",")
        if name.strip()
    ]

    assert [] == [
        (module, name)
        for module, name in found
        if name not in MODULES.get(module, []) and f"{module}.{name}" not in MODULES
    ]


@pytest.mark.parametrize("client", [LLMClient, SyncLLMClient])
def test_clients_have_only_documented_attributes(client):
    """No step of a call is among them."""
    made = client(model="anthropic:claude-haiku-5-5", api_key="k")

    assert sorted(names("Attributes of a client")) == [name for name in dir(made) if not name.startswith("_")]


def is_fixture(value):
    return type(value).__name__ == "FixtureFunctionDefinition" or hasattr(value, "_pytestfixturefunction")


def test_the_plugin_has_exactly_the_documented_fixtures_markers_and_ini_values(pytestconfig):
    """As `pytest` reports them."""
    fixtures = {name for name, one in vars(plugin).items() if is_fixture(one)}
    markers = {line.partition("(")[0] for line in pytestconfig.getini("markers") if line.startswith("llm")}

    assert fixtures == set(PYTEST["fixtures"])
    assert markers == set(PYTEST["markers"])
    assert {name for name, *_ in options._INI} == set(PYTEST["ini values"])
    assert set(hooks.__all__) == set(PYTEST["hooks"])


def test_the_plugin_has_exactly_the_documented_options(pytester):
    """As ``pytest --help`` lists them."""
    text = pytester.runpytest_subprocess("--help").stdout.str()

    assert set(re.findall(r"--llmg?-[\w-]+", text.partition("LLM calls (llm-gateway)")[2])) >= set(PYTEST["options"])
    assert set(re.findall(r"^  (--llmg-[\w-]+)", text, re.MULTILINE)) <= set(PYTEST["options"])


def test_the_entry_points_are_those_documented():
    """Those that the package installs, and the group that other packages may use."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    expected = {
        "`console_scripts`": list(project["scripts"]),
        **{f"`{group}`": list(found) for group, found in project["entry-points"].items()},
        f"`{hookspecs.GROUP}`": [],
    }

    assert expected == cells(section("Entry points"), 1)
