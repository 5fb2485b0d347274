"""CPU time for usage and cost of a replayed call."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from row import Row

from llm_gateway.cassettes.playback import Playback
from llm_gateway.cost.account import account, known_facts
from llm_gateway.cost.budget import Limits, overruns

__all__ = ["accounting"]

CALLS = 500
_REPLAYS = """
import sys
from pathlib import Path
from llm_gateway.interception.use_cassette import use_cassette
import httpx2, json
with use_cassette(Path(sys.argv[1])) as cassette:
    request = json.loads(Path(sys.argv[2]).read_text())
    httpx2.post(request["url"], content=request["body"], headers={"content-type": "application/json"})
    assert cassette.calls[0].cost_usd is not None
print("genai_prices" in sys.modules)
"""


def _per_call_ms(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        work()
        best = min(best, (time.process_time() - start) / CALLS * 1000)
    return best


def accounting(
    folder: Path, write: Callable[[Path, range], None], request: Callable[[int], tuple[str, str]]
) -> Iterator[Row]:
    """Yield the rows: usage and cost of a replayed call are read, summed up and compared with a budget."""
    path = folder / "many.yaml"
    write(path, range(CALLS))
    playback = Playback(path)
    exchanges = [playback.exchange(position) for position in range(CALLS)]

    def known() -> None:
        assert not overruns(Limits(max_tokens=10**9), [account(exchange, "replay") for exchange in exchanges])

    def read() -> None:
        for exchange in exchanges:
            kept, exchange.record = exchange.record, None
            assert known_facts(exchange).usage is not None
            exchange.record = kept

    for what, work in (("a recording of ours", known), ("a recording of others, read from its bytes", read)):
        spent = _per_call_ms(work)
        yield Row(f"usage and cost of one replayed call: {what}", "below 0.3 ms", f"{spent:.3f} ms CPU", spent < 0.3)

    url, body = request(0)
    path = folder / "one.yaml"
    write(path, range(1))
    request_file = folder / "request.json"
    request_file.write_text(json.dumps({"url": url, "body": body}))
    done = subprocess.run(
        [sys.executable, "-c", _REPLAYS, str(path), str(request_file)], capture_output=True, text=True, check=True
    )
    yield Row("genai-prices imported by a replay", "no", done.stdout.strip(), done.stdout == "False\n")
