"""Claude-agent-sdk with fake replies: its own client, control protocol and callbacks, without the binary."""

import asyncio
import inspect
import time

import anyio
import pytest

from llm_gateway import ToolCall
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette

sdk = pytest.importorskip("claude_agent_sdk")


@pytest.fixture(params=["in process", "by the shim"])
def fake(request, tmp_path, monkeypatch):
    """Return a fake used in this process, and by the shim, as where anyio was imported before it could be hooked."""
    made = FakeLLM()
    with use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(made)
        if request.param == "by the shim":
            monkeypatch.setattr(anyio, "open_process", inspect.unwrap(anyio.open_process))
        yield made
        cassette.outcome._failures.clear()


def options(**more):
    defaults = {"tools": [], "system_prompt": "Be terse.", "setting_sources": [], "model": "haiku"}
    return sdk.ClaudeAgentOptions(**{**defaults, **more})


def query(prompt="hi", **more):
    async def go():
        return [message async for message in sdk.query(prompt=prompt, options=options(**more))]

    return asyncio.run(go())


def kinds(messages):
    return [type(message).__name__.removesuffix("Message") for message in messages]


def test_query_returns_text_usage_and_cost(fake):
    """The SDK reads them from the fake run."""
    fake.reply("pong").usage(input=10, output=5, cache_read=4)

    messages = query()

    assert ["System", "Assistant", "Result"] == kinds(messages)
    assert ("pong", "claude-haiku-5-5") == (messages[1].content[0].text, messages[1].model)
    result = messages[2]
    assert ("pong", False, 0, 1) == (result.result, result.is_error, result.total_cost_usd, result.num_turns)
    assert 6 == result.usage["input_tokens"]
    assert ("hi", "Be terse.", "haiku") == (fake.last.text, fake.last.system, fake.last.model)


def test_partial_messages_keep_chunks_and_timing(fake):
    """They come as scripted, with the time between them."""
    fake.stream(["pa", "rt"], gap_s=0.05)

    start = time.monotonic()
    events = [one.event for one in query(include_partial_messages=True) if isinstance(one, sdk.types.StreamEvent)]

    assert 0.05 <= time.monotonic() - start
    assert ["pa", "rt"] == [one["delta"]["text"] for one in events if one["type"] == "content_block_delta"]
    assert ["message_start", "content_block_start"] == [one["type"] for one in events[:2]]
    assert ["content_block_stop", "message_delta", "message_stop"] == [one["type"] for one in events[-3:]]


def test_structured_output(fake):
    """The object arrives through the command's own tool."""
    fake.reply({"n": 42})
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}

    result = query(output_format={"type": "json_schema", "schema": schema})[-1]

    assert ({"n": 42}, '{"n":42}', "tool_use") == (result.structured_output, result.result, result.stop_reason)


def test_second_turn_has_history_and_another_model(fake):
    """The usage of each model is reported."""
    fake.reply("one").reply(lambda call: " ".join(message.text for message in call.messages))

    async def go():
        async with sdk.ClaudeSDKClient(options()) as client:
            await client.query("first")
            before = [message async for message in client.receive_response()]
            await client.set_model("sonnet")
            await client.query("second")
            return before, [message async for message in client.receive_response()]

    before, after = asyncio.run(go())

    assert ("one", "first one second") == (before[-1].result, after[-1].result)
    assert ["haiku", "sonnet"] == [call.model for call in fake.calls]
    assert {"claude-haiku-5-5", "claude-sonnet-5-5"} == set(after[-1].model_usage)
    assert 1 == before[-1].num_turns == after[-1].num_turns


