"""Lists that are kept in two files agree."""

import re
import tomllib
from pathlib import Path

import pytest

from llm_gateway.catalog import PROVIDERS
from llm_gateway.config import GatewayConfig

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


def test_the_demo_environment_installs_what_the_examples_require():
    """With the built package instead of a release."""
    wanted = set()
    for path in (ROOT / "examples").glob("*/pyproject.toml"):
        example = read(path)
        wanted |= {*example["project"]["dependencies"], *example.get("dependency-groups", {}).get("test", ())}

    assert wanted == {*read("pyproject.toml")["dependency-groups"]["demo"], "pytest-llm-gateway"}


def test_the_example_env_file_has_every_setting():
    """Each field of the configuration and each API key has a line in ``.env.example``."""
    named = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))

    keys = {one.key_variables[0] for one in PROVIDERS.values() if one.adapter and one.key_variables}
    fields = set(GatewayConfig.model_fields) - {"models", "providers"}  # mappings, which only files hold
    assert {f"LLM_{field.upper()}" for field in fields} | keys == named


def rows_of(page):
    """Return the packages in each row of a page's first diagram; two or more spaces end the names of a row."""
    picture = re.search(r"^```text\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names = [re.split(r" {3,}", line)[0] for line in picture[1].splitlines() if line[:1].isalpha()]
    return [set(re.findall(r"\w+", line)) for line in names]


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_the_diagrams_show_the_layers_that_import_linter_checks(page):
    """Row by row, without the optional package that does not exist yet."""
    (contract,) = [
        one for one in read("pyproject.toml")["tool"]["importlinter"]["contracts"] if one["type"] == "layers"
    ]

    assert [set(re.findall(r"\w+", row)) - {"server"} for row in contract["layers"]] == rows_of(page)


def test_the_architecture_page_names_modules_that_exist():
    """Names in code that begin with one of our packages, and links to files."""
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    source = ROOT / "src" / "llm_gateway"
    packages = {path.name for path in source.iterdir() if path.is_dir()}
    named = [name for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)`", page) if name.partition(".")[0] in packages]
    files = re.findall(r"^\| `([a-z_/]+\.py)` \|", page, re.MULTILINE)
    paths = [*(source / name.replace(".", "/") for name in named), *(source / name for name in files)]
    missing = [
        path.relative_to(source).as_posix()
        for path in paths
        if not path.exists() and not path.with_suffix(".py").exists() and not is_defined(path)
    ]

    assert named
    assert files
    assert [] == missing


def is_defined(path):
    """Return whether *path* is a function or a class in the module before its last dot."""
    module = path.parent.with_suffix(".py")
    return module.exists() and re.search(rf"^(?:def|class) {path.name}\b", module.read_text("utf-8"), re.MULTILINE)
