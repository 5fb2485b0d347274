"""
Compare the package with similar packages and with plain HTTP calls, and print a table of ratios.

Run it with ``tox run -e bench``. Every pair is measured in turn, round by round, and the medians are compared, so that
a busy machine slows both sides alike. Only loopback is used.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import httpx2
import openai
import vcr
import yaml
from accounting import accounting
from clients import clients
from faked import faked
from frozen import frozen_clock
from ledger import ledger
from row import Row
from served import served
from stub import serve_stream

from llm_gateway import SyncLLMClient
from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.use_cassette import use_cassette

ROUNDS = 15
BIG = 5_000
URL = "https://api.openai.com/v1/chat/completions"


def exchange(number: int, size: int = 400) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a request body and its reply, about 4 kB together at the default size."""
    text = f"{number}: " + "the quick brown fox jumps over the lazy dog. " * (size // 10)
    body = {"messages": [{"role": "user", "content": text}], "model": "gpt-5-mini"}
    message = {"role": "assistant", "content": text, "refusal": None}
    reply = {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1790000000,
        "model": "gpt-5-mini",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 500, "total_tokens": 1000},
    }
    return body, reply


def answer(request: httpx2.Request) -> httpx2.Response:
    """Return the reply of the mock transport, and of the recording made with it."""
    number = int(json.loads(request.content)["messages"][0]["content"].partition(":")[0])
    return httpx2.Response(200, json=exchange(number)[1])


def write_cassette(path: Path, numbers: range) -> None:
    """Write a cassette that both the package and vcrpy read, with usage and price as in a recording."""
    call_record = {
        "recorded_at": "2026-11-21T00:00:00+00:00",
        "duration_s": 0.5,
        "provider": "openai",
        "api": "openai.chat",
        "model_served": "gpt-5-mini",
        "usage": {"input_tokens": 500, "output_tokens": 500},
        "cost_usd": "0.001125",
        "price": {"source": "genai-prices", "input_mtok": "0.25", "output_mtok": "2"},
    }
    interactions = []
    for number in numbers:
        body, reply = exchange(number)
        request = {"method": "POST", "uri": URL, "headers": {"content-type": ["application/json"]}}
        response = {"status": {"code": 200, "message": "OK"}, "headers": {"content-type": ["application/json"]}}
        request["body"], response["body"] = json.dumps(body), {"string": json.dumps(reply)}
        interactions.append({"request": request, "response": response, "llm": call_record})
    path.write_text(yaml.dump({"version": 1, "interactions": interactions}, Dumper=yaml.CSafeDumper))


