"""Lists that are kept in two places say the same in both."""

import re
import tomllib
from pathlib import Path

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
