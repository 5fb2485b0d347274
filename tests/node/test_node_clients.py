"""``openai`` and ``@anthropic-ai/sdk`` from npm, answered by `llm_server`."""

import pytest

from llm_gateway.exceptions import CassetteMissError
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.pytest_plugin.environment import PLACEHOLDER
from llm_gateway.pytest_plugin.server import serving
from llm_gateway.types import ToolCall

BOTH = ("claude", "gpt")


def test_chat_stream_and_tools(fake_llm, node):
    """Their own parsers take what was scripted."""
    call = ToolCall("call_1", "weather", {"city": "Rome"})
    for _ in BOTH:
        fake_llm.reply("sunny").usage(input=12, output=3).stream(["sun", "ny"]).reply(call)

    told = node(*[f"{who}_{what}" for who in BOTH for what in ("chat", "stream", "tool")])

    for who, stop in zip(BOTH, ("tool_use", "tool_calls"), strict=True):
        assert {"text": "sunny", "usage": [12, 3]} == told[f"{who}_chat"]
        assert ["sun", "ny"] == told[f"{who}_stream"]
        assert {"name": "weather", "input": {"city": "Rome"}, "stop": stop} == told[f"{who}_tool"]
    assert ["Weather in Rome?"] * 6 == [one.text for one in fake_llm.calls]


def test_responses(fake_llm, node):
    """The other API of the same SDK."""
    fake_llm.reply("sunny")

    assert {"gpt_responses": "sunny"} == node("gpt_responses")


@pytest.mark.parametrize("who", BOTH)
def test_a_rate_limit_is_waited_out(fake_llm, node, who):
    """By the SDK's own retries."""
    fake_llm.error(429, retry_after=0.01, then="sunny")

    assert "sunny" == node(f"{who}_chat")[f"{who}_chat"]["text"]
    assert 2 == len(fake_llm.calls)


def test_a_connection_that_breaks(fake_llm, node):
    """Each SDK tells it in its own way; one that breaks before any reply is tried again."""
    fake_llm.disconnect(then="sunny").disconnect(after_chunks=3)

    told = node("gpt_chat", "gpt_stream")

    assert "sunny" == told["gpt_chat"]["text"]
    assert "error" in told["gpt_stream"]


def test_a_timeout(fake_llm, node):
    """The client gives up, as nothing ever comes."""
    fake_llm.timeout()

    assert "APIConnectionTimeoutError" == node("gpt_impatient")["gpt_impatient"]["error"]


def test_a_miss_is_told_to_the_client(tmp_path, ask, monkeypatch):
    """In the words that fail the test as well."""
    monkeypatch.setenv("OPENAI_API_KEY", PLACEHOLDER)
    monkeypatch.setenv("ANTHROPIC_API_KEY", PLACEHOLDER)
    with (
        pytest.raises(CassetteMissError),
        use_cassette(tmp_path / "none.yaml") as cassette,
        serving(cassette) as server,
    ):
        told = ask(server, "gpt_chat")["gpt_chat"]

    assert 470 == told["status"]
    assert "CassetteMissError: no recording matches POST api.openai.com/v1/chat/completions" in told["message"]
