"""Lists that are kept in two places say the same in both."""

import re
import tomllib
from pathlib import Path

import pytest

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def test_the_demo_installs_what_the_examples_ask_for():
    """Its environment has their own dependencies, and the built package in the place of a release."""
    wanted = set()
    for path in (ROOT / "examples").glob("*/pyproject.toml"):
        example = read(path)
        wanted |= {*example["project"]["dependencies"], *example.get("dependency-groups", {}).get("test", ())}

    assert wanted == {*read("pyproject.toml")["dependency-groups"]["demo"], "pytest-llm-gateway"}


def test_the_example_of_settings_names_every_setting():
    """Each field of the configuration, and each key, has its line in ``.env.example``."""
    named = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    keys = {one.key_variables[0] for one in PROVIDERS.values() if one.adapter and one.key_variables}
    fields = set(GatewayConfig.model_fields) - {"models", "providers"}  # mappings, which only files hold
    assert {f"LLM_{field.upper()}" for field in fields} | keys == named


def rows_of(page):
    """Return the packages in each row of a page's first picture, which ends a row's names with two blanks or more."""
    picture = re.search(r"^```text\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names = [re.split(r" {3,}", line)[0] for line in picture[1].splitlines() if line[:1].isalpha()]
    return [set(re.findall(r"\w+", line)) for line in names]


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_pictures_show_the_layers_that_are_checked(page):
    """Row by row, those of import-linter; the optional package that is not there yet is not drawn."""
    (contract,) = [
        one for one in read("pyproject.toml")["tool"]["importlinter"]["contracts"] if one["type"] == "layers"
    ]

    assert [set(re.findall(r"\w+", row)) - {"server"} for row in contract["layers"]] == rows_of(page)


def test_the_architecture_page_names_modules_that_exist():
    """Each name in code that begins with a package of ours, and each link to a file."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "llm_gateway"
    packages = {path.name for path in source.iterdir() if path.is_dir()}
    named = [name for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", page) if name.partition(".")[0] in packages]
    paths = [source / name.replace(".", "/") for name in named]
    missing = [
        path.relative_to(source).as_posix()
        for path in paths
        if not path.exists() and not path.with_suffix(".py").exists() and not is_defined(path)
    ]

    assert named
    assert [] == missing


def is_defined(path):
    """Return whether *path* is a function or a class in the module above it."""
    module = path.parent.with_suffix(".py")
    return module.exists() and re.search(rf"^(?:def|class) {path.name}\b", module.read_text("utf-8"), re.MULTILINE)
