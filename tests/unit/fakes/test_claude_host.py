"""The control protocol of ``claude`` as a script plays it, line by line; claude-agent-sdk's own is in tests/claude_cli."""

import pytest
from claude_host import HOSTED, TOOL, Host

from llm_gateway import ToolCall
from llm_gateway.fakes import FakeLLM

HANDSHAKE = ["initialize", "notifications/initialized", "tools/list"]


@pytest.fixture
def fake():
    """Its first answer is a tool call, its second one is the result of the tool."""
    return (
        FakeLLM().reply(ToolCall("t1", TOOL, {"text": "hi"})).reply(lambda call: " ".join(call.tool_results.values()))
    )


def result(events):
    return next(event for event in events if event["type"] == "result")


def test_a_tool_of_the_host(fake):
    """Hooks first, then permission, then the tool; the states report when the run waits for the host."""
    host = Host(fake, *HOSTED)
    host.begin(PreToolUse=None, PostToolUse="mcp__.*", Stop=None)

    events = host.say()

    requests = [*HANDSHAKE, "PreToolUse", "can_use_tool", "tools/call", "PostToolUse"]
    assert requests == host.requests
    assert ("found", 2) == (result(events)["result"], result(events)["num_turns"])
    states = [event["state"] for event in events if event.get("subtype") == "session_state_changed"]
    assert ["running", "requires_action", "running", "idle"] == states
    assert [TOOL] == next(event for event in events if event.get("subtype") == "init")["tools"]
    assert [0, 0] == [run.record.cost_usd for run in host.noted]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"decision": "block", "reason": "not now"}, "not now"),
        ({"hookSpecificOutput": {"permissionDecision": "deny", "permissionDecisionReason": "never"}}, "never"),
        ({"decision": "block"}, "blocked by a hook"),
    ],
)
def test_a_hook_that_blocks(answer, reason, fake):
    """No further request is sent, and the tool result has the reason."""
    host = Host(fake, *HOSTED)
    host.begin(PreToolUse=TOOL)
    host.answers["hook_callback"] = answer

    ended = result(host.say())

    assert [*HANDSHAKE, "PreToolUse"] == host.requests
    assert (reason, "t1") == (ended["result"], ended["permission_denials"][0]["tool_use_id"])


def test_a_hook_that_settles_it(fake):
    """It may allow the use, and change it; a hook for other tools is not called."""
    host = Host(fake, *HOSTED)
    host.begin(PreToolUse="*", PostToolUse="Bash")
    host.answers["hook_callback"] = {
        "hookSpecificOutput": {"permissionDecision": "allow", "updatedInput": {"text": "other"}}
    }

    assert "found" == result(host.say())["result"]
    assert [*HANDSHAKE, "PreToolUse", "tools/call"] == host.requests


def test_a_hook_that_stops_it(fake):
    """The turn ends."""
    host = Host(fake.on(contains="never") and fake, *HOSTED)
    host.begin(PreToolUse=None)
    host.answers["hook_callback"] = {"continue": False}

    assert "error_during_execution" == result(host.say())["subtype"]


@pytest.mark.parametrize(
    "allowed",
    [
        ("--allowedTools", f"Bash(lookup:*),{TOOL}"),
        ("--allowedTools=mcp__srv",),
        ("--permission-mode", "bypassPermissions"),
        ("--dangerously-skip-permissions",),
    ],
)
def test_a_tool_that_is_allowed(allowed, fake):
    """No permission is requested."""
    host = Host(fake, *HOSTED, *allowed, env={})
    host.begin()

    events = host.say()

    assert [*HANDSHAKE, "tools/call"] == host.requests
    assert ["init"] == [event["subtype"] for event in events if event["type"] == "system"]


def test_what_the_host_cannot_do(fake):
    """The tool result has the error of a permission request, or of the tool."""
    fake.reply(ToolCall("t2", TOOL, {})).reply(lambda call: " ".join(call.tool_results.values()))
    host = Host(fake, *HOSTED)
    host.begin()
    host.answers["can_use_tool"] = None
    assert "no such luck" == result(host.say())["result"]
    host.answers |= {"can_use_tool": {"behavior": "allow"}, "tools/call": None}

    assert "no such luck" == result(host.say())["result"]


def test_an_interrupt_and_other_requests(fake):
    """A turn that waits for the host ends; a request that is not known does no harm."""
    host = Host(fake, *HOSTED)
    host.begin()
    del host.answers["can_use_tool"]
    host.say()

    events = host.request("interrupt")
    assert ("error_during_execution", "aborted_streaming") == (
        result(events)["subtype"],
        result(events)["terminal_reason"],
    )
    host.send({"type": "control_response", "response": {"request_id": "long gone", "response": {}}})
    host.send({"type": "keep_alive"})
    (nothing,) = host.request("interrupt")
    assert "success" == nothing["response"]["subtype"]
    (known,) = host.request("set_permission_mode", mode="plan")
    assert {} == known["response"]["response"]
    host.session.feed(b"")
    assert 0 == host.session.exit_code


def test_the_host_goes_away(fake):
    """The host can no longer permit the tool."""
    host = Host(fake, *HOSTED, "--mcp-config", "servers.json")
    host.begin()
    del host.answers["can_use_tool"]
    host.say()
    host.session.feed(b"")

    assert 1 == host.session.exit_code


def test_servers_that_are_no_part_of_the_host():
    """A file names servers that only the real one would start."""
    host = Host(FakeLLM().reply("pong"), *HOSTED[:-1], "servers.json")
    host.begin()

    assert "pong" == result(host.say())["result"]
    assert [] == host.requests