def clock(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one run of *work*."""
    start = time.process_time()
    work()
    return time.process_time() - start


def side_by_side(rounds: int = ROUNDS, **works: Callable[[], object]) -> dict[str, float]:
    """Return the median CPU seconds of each, measured in turn in random order, after one warm-up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name in random.sample(list(works), len(works)):
            times[name].append(clock(works[name]))
    return {name: statistics.median(values) for name, values in times.items()}


def call(client: openai.OpenAI, number: int = 0) -> None:
    """Make one call of the SDK and check its reply."""
    body, reply = exchange(number)
    done = client.chat.completions.create(**body)
    assert reply["choices"][0]["message"]["content"] == done.choices[0].message.content


def start_up() -> Iterator[Row]:
    """Yield the imports and their CPU time that the plugin adds to pytest's own."""
    script = "import pytest, sys, time; t = time.process_time(); before = set(sys.modules)\n{}"
    after = (
        "import llm_gateway.pytest_plugin\nspent = time.process_time() - t\n"
        "new = {m.partition('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names)\n"
        "print(spent, ' '.join(sorted(new - {'llm_gateway', 'pytest', '_pytest', 'pluggy'})) or '-')"
    )
    runs = [
        subprocess.run([sys.executable, "-c", script.format(after)], capture_output=True, text=True, check=True).stdout
        for _ in range(9)
    ]
    spent = statistics.median(float(run.split()[0]) for run in runs) * 1000
    others = runs[0].split()[1]
    yield Row("`import llm_gateway.pytest_plugin`", "below 5 ms", f"{spent:.1f} ms CPU", spent < 5)
    yield Row("third-party modules beyond pytest and pluggy", "none", others, others == "-")


def one_call(folder: Path) -> Iterator[Row]:
    """Yield the rows of one replayed call, compared with a mock transport and with vcrpy."""
    path = folder / "one.yaml"
    write_cassette(path, range(1))
    shared = openai.OpenAI(api_key="x", max_retries=0)
    mocked = openai.OpenAI(api_key="x", http_client=httpx2.Client(transport=httpx2.MockTransport(answer)))
    recorder = vcr.VCR(record_mode="none", match_on=("method", "uri", "body"))

    def many(client: openai.OpenAI, opened: Callable[[], AbstractContextManager[object]], times: int = 10) -> None:
        for _ in range(times):
            with opened():
                call(client)

    def theirs() -> None:
        many(shared, lambda: recorder.use_cassette(str(path)))

    spent = side_by_side(
        floor=lambda: many(mocked, nullcontext),
        load=lambda: [yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader) for _ in range(10)],
        ours=lambda: many(shared, lambda: use_cassette(path)),
        vcrpy=theirs,
    )
    ratio = spent["ours"] / (spent["floor"] + spent["load"])
    less = (spent["vcrpy"] - spent["floor"]) / max(spent["ours"] - spent["floor"], 1e-9)
    each = {name: f"{value * 100:.2f}" for name, value in spent.items()}
    yield Row(
        f"one replayed call, openai SDK (ms: floor {each['floor']}, file load {each['load']}, ours {each['ours']})",
        "at most 1.5x MockTransport plus file load",
        f"{ratio:.2f}x",
        ratio <= 1.5,
    )
    yield Row(
        f"its overhead compared with vcrpy, pytest-recording's engine ({each['vcrpy']} ms)",
        "at least 3x less",
        f"{less:.1f}x less",
        less >= 3,
    )

    def fresh(opened: Callable[[], AbstractContextManager[object]]) -> None:
        with opened(), openai.OpenAI(api_key="x", max_retries=0) as client:
            call(client)

    spent = side_by_side(
        ours=lambda: fresh(lambda: use_cassette(path)),
        vcrpy=lambda: fresh(lambda: recorder.use_cassette(str(path))),
    )
    ratio = spent["vcrpy"] / spent["ours"]
    yield Row(
        f"a fresh default client and one call ({spent['ours'] * 1000:.1f} ms, vcrpy {spent['vcrpy'] * 1000:.1f} ms)",
        "at least 10x less",
        f"{ratio:.1f}x less",
        ratio >= 10,
    )


