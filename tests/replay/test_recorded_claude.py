"""Captured runs of the real command line: their usage is read, and they are replayed."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from llm_gateway.interception.claude.shim.player import Player, Run
from llm_gateway.wire.reading import read_process

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "claude_cli"


def captures(pattern):
    if not DATA.exists():
        pytest.skip(f"no captured runs at {DATA}: only maintainers have them, next to their checkout")
    found = [(file.stem, json.loads(file.read_text())) for file in sorted(DATA.glob(pattern))]
    return [(name, case) for name, case in found if isinstance(case, dict)]


def results(stdout):
    """Return every result in an output, read without the package."""
    found = []
    for line in stdout.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    return [one for one in found if one.get("type") == "result"]


def test_usage_and_cost_of_each_run_are_read(record_property):
    """They are those that the run reports; None where it reports none."""
    read = stated = 0
    for name, case in captures("*.json"):
        if not isinstance(case.get("stdout"), str):
            continue
        reported = results(case["stdout"])
        reading = read_process(tuple(case["argv"]), case["stdout"].encode())
        if not reported:
            assert (None, None) == (reading.usage, reading.cost_usd), name
            continue
        stated += 1
        models = reported[-1].get("modelUsage") or {}
        assert reading.cost_usd == Decimal(str(reported[-1]["total_cost_usd"])), name
        if models:
            assert reading.usage.output_tokens == sum(row["outputTokens"] for row in models.values()), name
            assert reading.usage.input_tokens == sum(
                row["inputTokens"] + row["cacheReadInputTokens"] + row["cacheCreationInputTokens"]
                for row in models.values()
            ), name
        read += 1
    assert read == stated > 50
    record_property("counted claude runs read", f"{read} of {stated}")
    record_property("row providers", ["local_claude", {"recorded": str(read)}])


def lines_of(case):
    return [("stdin" if channel == "in" else "stdout", line.encode()) for _, channel, line in case["events"] if line]


def test_each_sdk_conversation_replays(record_property):
    """The caller gets every recorded line in order, with the ids of its own requests."""
    cases = captures("sdk_*.json")
    for name, case in cases:
        frames = lines_of(case)
        run = Run(0, case["argv"], frames, stdin_closed=True, exit_code=0)
        player = Player([run], [*case["argv"]], lambda _: True)
        received = [data for _, data in player.output()]
        for channel, line in frames:
            if channel == "stdin":
                renamed = re.sub(rb"req_(\d+)_[0-9a-f]{8}", rb"req_\1_deadbeef", line)
                player.feed(renamed if renamed.endswith(b"\n") else renamed + b"\n")
                received += [data for _, data in player.output()]
        player.feed(b"")
        received += [data for _, data in player.output()]
        expected = [
            re.sub(rb"req_(\d+)_[0-9a-f]{8}", rb"req_\1_deadbeef", data)
            for channel, data in frames
            if channel == "stdout"
        ]
        assert expected == received, name
        assert player.is_done, name
        assert not player.is_missed, name
    record_property("counted claude conversations replayed", f"{len(cases)} of {len(cases)}")
