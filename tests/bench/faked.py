"""Cost of a fake reply compared with a mock transport in the same SDK, and of the fixture for a test."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
from row import Row

from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette

__all__ = ["faked"]

ROUNDS, CALLS, TESTS = 15, 50, 200
MESSAGES: Any = [{"role": "user", "content": "How is the weather in Oslo?"}]
CALLS_BY_SDK: dict[str, Callable[[Any], Any]] = {
    "openai": lambda sdk: sdk.chat.completions.create(model="gpt-5-mini", messages=MESSAGES),
    "anthropic": lambda sdk: sdk.messages.create(model="claude-haiku-4-5", max_tokens=99, messages=MESSAGES),
}
SDKS = {"openai": openai.OpenAI, "anthropic": anthropic.Anthropic}
CONFTEST = """
import json, time
import pytest
spent = []

@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef):
    start = time.process_time()
    done = yield
    if fixturedef.argname == "fake_llm":
        spent.append((time.process_time() - start) * 1000)
    return done

def pytest_unconfigure():
    print("spent", json.dumps(spent))
"""
SUITE = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_scripts(fake_llm, number):
    pass
"""


def faked(folder: Path) -> Iterator[Row]:
    """Yield the rows of one call of each SDK, and of the fixture."""
    for provider in CALLS_BY_SDK:
        mocked, scripted = compare(provider, folder / "none.yaml")
        what = f"a scripted answer over a mock transport's, {provider} SDK (ms: {scripted:.2f}, {mocked:.2f})"
        more = scripted - mocked
        yield Row(what, "at most 0.5 ms more", f"{more:+.2f} ms CPU", more <= 0.5)
    first, *rest = fixture_ms(folder)
    each = statistics.median(rest)
    yield Row(f"set-up of `fake_llm` (first in a run {first:.0f} ms)", "below 1 ms", f"{each:.2f} ms CPU", each < 1)


def compare(provider: str, path: Path) -> tuple[float, float]:
    """Return the median milliseconds of a call: with a mock transport that has the fake's bytes, and with the fake."""
    ask, make = CALLS_BY_SDK[provider], SDKS[provider]
    shared = make(api_key="k", max_retries=0)
    with use_cassette(path) as cassette:
        fake = FakeLLM().reply("It is mild.", times=None)
        cassette.answer_by(fake)
        body = ask(shared).to_dict()
        transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json=body))
        mocked = make(api_key="k", max_retries=0, http_client=httpx2.Client(transport=transport))
        found: dict[Any, list[float]] = {mocked: [], shared: []}
        for _ in range(ROUNDS):
            for client in random.sample(list(found), 2):
                found[client].append(call_ms(lambda client=client: ask(client)))
    return statistics.median(found[mocked]), statistics.median(found[shared])


def call_ms(work: Callable[[], object]) -> float:
    """Return the CPU milliseconds of one of several runs of *work*."""
    start = time.process_time()
    for _ in range(CALLS):
        work()
    return (time.process_time() - start) / CALLS * 1000


def fixture_ms(folder: Path) -> list[float]:
    """Return the CPU milliseconds of the fixture in each test of a separate run."""
    suite = folder / "suite"
    suite.mkdir()
    (suite / "conftest.py").write_text(CONFTEST)
    (suite / "test_scripts.py").write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(suite), str(suite)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=suite)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("spent ")]
    spent: list[float] = json.loads(line.removeprefix("spent "))
    return spent
