"""``openai`` and ``@anthropic-ai/sdk`` from npm, connected to `llm_server`."""

import pytest

from llm_gateway.exceptions import CassetteMissError
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.pytest_plugin.environment import PLACEHOLDER
from llm_gateway.pytest_plugin.server import serving
from llm_gateway.types import ToolCall

SDKS = ("claude", "gpt")


def test_chat_stream_and_tools(fake_llm, node):
    """The SDKs parse fake replies, streams and tool calls."""
    call = ToolCall("call_1", "weather", {"city": "Rome"})
    for _ in SDKS:
        fake_llm.reply("sunny").usage(input=12, output=3).stream(["sun", "ny"]).reply(call)

    results = node(*[f"{sdk}_{what}" for sdk in SDKS for what in ("chat", "stream", "tool")])

    for sdk, stop in zip(SDKS, ("tool_use", "tool_calls"), strict=True):
        assert {"text": "sunny", "usage": [12, 3]} == results[f"{sdk}_chat"]
        assert ["sun", "ny"] == results[f"{sdk}_stream"]
        assert {"name": "weather", "input": {"city": "Rome"}, "stop": stop} == results[f"{sdk}_tool"]
    assert ["Weather in Rome?"] * 6 == [one.text for one in fake_llm.calls]


def test_responses_api(fake_llm, node):
    """The openai SDK parses a fake response."""
    fake_llm.reply("sunny")

    assert {"gpt_responses": "sunny"} == node("gpt_responses")


@pytest.mark.parametrize("sdk", SDKS)
def test_sdk_retries_after_a_rate_limit(fake_llm, node, sdk):
    """The second request gets the reply."""
    fake_llm.error(429, retry_after=0.01, then="sunny")

    assert "sunny" == node(f"{sdk}_chat")[f"{sdk}_chat"]["text"]
    assert 2 == len(fake_llm.calls)


def test_broken_connection_is_retried_unless_a_stream_has_begun(fake_llm, node):
    """A stream that breaks off is an error."""
    fake_llm.disconnect(then="sunny").disconnect(after_chunks=3)

    results = node("gpt_chat", "gpt_stream")

    assert "sunny" == results["gpt_chat"]["text"]
    assert "error" in results["gpt_stream"]


def test_timeout_is_an_error(fake_llm, node):
    """The client gives up, since no reply comes."""
    fake_llm.timeout()

    assert "APIConnectionTimeoutError" == node("gpt_impatient")["gpt_impatient"]["error"]


def test_client_gets_the_message_of_a_miss(tmp_path, run_client, monkeypatch):
    """The same message fails the test."""
    monkeypatch.setenv("OPENAI_API_KEY", PLACEHOLDER)
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLACEHOLDER)
    with (
        pytest.raises(CassetteMissError),
        use_cassette(tmp_path / "none.yaml") as cassette,
        serving(cassette) as server,
    ):
        results = run_client(server, "gpt_chat")["gpt_chat"]

    assert 470 == results["status"]
    assert "CassetteMissError: no recording matches POST api.openai.com/v1/chat/completions" in results["message"]
