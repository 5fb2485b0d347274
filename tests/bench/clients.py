"""Cost of one call through the client, compared with the official SDKs and litellm: CPU time beyond httpx2's."""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from model_server import CHUNKS, serving
from row import Row

__all__ = ["clients"]

RUNS = 3
CALLS = 10_000
HERE = Path(__file__).parent
SDKS = {"openai": "AsyncOpenAI", "anthropic": "AsyncAnthropic"}


def clients() -> Iterator[Row]:
    """Yield the rows; each client has processes of its own, in turn with the others'."""
    yield import_time()
    with serving() as base, tempfile.TemporaryDirectory() as folder:
        lite, why = litellm_python(Path(folder))
        spent = measured(base, {"ours": sys.executable, "sdk": sys.executable, **({"litellm": lite} if lite else {})})
        for provider in SDKS:
            for at_once in (1, 32):
                yield from calls(spent, provider, at_once)
        if lite is None:
            yield Row("`LLMClient.chat` compared with litellm", "at least 5x less", f"not measured: {why}", None)
        yield from streams(base)
        yield from many_calls(base)


def import_time() -> Row:
    """Return the CPU time of importing the package; its client is imported by the first use of the name."""
    script = "import time; t = time.process_time(); {}; print((time.process_time() - t) * 1000)"
    spent = {
        what: statistics.median(float(output(sys.executable, "-c", script.format(what))) for _ in range(5))
        for what in ("import llm_gateway", "from llm_gateway import LLMClient", "import openai", "import anthropic")
    }
    own, client, *peers = spent.values()
    what = "`import llm_gateway` (its client {:.0f} ms; openai {:.0f}, anthropic {:.0f} ms)".format(client, *peers)
    return Row(what, "below 50 ms", f"{own:.1f} ms CPU", own < 50)


def litellm_python(folder: Path) -> tuple[str | None, str]:
    """Return an interpreter that has litellm, that of its tox environment if there is one; else None, and why."""
    ready = os.environ.get("BENCH_LITELLM_PYTHON", "")
    if Path(ready).is_file():
        return ready, ""
    made = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    try:
        output(sys.executable, "-m", "venv", str(folder))
        output(str(made), "-m", "pip", "install", "-q", "litellm>=1.80")
    except subprocess.CalledProcessError as error:
        return None, f"it cannot be installed ({(error.stderr.strip() or error.stdout).splitlines()[-1]})"
    return str(made), ""


def output(*command: str) -> str:
    """Return what a command prints; its errors are captured."""
    environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def run(python: str, base: str, names: Sequence[str]) -> dict[str, float]:
    """Return what `callers` measures in a process of *python*."""
    spent: dict[str, float] = json.loads(output(python, str(HERE / "callers.py"), base, *names).splitlines()[-1])
    return spent


def measured(base: str, pythons: dict[str, str]) -> dict[str, float]:
    """
    Return the CPU microseconds of a call beyond httpx2's, by client, provider and number of concurrent calls.

    Litellm, which is built on other HTTP libraries, is compared with httpx2 too.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(RUNS):
        for peer in random.sample(list(pythons), len(pythons)):
            made = (peer,) if peer == "litellm" else ("raw", peer)
            for name, value in run(pythons[peer], base, [f"{one}:{on}" for on in SDKS for one in made]).items():
                found[name].append(value)
    spent = {name: statistics.median(values) for name, values in found.items()}
    return {name: value - spent[f"raw:{name.partition(':')[2]}"] for name, value in spent.items()}


def calls(spent: dict[str, float], provider: str, at_once: int) -> Iterator[Row]:
    """Yield one row for each client that is compared."""
    ours, sdk = (spent[f"{one}:{provider}@{at_once}"] for one in ("ours", "sdk"))
    lite = spent.get(f"litellm:{provider}@{at_once}")
    what = f"`LLMClient.chat` of {provider}, {at_once} at once, beyond httpx2 ({ours:.0f} us"
    yield Row(f"{what}, {SDKS[provider]} {sdk:.0f} us)", "at most the SDK's", f"{ours / sdk:.2f}x", ours <= sdk)
    if lite is not None:
        yield Row(f"{what}, litellm {lite:.0f} us)", "at least 5x less", f"{lite / ours:.1f}x less", lite >= 5 * ours)


def streams(base: str) -> Iterator[Row]:
    """Yield the rows of a stream: whole CPU time with joined chunks, CPU time beyond httpx2's with single chunks."""
    what = f"a stream of {CHUNKS} chunks"
    ours, sdk, raw = streamed(base)
    each = f"{ours:.1f} ms, AsyncOpenAI {sdk:.1f}, httpx2 alone {raw:.1f}"
    yield Row(f"{what} ({each})", "at most a third of the SDK's CPU", f"{ours / sdk:.2f}x", ours * 3 <= sdk)
    ours, sdk, raw = streamed(f"{base}/paced")
    each, ratio = f"{ours:.1f} ms, AsyncOpenAI {sdk:.1f}, httpx2 alone {raw:.1f}", (ours - raw) / (sdk - raw)
    yield Row(
        f"{what} that come one by one, beyond httpx2 ({each})", "at most a third", f"{ratio:.2f}x", ratio <= 1 / 3
    )


def streamed(base: str) -> tuple[float, float, float]:
    """Return the CPU milliseconds of a stream: ours, the SDK's, httpx2's."""
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(RUNS):
        for peer in random.sample(["ours", "sdk"], 2):
            for name, value in run(sys.executable, base, ["raw_streamed:openai", f"{peer}_streamed:openai"]).items():
                found[name.partition("_")[0]].append(value / 1000)
    return statistics.median(found["ours"]), statistics.median(found["sdk"]), statistics.median(found["raw"])


def many_calls(base: str) -> Iterator[Row]:
    """Yield the memory and the modules that ten thousand calls leave."""
    found = json.loads(output(sys.executable, str(HERE / "steady.py"), base, str(CALLS)))
    early, late = found["after_mb"]
    what = f"memory after {found['calls']:,} calls compared with {CALLS // 10:,} ({late:.1f} MB, {early:.1f} MB)"
    yield Row(what, "flat: below 1 MB more", f"{late - early:+.2f} MB", late - early < 1)
    yield Row("SDKs and recorders imported by them", "none", ", ".join(found["needless"]) or "-", not found["needless"])
