"""OTLP export by settings alone: programs and the receiver run in their own processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_gateway import SyncLLMClient
from llm_gateway.exceptions import ConfigError


@pytest.mark.parametrize("name", ["tracing", "metrics"])
def test_missing_otel_extra_raises_with_install_command(name, monkeypatch):
    """The error is raised when the client is created."""
    for module in ("trace", "metrics"):
        monkeypatch.setitem(sys.modules, f"opentelemetry.sdk.{module}", None)
    monkeypatch.setenv(f"LLM_{name.upper()}", "otlp")
    with pytest.raises(ConfigError) as caught:
        SyncLLMClient(model="openai:gpt-5-mini", api_key="k")

    module = {"tracing": "trace", "metrics": "metrics"}[name]
    assert (
        "calls cannot be traced or measured by OpenTelemetry\n"
        f"  import of opentelemetry.sdk.{module} halted; None in sys.modules\n"
        "  pip install 'pytest-llm-gateway[otel]'"
    ) == str(caught.value)


PROGRAM = """
import asyncio, sys
from llm_gateway import LLMClient, SyncLLMClient

with SyncLLMClient(session_id="s-1") as llm:
    llm.chat("hello")

async def main():
    async with LLMClient() as llm, asyncio.TaskGroup() as group:
        group.create_task(llm.chat("one"))
        group.create_task(llm.chat("two"))

asyncio.run(main())
"""


@pytest.fixture
def receiver():
    """Start a process that receives OTLP, and yield it with its URL."""
    command = [sys.executable, str(Path(__file__).parent / "otlp_receiver.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        yield process
        process.terminate()


def environment(api, **variables):
    """Return the environment of a environment whose calls go to *api*."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LLM_"))}
    return env | {
        "LLM_MODEL": "openai:gpt-5-mini",
        "LLM_API_KEY": "k",
        "LLM_BASE_URL": f"{api.url}/v1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        **variables,
    }


def run_program(code, env, folder):
    """Return the completed process of *code*."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)


def test_spans_and_metrics_are_exported_over_otlp(receiver, api, tmp_path):
    """All of them have arrived when the program ends."""
    env = environment(api, LLM_TRACING="otlp", LLM_METRICS="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    done = run_program(PROGRAM, env, tmp_path)
    receiver.terminate()
    messages = [json.loads(line) for line in receiver.stdout]
    spans = [one["message"]["resourceSpans"][0]["scopeSpans"][0] for one in messages if one["path"] == "/v1/traces"]
    metrics = [one["message"]["resourceMetrics"][0]["scopeMetrics"][0] for one in messages if "metrics" in one["path"]]

    assert ("", "") == (done.stdout, done.stderr)
    assert {"llm_gateway"} == {one["scope"]["name"] for one in (*spans, *metrics)}
    assert 3 * ["attempt gpt-5-mini"] + 3 * ["chat gpt-5-mini"] == sorted(
        one["name"] for batch in spans for one in batch["spans"]
    )
    assert {
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
        "llm_gateway.client.cost",
    } == {one["name"] for one in metrics[-1]["metrics"]}


def test_spans_are_printed_to_the_console(api, tmp_path):
    """A program that configures OpenTelemetry itself keeps its own configuration."""
    env = environment(api, LLM_TRACING="console")
    own = "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider\n"
    own += "trace.set_tracer_provider(TracerProvider())\n"
    runs = [run_program(code, env, tmp_path) for code in (PROGRAM, own + PROGRAM)]

    assert ["", ""] == [one.stderr for one in runs]
    assert [3, 0] == [one.stdout.count('"name": "chat gpt-5-mini"') for one in runs]