def big_file(folder: Path) -> Iterator[Row]:
    """Yield the rows of a file with thousands of exchanges, replayed in random order with their bodies matched."""
    path = folder / "big.yaml"
    write_cassette(path, range(BIG))
    order = random.sample(range(BIG), BIG)
    mocked = httpx2.Client(transport=httpx2.MockTransport(answer))
    client = httpx2.Client()

    def send(through: httpx2.Client, numbers: list[int]) -> None:
        for number in numbers:
            assert through.post(URL, json=exchange(number)[0]).status_code == 200

    raw = path.read_bytes()
    start = time.process_time()
    yaml.load(raw, Loader=yaml.CSafeLoader)
    parse = time.process_time() - start
    floor = clock(lambda: send(mocked, order))
    start = time.process_time()
    with use_cassette(path):
        load = time.process_time() - start
        half = clock(lambda: send(client, order[: BIG // 2]))
        rest = clock(lambda: send(client, order[BIG // 2 :]))
    ratio = (half + rest) / floor
    yield Row(
        f"{BIG:,} exchanges in random order ({half + rest:.2f} s)",
        "at most 3x MockTransport",
        f"{ratio:.2f}x",
        ratio <= 3,
    )
    yield Row("second half compared with first half", "linear", f"{rest / half:.2f}x", rest / half < 1.3)
    yield Row(
        f"loading that file ({load:.2f} s)", "at most 1.5x libyaml's parse", f"{load / parse:.2f}x", load / parse <= 1.5
    )


def first_byte(folder: Path) -> Iterator[Row]:
    """Yield the time until the first chunk of a stream reaches the caller, while recording and without."""
    url, stop = serve_stream(events=40, gap_s=0.005)
    times: dict[str, list[float]] = {"plain": [], "recorded": []}

    def first() -> float:
        with httpx2.Client() as client:
            start = time.perf_counter()
            with client.stream("POST", url, json={"model": "x", "messages": []}) as reply:
                chunks = reply.iter_raw()
                next(chunks)
                spent = time.perf_counter() - start
                for _ in chunks:
                    pass
            return spent

    for number in range(7):
        times["plain"].append(first())
        with use_cassette(folder / f"stream{number}.yaml", Mode.RECORD):
            times["recorded"].append(first())
    stop()
    later = (statistics.median(times["recorded"]) - statistics.median(times["plain"])) * 1000
    yield Row("first byte of a stream while recording", "within 5 ms of unrecorded", f"{later:+.2f} ms", later < 5)


def memory(folder: Path) -> Iterator[Row]:
    """Yield the peak memory of recording one long stream, compared with the stream's size."""
    url, stop = serve_stream(events=2_000, gap_s=0, size=10_000)
    total = 0
    with use_cassette(folder / "long.yaml", Mode.RECORD), httpx2.Client() as client:
        tracemalloc.start()
        with client.stream("POST", url, json={"model": "x", "messages": []}) as reply:
            for chunk in reply.iter_raw():
                total += len(chunk)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    stop()
    times = peak / total
    yield Row(
        "memory while recording a 20 MB stream", "one exchange", f"{times:.1f}x its size, put together", times < 2.5
    )


CLAUDE = """#!{python}
import json, sys
def say(**event):
    print(json.dumps(event), flush=True)
if "--input-format" not in sys.argv:
    sys.stdin.read()
for line in sys.stdin:
    value = json.loads(line)
    if value["type"] == "control_request":
        response = {{"subtype": "success", "request_id": value["request_id"], "response": {{"commands": []}}}}
        say(type="control_response", response=response)
        continue
    say(type="system", subtype="init", session_id="s", model="m", tools=[], claude_code_version="2.1.329")
    text = [{{"type": "text", "text": "pong"}}]
    say(type="assistant", message={{"model": "m", "content": text}}, parent_tool_use_id=None, session_id="s")
    break
say(type="result", subtype="success", is_error=False, num_turns=1, result="pong", session_id="s", duration_ms=1,
    duration_api_ms=1, total_cost_usd=0.5, usage={{}}, modelUsage={{"m": {{"inputTokens": 1, "outputTokens": 1}}}})
"""


def claude(folder: Path) -> Iterator[Row]:
    """Yield the wall time of a replayed run of the command line: by the shim, by the client, by the agent SDK."""
    program = folder / "claude"
    program.write_text(CLAUDE.format(python=sys.executable))
    program.chmod(0o755)
    search = os.environ["PATH"]
    ways = {
        "`claude -p` by `subprocess.run`": (by_subprocess, 40),
        "`claude` by `SyncLLMClient`": (by_client, 5),
        "`claude` by `claude-agent-sdk`": (by_sdk, 5),
    }
    for number, (what, (work, target)) in enumerate(ways.items()):
        path = folder / f"claude-{number}.yaml"
        os.environ["PATH"] = f"{folder}{os.pathsep}{search}"
        with use_cassette(path, Mode.RECORD):
            work()
        os.environ["PATH"] = search
        spent = statistics.median(replayed(path, work) for _ in range(ROUNDS)) * 1000
        yield Row(f"{what}, replayed", f"at most {target} ms", f"{spent:.1f} ms", spent <= target)


def replayed(path: Path, work: Callable[[], object]) -> float:
    """Return the wall seconds of *work* inside its cassette, without opening it."""
    with use_cassette(path):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start


def by_subprocess() -> None:
    """Run the command as an application does."""
    done = subprocess.run(["claude", "-p"], input=b"ping", capture_output=True, check=True)
    assert b"pong" in done.stdout


def by_client() -> None:
    """Call the package's own client."""
    assert SyncLLMClient(provider="local_claude").chat("ping").content == "pong"


def by_sdk() -> None:
    """Call the agent SDK, its event loop included."""
    import claude_agent_sdk

    async def ask() -> None:
        options = claude_agent_sdk.ClaudeAgentOptions(cli_path="claude")
        messages = [message async for message in claude_agent_sdk.query(prompt="ping", options=options)]
        assert isinstance(messages[-1], claude_agent_sdk.ResultMessage)

    asyncio.run(ask())


def main() -> int:
    """Print the table; return 0 if every target was met, else 1."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [
            *start_up(),
            *one_call(folder),
            *big_file(folder),
            *first_byte(folder),
            *memory(folder),
            *claude(folder),
            *accounting(folder, write_cassette, lambda number: (URL, json.dumps(exchange(number)[0]))),
            *ledger(folder),
            *frozen_clock(),
            *faked(folder),
            *clients(),
            *served(),
        ]
    print("| measured | target | result | met |\n| --- | --- | --- | --- |")
    print(*rows, sep="\n")
    return 0 if all(row.is_met is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
