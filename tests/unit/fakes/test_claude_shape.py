"""What a script lets ``claude`` print has every member that the real one always prints, of the same type."""

import json
from collections import defaultdict
from functools import cache, reduce
from pathlib import Path

import pytest
from claude_host import HOSTED, LINES, TOOL, Host, printed

from llm_gateway import ToolCall
from llm_gateway.fakes import FakeLLM
from llm_gateway.types import ThinkingPart

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "claude_cli"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no captured runs at {DATA}: it stands beside the checkout")
OF_A_MACHINE = {"memory_paths", "messaging_socket_path"}
"""Members that hold the paths of one machine, and are missing on another."""


def sort(event):
    """What sort of event it is: those of one sort have the same members."""
    block = (event.get("message") or {}).get("content")
    kind = block[0]["type"] if isinstance(block, list) and block else None
    inner = event.get("event") or {}
    delta = (inner.get("delta") or inner.get("content_block") or {}).get("type")
    asked = (event.get("request") or {}).get("subtype")
    return (
        event.get("type"),
        event.get("subtype"),
        event.get("is_error"),
        kind,
        inner.get("type"),
        delta,
        asked,
        event.get("error") is not None,
        (event.get("response") or {}).get("response", {}).keys() >= {"models"},
    )


def members(value, path=()):
    """Each member by its path, and the type of its value; what is keyed by a model is one member."""
    if isinstance(value, dict):
        for name, inner in value.items():
            place = (*path, "<model>" if name.startswith("claude-") else name)
            yield place, type(inner).__name__
            yield from members(inner, place)
    elif isinstance(value, list) and value and path[-1:] == ("content",):
        yield from members(value[0], (*path, "[]"))


@cache
def real():
    """For each sort of event: the members that it always has, each with the types that it was seen with."""
    seen = defaultdict(list)
    for file in sorted(DATA.glob("*.json")):
        case = json.loads(file.read_text())
        lines = [line for _, channel, line in case.get("events", ()) if line and channel == "out"]
        for event in printed("".join(lines) + (case.get("stdout") or "")):
            if isinstance(event.get("type"), str) and event["type"] != "object":
                seen[sort(event)].append(dict(members(event)))
    always = {}
    for kind, shapes in seen.items():
        shared = reduce(lambda one, other: one & other, (set(shape) for shape in shapes))
        always[kind] = {path: {shape[path] for shape in shapes} for path in shared if path[0] not in OF_A_MACHINE}
    return always


def talked(host):
    """A host with a tool, a hook and a say in what is used, which then asks for another model."""
    return host.begin(PreToolUse=None) + host.say() + host.request("set_model", model="sonnet")


OBJECT = ("--output-format", "json")
SCHEMA = ("--json-schema", json.dumps({"type": "object", "properties": {"n": {"type": "integer"}}}))
CASES = {
    "object": (lambda: FakeLLM().reply("pong"), Host.plain, OBJECT),
    "lines": (lambda: FakeLLM().reply("pong"), Host.plain, LINES),
    "partial": (
        lambda: FakeLLM().reply([ThinkingPart("hm", "c2ln"), "pong"]),
        Host.plain,
        (*LINES, "--include-partial-messages"),
    ),
    "schema": (lambda: FakeLLM().reply({"n": 1}), Host.plain, (*LINES, *SCHEMA)),
    "error": (lambda: FakeLLM().error(529), Host.plain, LINES),
    "timeout": (lambda: FakeLLM().timeout(), Host.plain, OBJECT),
    "limit": (lambda: FakeLLM().truncated(), Host.plain, OBJECT),
    "refusal": (lambda: FakeLLM().refusal(), Host.plain, OBJECT),
    "turns": (lambda: FakeLLM().reply(ToolCall("t", "Bash", {})), Host.plain, (*LINES, "--max-turns", "1")),
    "host": (
        lambda: FakeLLM().reply(ToolCall("t", TOOL, {"text": "hi"})).reply("pong"),
        talked,
        HOSTED,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_member_of_the_real_one(name):
    """By sort of event, deep into usage and models; more members are allowed."""
    script, way, argv = CASES[name]

    compared = [compare(event) for event in way(Host(script(), *argv))]

    assert all(compared), "a sort of event that the real one never printed"


def compare(event):
    """Whether there are real events of that sort; all their members are there."""
    wanted, has = real().get(sort(event)), dict(members(event))
    for path, types in (wanted or {}).items():
        assert path in has, f"{sort(event)} lacks {'.'.join(path)}"
        assert has[path] in types | ({"int", "float"} if types & {"int", "float"} else set()), (path, has[path], types)
    return wanted is not None
