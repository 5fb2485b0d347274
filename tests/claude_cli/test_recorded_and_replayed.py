"""The real command line and its SDK, recorded once and replayed without the binary and the API."""

import asyncio
import json
import subprocess

import anyio
import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import CassetteMissError
from llm_gateway.interception.use_cassette import use_cassette

COMMAND = ["claude", "-p", "--output-format", "json", "--model", "haiku", "--tools", "", "--setting-sources", ""]


def by_run(prompt):
    return subprocess.run(COMMAND, input=prompt.encode(), capture_output=True, check=True).stdout


def by_popen(prompt):
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        return process.communicate(prompt.encode())[0]


def by_asyncio(prompt):
    async def go():
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*COMMAND, stdin=pipe, stdout=pipe)
        return (await process.communicate(prompt.encode()))[0]

    return asyncio.run(go())


def by_anyio(prompt):
    async def go():
        return (await anyio.run_process(COMMAND, input=prompt.encode())).stdout

    return anyio.run(go)


@pytest.mark.parametrize("run", [by_run, by_popen, by_asyncio, by_anyio])
def test_command_line_is_replayed(run, claude, api, tmp_path):
    """Output is the same byte for byte, with the usage and the cost that the command reports."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as recording:
        live = run("hello there")
    assert "HELLO THERE" == json.loads(live)["result"]
    assert 1 == api.requests
    claude()
    with use_cassette(tmp_path / "a.yaml") as replay:
        assert live == run("hello there")

    for (call,) in (recording.calls, replay.calls):
        assert (131, 30, 47) == (
            call.usage.input_tokens,
            call.usage.cache_read_tokens,
            call.usage.output_tokens,
        )
        assert json.loads(live)["total_cost_usd"] == float(call.cost_usd)
        assert "claude-haiku-5-5" == call.model_served


def texts_of(messages):
    """Return the messages of the SDK as text."""
    return [repr(message) for message in messages]


def options(**more):
    from claude_agent_sdk import ClaudeAgentOptions

    defaults = {"tools": [], "system_prompt": "You are terse.", "setting_sources": [], "model": "haiku"}
    return ClaudeAgentOptions(**{**defaults, **more})


async def by_query():
    from claude_agent_sdk import query

    return [message async for message in query(prompt="say pong", options=options())]


async def by_client():
    """Run two turns on one connection, with another model for the second."""
    from claude_agent_sdk import ClaudeSDKClient

    messages = []
    async with ClaudeSDKClient(options()) as client:
        await client.query("first")
        messages += [message async for message in client.receive_response()]
        await client.set_model("sonnet")
        await client.query("second")
        messages += [message async for message in client.receive_response()]
    return messages


async def by_tool_and_hook():
    """Run a turn with a tool in this process and a hook that sees each use of it."""
    from claude_agent_sdk import ClaudeSDKClient, HookMatcher, create_sdk_mcp_server, tool

    seen = []

    @tool("weigh", "Weigh something", {"what": str})
    async def weigh(arguments):
        seen.append(arguments)
        return {"content": [{"type": "text", "text": "1 kg"}]}

    async def hook(data, *_):
        seen.append(data["tool_name"])
        return {}

    server = create_sdk_mcp_server("scales", tools=[weigh])
    made = options(
        mcp_servers={"scales": server},
        allowed_tools=["mcp__scales__weigh"],
        hooks={"PreToolUse": [HookMatcher(hooks=[hook])]},
    )
    async with ClaudeSDKClient(made) as client:
        await client.query("weigh feathers")
        messages = [message async for message in client.receive_response()]
    assert ["mcp__scales__weigh", {"what": "feathers"}] == seen
    return messages


@pytest.mark.parametrize("use_sdk", [by_query, by_client, by_tool_and_hook])
def test_sdk_messages_are_replayed(use_sdk, claude, tmp_path):
    """The SDK returns the same messages in the same order."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = asyncio.run(use_sdk())
    claude()
    with use_cassette(tmp_path / "a.yaml") as cassette:
        assert texts_of(live) == texts_of(asyncio.run(use_sdk()))
    (call,) = cassette.calls
    assert call.usage.output_tokens
    assert call.cost_usd


def test_miss_of_the_sdk_fails_with_the_difference(claude, tmp_path):
    """The SDK's own error has an exit code only; the block raises the whole message."""
    from claude_agent_sdk import query

    async def run_query(prompt):
        return [message async for message in query(prompt=prompt, options=options())]

    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        asyncio.run(run_query("one"))
    claude()
    expected = pytest.raises(CassetteMissError, match="differs in what it reads")
    with expected, use_cassette(tmp_path / "a.yaml"), pytest.raises(Exception, match="exit code 97"):
        asyncio.run(run_query("two"))
