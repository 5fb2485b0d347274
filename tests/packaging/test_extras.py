"""The extras: their packages, the extra `[all]`, and the names of extras in error messages."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
APART = {"all", "litellm"}
"""What `[all]` leaves out: itself, and litellm, which pins an openai SDK that is older than the extra's."""
KNOWN = {
    "anthropic": "anthropic",
    "bedrock": "botocore",
    "litellm": "litellm",
    "logging": "structlog",
    "openai": "openai",
    "otel": "opentelemetry-sdk",
    "postgres": "psycopg",
    "redis": "redis",
    "snapshots": "syrupy",
    "tokens": "tiktoken",
    "vertex": "google-auth",
}
"""The distribution that each extra is for."""


def names(requirements):
    return {re.match(r"[\w.-]+", one)[0] for one in requirements}


@pytest.mark.parametrize("extra", sorted(KNOWN))
def test_an_extra_installs_the_package_it_is_for(extra):
    """By its name on PyPI."""
    assert KNOWN[extra] in names(EXTRAS[extra])


def test_all_installs_every_extra_that_can_be_combined():
    """A new extra must be added to it, or to those that conflict with others."""
    assert {*KNOWN, "all"} == set(EXTRAS)
    assert [f"pytest-llm-gateway[{','.join(sorted(EXTRAS.keys() - APART))}]"] == EXTRAS["all"]


@pytest.mark.parametrize("folder", ["src", "docs", "examples"])
def test_extras_in_install_commands_exist(folder):
    """In error messages, on documentation pages and in examples."""
    paths = [path for kind in ("py", "md") for path in (ROOT / folder).rglob(f"*.{kind}")]
    mentioned = {
        extra
        for path in [*paths, ROOT / "README.md"]
        for listed in re.findall(r"pytest-llm-gateway\[([\w,-]+)\]", path.read_text(encoding="utf-8"))
        for extra in listed.split(",")
    }
    assert mentioned <= set(EXTRAS)


def test_every_extra_that_the_package_imports_is_named_in_an_error():
    """Not those of SDKs, which users import themselves, nor tiktoken, without which a count is an estimate."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert EXTRAS.keys() - {"all", "anthropic", "openai", "tokens"} == set(
        re.findall(r"pytest-llm-gateway\[(\w+)\]", source)
    )