def weighing(permission):
    """Return the messages of a client with a tool, a hook and *permission*, and the calls of these in order."""
    seen = []

    @sdk.tool("weigh", "Weigh something", {"what": str})
    async def weigh(arguments):
        seen.append(arguments)
        return {"content": [{"type": "text", "text": "1 kg"}]}

    async def hook(data, *_):
        seen.append((data["hook_event_name"], data["tool_name"]))
        return {}

    async def may(name, arguments, _):
        seen.append(("may", name))
        return permission

    async def go():
        made = options(
            mcp_servers={"scales": sdk.create_sdk_mcp_server("scales", tools=[weigh])},
            hooks={name: [sdk.HookMatcher(hooks=[hook])] for name in ("PreToolUse", "PostToolUse")},
            can_use_tool=may,
        )
        async with sdk.ClaudeSDKClient(made) as client:
            await client.query("weigh feathers")
            return [message async for message in client.receive_response()]

    return asyncio.run(go()), seen


NAME = "mcp__scales__weigh"


def test_tool_hook_and_permission_callback_are_called(fake):
    """The tool runs with the arguments that the permission callback sets."""
    fake.reply(ToolCall("call_1", NAME, {"what": "feathers"}))
    fake.on(tool_result="1 kg").reply("light")

    messages, seen = weighing(sdk.PermissionResultAllow(updated_input={"what": "lead"}))

    assert [("PreToolUse", NAME), ("may", NAME), {"what": "lead"}, ("PostToolUse", NAME)] == seen
    assert ["System", "Assistant", "User", "Assistant", "Result"] == kinds(messages)
    assert ("light", 2) == (messages[-1].result, messages[-1].num_turns)
    assert [NAME] == [tool.name for tool in fake.calls[0].tools]
    assert {"call_1": "1 kg"} == fake.last.tool_results


@pytest.mark.parametrize("interrupt", [False, True])
def test_denied_tool_returns_its_reason_to_the_model(fake, interrupt):
    """With interrupt=True the turn ends instead."""
    fake.reply(ToolCall("call_1", NAME, {"what": "feathers"}))
    if not interrupt:
        fake.on(tool_result="not today").reply("well then")

    messages, seen = weighing(sdk.PermissionResultDeny(message="not today", interrupt=interrupt))

    assert [("PreToolUse", NAME), ("may", NAME)] == seen
    result = messages[-1]
    if interrupt:
        assert ("error_during_execution", "aborted_streaming") == (result.subtype, result.terminal_reason)
    else:
        assert "well then" == result.result
        denial = {"tool_name": NAME, "tool_use_id": "call_1", "tool_input": {"what": "feathers"}}
        assert [denial] == result.permission_denials


def test_interrupt_ends_the_turn(fake):
    """It waits for a permission; the next turn is answered."""
    fake.reply(ToolCall("call_1", NAME, {})).reply("again")

    async def go():
        waits, is_called = asyncio.Event(), asyncio.Event()

        async def may(*_):
            is_called.set()
            await waits.wait()

        async with sdk.ClaudeSDKClient(options(can_use_tool=may)) as client:
            await client.query("first")
            await is_called.wait()
            await client.interrupt()
            first = [message async for message in client.receive_response()]
            await client.query("second")
            return first, [message async for message in client.receive_response()]

    first, second = asyncio.run(go())

    assert ("error_during_execution", "again") == (first[-1].subtype, second[-1].result)


def test_scripted_error_is_raised_with_its_status(fake):
    """The SDK raises ResultError with the scripted message."""
    fake.error(429, "not so fast")

    with pytest.raises(sdk.ResultError, match=r"Request rejected \(429\) · not so fast") as caught:
        query()

    assert 429 == caught.value.data["api_error_status"]


def test_disconnect_ends_the_process(fake):
    """The SDK raises ProcessError with exit code -9."""
    fake.disconnect(after_chunks=1)

    with pytest.raises(sdk.ProcessError) as caught:
        query()

    assert -9 == caught.value.exit_code


def test_unscripted_call_exits_with_a_message(fake):
    """The exit code is 97, and the message is on standard error."""
    lines = []

    with pytest.raises(sdk.ProcessError, match="exit code 97"):
        query(stderr=lines.append)

    assert "FakeMissError: fake_llm has no answer for call #1 local_claude haiku (claude_cli)" == lines[0]
