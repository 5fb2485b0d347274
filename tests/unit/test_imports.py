"""What importing the package loads; each import is made in a process of its own."""

import json
import os
import subprocess
import sys

import pytest

HEAVY = [
    "anthropic",
    "genai_prices",
    "httpx",
    "httpx2",
    "openai",
    "pydantic",
    "tenacity",
    "time_machine",
    "vcr",
    "yaml",
]
HEAVY += ["opentelemetry", "structlog"]
HEAVY += ["llm_gateway.pytest_plugin.reports"]
LIST = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def loaded(code, *args):
    """Return the top-level modules that a fresh interpreter has loaded after *code*, with no tool for coverage in it."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-c", f"{code}\n{LIST}", *args]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def third_party(code):
    """Return what *code* loads beyond the standard library, pytest and its dependencies, and the package."""
    return loaded(code) - loaded("import pytest") - set(sys.stdlib_module_names) - {"llm_gateway", "pluggy"}


def test_importing_the_plugin_loads_nothing_beyond_pytest():
    """Every pytest run of every project that has the plugin installed pays for its import."""
    assert set() == third_party("import llm_gateway.pytest_plugin")


@pytest.mark.parametrize("module", ["llm_gateway", "llm_gateway.types", "llm_gateway.exceptions"])
def test_importing_the_package_loads_only_the_standard_library(module):
    """Public names are imported when they are first used."""
    assert set() == third_party(f"import {module}")


def test_a_database_driver_is_loaded_when_its_ledger_is_opened():
    """A report by path loads no settings."""
    code = "import llm_gateway, llm_gateway.cost.ledger.report; llm_gateway.usage_report"

    assert set() == {"sqlite3", "psycopg", "pydantic"} & loaded(code)


CALL = """
import asyncio
from llm_gateway import LLMClient
from llm_gateway.types import LLMResponse

class Mine:
    async def complete(self, messages, response_model=None):
        return LLMResponse("yes", "mine", "m-1")

asyncio.run(LLMClient(provider_instance=Mine()).chat("hi"))
"""


def test_a_call_without_observers_loads_no_observability_package():
    """Nor the SDK of any provider."""
    assert set() == loaded(CALL) & {"anthropic", "openai", "opentelemetry", "structlog"}


def test_a_run_without_llm_tests_loads_no_client(tmp_path):
    """Suites that do not use the plugin do not pay for it."""
    (tmp_path / "test_plain.py").write_text(
        f"import json, sys\ndef test_plain():\n    assert [] == [name for name in {HEAVY} if name in sys.modules]\n",
        encoding="utf-8",
    )
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "llm_gateway.pytest_plugin",
            "-p",
            "no:cacheprovider",
            "test_plain.py",
        ],
        cwd=tmp_path,
        env={**environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "1 passed" in run.stdout, run.stdout + run.stderr
