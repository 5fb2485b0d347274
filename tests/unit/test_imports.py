"""What importing the package costs: each import happens in a process of its own."""

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
    """The top-level modules that a fresh interpreter has loaded after *code*."""
    done = subprocess.run([sys.executable, "-c", f"{code}\n{LIST}", *args], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def third_party(code):
    """What *code* loads beyond the standard library, pytest with what it needs itself, and the package."""
    return loaded(code) - loaded("import pytest") - set(sys.stdlib_module_names) - {"llm_gateway", "pluggy"}


def test_importing_the_plugin_loads_nothing_beyond_pytest():
    """Every pytest run of every project that has the plugin installed pays for its import."""
    assert set() == third_party("import llm_gateway.pytest_plugin")


@pytest.mark.parametrize("module", ["llm_gateway", "llm_gateway.types", "llm_gateway.exceptions"])
def test_the_public_face_loads_nothing_beyond_the_standard_library(module):
    """Names are looked up when they are used."""
    assert set() == third_party(f"import {module}")


def test_a_ledger_loads_its_database_when_it_is_opened():
    """And a report by path loads no settings."""
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


def test_a_call_that_nobody_observes_loads_nothing_to_observe_it():
    """Nor the SDK of any provider."""
    assert set() == loaded(CALL) & {"anthropic", "openai", "opentelemetry", "structlog"}


def test_a_run_without_llm_tests_loads_no_client(tmp_path):
    """A suite that uses nothing of the plugin pays for nothing of it."""
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
