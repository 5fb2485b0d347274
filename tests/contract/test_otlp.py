"""Export by settings alone: programs in processes of their own, and a receiver of OTLP in another."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llm_gateway import SyncLLMClient
from llm_gateway.exceptions import ConfigError


@pytest.mark.parametrize("name", ["tracing", "metrics"])
def test_a_missing_extra_names_the_command(name, monkeypatch):
    """When the client is made."""
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
    """A process that takes OTLP."""
    command = [sys.executable, str(Path(__file__).parent / "otlp_receiver.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        process.url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        yield process
        process.terminate()


def program(api, **variables):
    """The environment of a program whose calls go to *api*."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "LLM_"))}
    return env | {
        "LLM_MODEL": "openai:gpt-5-mini",
        "LLM_API_KEY": "k",
        "LLM_BASE_URL": f"{api.url}/v1",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        **variables,
    }


def ran(code, env, folder):
    """A program that has ended."""
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False)


def test_spans_and_metrics_arrive_at_a_receiver_by_settings_alone(receiver, api, tmp_path):
    """All that were made, when the program ends."""
    env = program(api, LLM_TRACING="otlp", LLM_METRICS="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    done = ran(PROGRAM, env, tmp_path)
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


def test_the_console_shows_spans_by_settings_alone(api, tmp_path):
    """As OpenTelemetry prints them; a program that has set up OpenTelemetry itself keeps what it has set up."""
    env = program(api, LLM_TRACING="console")
    own = "from opentelemetry import trace; from opentelemetry.sdk.trace import TracerProvider\n"
    own += "trace.set_tracer_provider(TracerProvider())\n"
    runs = [ran(code, env, tmp_path) for code in (PROGRAM, own + PROGRAM)]

    assert ["", ""] == [one.stderr for one in runs]
    assert [3, 0] == [one.stdout.count('"name": "chat gpt-5-mini"') for one in runs]
