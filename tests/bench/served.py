"""Time until `llm_server` answers, in a process of its own, and the time that it adds to a call."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Iterator

from row import Row

_SCRIPT = """
import contextlib, json, socket, time
import llm_gateway.pytest_plugin.session
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.fakes import FakeLLM

BODY = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}).encode()
REQUEST = b"POST /openai/v1/chat/completions HTTP/1.1\\r\\nhost: localhost\\r\\ncontent-length: %d\\r\\n\\r\\n" % len(BODY) + BODY
fake = FakeLLM().reply("ok", times=None)
with use_cassette("none.yaml") as cassette:
    cassette.answer_by(fake)
    start = time.perf_counter()
    from llm_gateway.pytest_plugin.server import serving

    with contextlib.ExitStack() as stack:
        server = stack.enter_context(serving(cassette))
        client = stack.enter_context(socket.create_connection(server.url[7:].split(":"), 5))
        file = stack.enter_context(client.makefile("rb"))
        ready = time.perf_counter() - start

        def ask():
            client.sendall(REQUEST)
            assert file.readline().startswith(b"HTTP/1.1 200")
            head = list(iter(file.readline, b"\\r\\n"))
            file.read(next(int(line[15:]) for line in head if line.startswith(b"content-length:")))

        ask()
        first = time.perf_counter() - start
        start = time.perf_counter()
        for _ in range(200):
            ask()
        each = (time.perf_counter() - start) / 200
        start = time.perf_counter()
    closed = time.perf_counter() - start
print(ready * 1000, first * 1000, each * 1000, closed * 1000)
"""


def served() -> Iterator[Row]:
    """Yield the rows; the process first imports what a pytest run with the plugin has imported."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", _SCRIPT], capture_output=True, text=True, check=True, timeout=60
        ).stdout.split()
        for _ in range(9)
    ]
    ready, first, each, closed = (statistics.median(float(run[at]) for run in runs) for at in range(4))
    yield Row(
        f"`llm_server` ready, with its imports (first answer after {first:.1f} ms, closed in {closed:.1f} ms)",
        "below 300 ms",
        f"{ready:.1f} ms",
        ready < 300,
    )
    yield Row("one call by `llm_server`, over a socket", "below 2 ms", f"{each:.2f} ms", each < 2)
