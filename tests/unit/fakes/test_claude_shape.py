"""Scripted output of ``claude`` has every field that the real one always prints, with the same type."""

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
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no captured runs at {DATA}, next to the checkout")
OF_A_MACHINE = {"memory_paths", "messaging_socket_path"}
"""Fields with paths of one machine, which are missing on another."""


def kind_of(event):
    """Return the kind of *event*: events of one kind have the same fields."""
    block = (event.get("message") or {}).get("content")
    content = block[0]["type"] if isinstance(block, list) and block else None
    inner = event.get("event") or {}
    delta = (inner.get("delta") or inner.get("content_block") or {}).get("type")
    request = (event.get("request") or {}).get("subtype")
    return (
        event.get("type"),
        event.get("subtype"),
        event.get("is_error"),
        content,
        inner.get("type"),
        delta,
        request,
        event.get("error") is not None,
        (event.get("response") or {}).get("response", {}).keys() >= {"models"},
    )


def fields_of(value, path=()):
    """Yield each field by its path, with the type of its value; all names of models are one field."""
    if isinstance(value, dict):
        for name, inner in value.items():
            place = (*path, "<model>" if name.startswith("claude-") else name)
            yield place, type(inner).__name__
            yield from fields_of(inner, place)
    elif isinstance(value, list) and value and path[-1:] == ("content",):
        yield from fields_of(value[0], (*path, "[]"))


@cache
def real():
    """Return, for each kind of event, the fields that it always has, each with the types that were recorded."""
    seen = defaultdict(list)
    for file in sorted(DATA.glob("*.json")):
        case = json.loads(file.read_text())
        lines = [line for _, channel, line in case.get("events", ()) if line and channel == "out"]
        for event in printed("".join(lines) + (case.get("stdout") or "")):
            if isinstance(event.get("type"), str) and event["type"] != "object":
                seen[kind_of(event)].append(dict(fields_of(event)))
    always = {}
    for kind, shapes in seen.items():
        shared = reduce(lambda one, other: one & other, (set(shape) for shape in shapes))
        always[kind] = {path: {shape[path] for shape in shapes} for path in shared if path[0] not in OF_A_MACHINE}
    return always


def use_host(host):
    """Run a turn with a host that has a tool, a hook and permissions; then change the model."""
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
        use_host,
        HOSTED,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_field_of_the_real_one(name):
    """For each kind of event, deep into usage and models; further fields are allowed."""
    script, way, argv = CASES[name]

    compared = [compare(event) for event in way(Host(script(), *argv))]

    assert all(compared), "a kind of event that the real one never printed"


def compare(event):
    """Check that *event* has all fields of real events of its kind; return whether there are any."""
    wanted, has = real().get(kind_of(event)), dict(fields_of(event))
    for path, types in (wanted or {}).items():
        assert path in has, f"{kind_of(event)} lacks {'.'.join(path)}"
        assert has[path] in types | ({"int", "float"} if types & {"int", "float"} else set()), (path, has[path], types)
    return wanted is not None
