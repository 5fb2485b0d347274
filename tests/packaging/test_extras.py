"""The extras: what they install exists, what one installs is in `[all]`, and errors name them as they are."""

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
def test_an_extra_installs_what_it_is_for(extra):
    """By the name under which it is distributed."""
    assert KNOWN[extra] in names(EXTRAS[extra])


def test_each_extra_is_known_and_all_is_all_of_them():
    """A new one is not forgotten, and `[all]` does not pull in what cannot stand beside the rest."""
    assert {*KNOWN, "all"} == set(EXTRAS)
    assert [f"pytest-llm-gateway[{','.join(sorted(EXTRAS.keys() - APART))}]"] == EXTRAS["all"]


@pytest.mark.parametrize("folder", ["src", "docs", "examples"])
def test_what_is_told_to_install_is_there(folder):
    """In errors and on pages."""
    paths = [path for kind in ("py", "md") for path in (ROOT / folder).rglob(f"*.{kind}")]
    told = {
        extra
        for path in [*paths, ROOT / "README.md"]
        for listed in re.findall(r"pytest-llm-gateway\[([\w,-]+)\]", path.read_text(encoding="utf-8"))
        for extra in listed.split(",")
    }
    assert told <= set(EXTRAS)


def test_every_extra_that_code_imports_is_named_by_an_error():
    """Whoever lacks it is told what to type; SDKs are handed in by those who have them, and without tiktoken a count is an estimate."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    assert EXTRAS.keys() - {"all", "anthropic", "openai", "tokens"} == set(
        re.findall(r"pytest-llm-gateway\[(\w+)\]", source)
    )
