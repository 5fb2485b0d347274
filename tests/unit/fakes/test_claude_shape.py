"""What a script lets ``claude`` print has every member that the real one always prints, of the same type."""

import json
from collections import defaultdict
from functools import cache, reduce
from pathlib import Path

import pytest

from llm_gateway import ToolCall
from llm_gateway.fakes import FakeLLM
from llm_gateway.types import ProcessRequest, ThinkingPart

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "claude_cli"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no captured runs at {DATA}: it stands beside the checkout")
OF_A_MACHINE = {"memory_paths", "messaging_socket_path"}
"""Members that hold the paths of one machine, and are missing on another."""


def printed(text):
    """The events of an output in any format."""
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except ValueError:
            continue
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


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


class Notes:
    def note_answer(self, exchange):
        pass

    def note_failure(self, error):
        return error.report


def begun(script, *argv):
    """A run in the shape of the SDK's."""
    env = {"CLAUDE_CODE_SDK_READS_SESSION_STATE": "1"}
    return script.talk(ProcessRequest(("claude", *argv), env=env, cwd="/work"), Notes())


def output(talk):
    assert 97 != talk.exit_code, talk.output()
    return list(printed(b"".join(one.data for one in talk.output() if one.channel == "stdout").decode()))


def asked(talk):
    """One plain input."""
    talk.feed(b"hi")
    talk.feed(b"")
    return output(talk)


SERVER = json.dumps({"mcpServers": {"srv": {"type": "sdk", "name": "srv"}}})
HOOKS = {"PreToolUse": [{"matcher": None, "hookCallbackIds": ["hook_0"]}]}
MCP = {
    "initialize": {},
    "tools/list": {"tools": [{"name": "echo", "inputSchema": {}}]},
    "tools/call": {"content": [{"type": "text", "text": "said"}]},
}


def talked(talk):
    """A host with a tool, a hook and a say in what is used, which then asks for another model."""
    found = []
    for line in (
        {"type": "control_request", "request_id": "r1", "request": {"subtype": "initialize", "hooks": HOOKS}},
        {"type": "user", "message": {"role": "user", "content": "hi"}},
        {"type": "control_request", "request_id": "r2", "request": {"subtype": "set_model", "model": "sonnet"}},
    ):
        lines = [line]
        while lines:
            talk.feed(json.dumps(lines.pop(0)).encode() + b"\n")
            new = output(talk)
            found += new
            lines += [answered(event) for event in new if event["type"] == "control_request"]
    return found


def answered(event):
    request, response = event["request"], {"behavior": "allow"}
    if request["subtype"] == "mcp_message":
        message = request["message"]
        response = {"mcp_response": {"jsonrpc": "2.0", "id": message.get("id"), "result": MCP.get(message["method"])}}
    elif request["subtype"] == "hook_callback":
        response = {}
    told = {"subtype": "success", "request_id": event["request_id"], "response": response}
    return {"type": "control_response", "response": told}


OBJECT, STREAM = ("--output-format", "json"), ("--output-format", "stream-json", "--verbose", "--model", "haiku")
SCHEMA = ("--json-schema", json.dumps({"type": "object", "properties": {"n": {"type": "integer"}}}))
HOSTED = ("--input-format", "stream-json", "--permission-prompt-tool", "stdio", "--mcp-config", SERVER)
CASES = {
    "object": (FakeLLM().reply("pong"), asked, OBJECT),
    "lines": (FakeLLM().reply("pong"), asked, STREAM),
    "partial": (
        FakeLLM().reply([ThinkingPart("hm", "c2ln"), "pong"]),
        asked,
        (*STREAM, "--include-partial-messages"),
    ),
    "schema": (FakeLLM().reply({"n": 1}), asked, (*STREAM, *SCHEMA)),
    "error": (FakeLLM().error(529), asked, STREAM),
    "timeout": (FakeLLM().timeout(), asked, OBJECT),
    "limit": (FakeLLM().truncated(), asked, OBJECT),
    "refusal": (FakeLLM().refusal(), asked, OBJECT),
    "turns": (FakeLLM().reply(ToolCall("t", "Bash", {})), asked, (*STREAM, "--max-turns", "1")),
    "host": (
        FakeLLM().reply(ToolCall("t", "mcp__srv__echo", {"text": "hi"})).reply("pong"),
        talked,
        (*STREAM, *HOSTED),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_member_of_the_real_one(name):
    """By sort of event, deep into usage and models; more members are allowed."""
    fake, way, argv = CASES[name]

    compared = [compare(event) for event in way(begun(fake, *argv))]

    assert all(compared), "a sort of event that the real one never printed"


def compare(event):
    """Whether there are real events of that sort; all their members are there."""
    wanted, has = real().get(sort(event)), dict(members(event))
    for path, types in (wanted or {}).items():
        assert path in has, f"{sort(event)} lacks {'.'.join(path)}"
        assert has[path] in types | ({"int", "float"} if types & {"int", "float"} else set()), (path, has[path], types)
    return wanted is not None
