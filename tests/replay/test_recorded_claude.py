"""Captured runs of the real command line: each is read for what it used, and each replays as it was."""

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
        pytest.skip(f"no captured runs at {DATA}: they stand beside the checkout of the maintainers")
    found = [(file.stem, json.loads(file.read_text())) for file in sorted(DATA.glob(pattern))]
    return [(name, case) for name, case in found if isinstance(case, dict)]


def results(stdout):
    """Every result in an output, read without the package."""
    found = []
    for line in stdout.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        found += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    return [one for one in found if one.get("type") == "result"]


def test_each_run_is_read_for_what_it_used(record_property):
    """Tokens by model as the run states them, and its own cost; nothing where it states nothing."""
    read = stated = 0
    for name, case in captures("*.json"):
        if not isinstance(case.get("stdout"), str):
            continue
        told = results(case["stdout"])
        reading = read_process(tuple(case["argv"]), case["stdout"].encode())
        if not told:
            assert (None, None) == (reading.usage, reading.cost_usd), name
            continue
        stated += 1
        models = told[-1].get("modelUsage") or {}
        assert reading.cost_usd == Decimal(str(told[-1]["total_cost_usd"])), name
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


def test_each_conversation_of_the_sdk_replays(record_property):
    """With ids of its own, and the input a line at a time, the caller gets every recorded line in order."""
    cases = captures("sdk_*.json")
    for name, case in cases:
        frames = lines_of(case)
        run = Run(0, case["argv"], frames, stdin_closed=True, exit_code=0)
        player = Player([run], [*case["argv"]], lambda _: True)
        heard = [data for _, data in player.output()]
        for channel, line in frames:
            if channel == "stdin":
                renamed = re.sub(rb"req_(\d+)_[0-9a-f]{8}", rb"req_\1_deadbeef", line)
                player.feed(renamed if renamed.endswith(b"\n") else renamed + b"\n")
                heard += [data for _, data in player.output()]
        player.feed(b"")
        heard += [data for _, data in player.output()]
        expected = [
            re.sub(rb"req_(\d+)_[0-9a-f]{8}", rb"req_\1_deadbeef", data)
            for channel, data in frames
            if channel == "stdout"
        ]
        assert expected == heard, name
        assert player.is_done, name
        assert not player.is_missed, name
    record_property("counted claude conversations replayed", f"{len(cases)} of {len(cases)}")
