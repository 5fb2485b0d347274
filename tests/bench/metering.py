"""What it costs to know what a replayed call cost."""

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

__all__ = ["metering"]

CALLS = 500
_REPLAYS = """
import sys
from pathlib import Path
from llm_gateway.interception.use_cassette import use_cassette
import httpx2, json
with use_cassette(Path(sys.argv[1])) as cassette:
    asked = json.loads(Path(sys.argv[2]).read_text())
    httpx2.post(asked["url"], content=asked["body"], headers={"content-type": "application/json"})
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


def metering(
    folder: Path, write: Callable[[Path, range], None], request: Callable[[int], tuple[str, str]]
) -> Iterator[Row]:
    """Reading usage and cost of a call that is replayed, summing it up and holding it to a budget."""
    path = folder / "metered.yaml"
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
        yield Row(f"metering one replayed call: {what}", "below 0.3 ms", f"{spent:.3f} ms CPU", spent < 0.3)

    url, body = request(0)
    path = folder / "one.yaml"
    write(path, range(1))
    asked = folder / "asked.json"
    asked.write_text(json.dumps({"url": url, "body": body}))
    done = subprocess.run(
        [sys.executable, "-c", _REPLAYS, str(path), str(asked)], capture_output=True, text=True, check=True
    )
    yield Row("genai-prices imported by a replay", "no", done.stdout.strip(), done.stdout == "False\n")
