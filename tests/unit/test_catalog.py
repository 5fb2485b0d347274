"""The catalogue of providers: the only module with their facts, and cheap to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import llm_gateway
from llm_gateway.catalog import PROVIDERS, find
from llm_gateway.wire.identify import identify, is_llm_host
from llm_gateway.wire.params import NAMES

SOURCE = Path(llm_gateway.__file__).parent
HOSTS = sorted({host.lstrip(".-") for one in PROVIDERS.values() for host in one.hosts})


def texts(path):
    """Yield the texts in the code of a module, without its docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value.replace("\\", "")


def test_no_other_module_contains_the_host_of_a_provider():
    """Nor its URL, which contains the host."""
    modules = [path for path in SOURCE.rglob("*.py") if path.parent != SOURCE / "catalog"]
    found = [(path.name, host) for path in modules for text in texts(path) for host in HOSTS if host in text]

    assert [] == found
    assert len(modules) > 200


def test_names_hosts_and_variables_belong_to_one_provider():
    """Each identifies the provider."""
    for fact in ("hosts", "key_variables", "sdk_url_variables", "paths"):
        every = [value for one in PROVIDERS.values() for value in getattr(one, fact)]
        assert sorted(set(every)) == sorted(every), fact


@pytest.mark.parametrize("name", PROVIDERS)
def test_entries_are_consistent(name):
    """Its URL is at one of its hosts, the entry that it shares exists, and its options are valid."""
    entry = PROVIDERS[name]

    assert not entry.shares or entry.shares in PROVIDERS
    assert {option for rule in entry.unsupported for option in rule.options} <= NAMES
    for host in entry.hosts:
        assert is_llm_host(f"x{host}" if host[0] in ".-" else host)
    if entry.base_url is not None:
        url = entry.url_in(entry.default_region).replace("{resource}", "mine")
        assert name == identify("POST", f"{url}/v1/chat/completions").provider


def test_an_unknown_provider_has_an_entry_with_only_its_name():
    """Code that looks up entries needs no special case for providers that users register."""
    entry = find("acme")

    assert ("acme", "acme", "", ()) == (entry.name, entry.display_name, entry.adapter, entry.hosts)


def test_importing_the_plugin_does_not_load_the_catalogue():
    """It is loaded when placeholder keys are set, and then without anything beyond the standard library."""
    code = (
        "import sys, llm_gateway.pytest_plugin; print('llm_gateway.catalog' in sys.modules);"
        "before = {*sys.modules}; import llm_gateway.catalog;"
        "print(sorted(name for name in {*sys.modules} - before if not name.startswith('llm_gateway.catalog')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ["False", "[]"] == done.stdout.splitlines()
