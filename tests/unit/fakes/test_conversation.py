"""A recording as a script: exact where it is not edited, and edited turn by turn."""

import re
from pathlib import Path

import openai
import pytest

from llm_gateway.cassettes.playback import Playback
from llm_gateway.exceptions import CassetteReadError, FakeScriptError
from llm_gateway.fakes import FakeLLM

RECORDED = Path(__file__).parents[3] / "examples" / "quickstart" / "cassettes" / "tests"
TRIAGE = RECORDED / "test_helpdesk" / "test_triage_uses_the_anthropic_sdk.yaml"
DRAFT = RECORDED / "test_helpdesk" / "test_draft_streams_with_the_openai_sdk.yaml"
MESSAGES = [{"role": "user", "content": "something else"}]


def test_is_exact_where_it_is_not_edited(fake, claude):
    """The reply is the recorded one byte for byte, whatever the request."""
    fake.from_cassette(TRIAGE)

    reply = claude.messages.with_raw_response.create(model="claude-x", max_tokens=9, messages=MESSAGES)

    assert Playback(TRIAGE).exchange(0).reply.body == reply.read()


def test_a_turn_is_edited_by_the_verbs_of_a_script(fake):
    """The first takes the recorded answer's place, others come after; the recorded one can be put back."""
    conversation = fake.from_cassette(DRAFT)
    (turn,) = conversation
    turn.error(429, retry_after=0, then=turn.recorded)
    client = openai.OpenAI(api_key="k", max_retries=1)

    with client.chat.completions.create(model="gpt-x", messages=MESSAGES, stream=True) as stream:
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    assert "openai.chat" == turn.call.api
    assert len(text) > 20
    assert 2 == len(fake.calls)


def test_is_encoded_for_the_called_api(fake, claude, gpt):
    """A stream of one provider answers another's plain call."""
    fake.from_cassette(DRAFT)
    fake.from_cassette(TRIAGE)

    message = claude.messages.create(model="claude-x", max_tokens=9, messages=MESSAGES)
    chunks = list(gpt.chat.completions.create(model="gpt-x", messages=MESSAGES, stream=True))

    assert len(message.content[0].text) > 20
    assert "claude-x" == message.model
    assert chunks[-1].choices[0].finish_reason in ("stop", "tool_calls")


def test_a_file_that_is_no_conversation(tmp_path):
    """The error names what the file contains."""
    weekly = RECORDED / "test_helpdesk" / "test_weekly_runs_the_claude_command_line.yaml"

    with pytest.raises(FakeScriptError, match="cannot be replayed as a conversation\n  it contains runs of a command"):
        FakeLLM().from_cassette(weekly)
    with pytest.raises(CassetteReadError, match=re.escape("none.yaml") + "\n.*\n  llm-gateway cassettes ls"):
        FakeLLM().from_cassette(tmp_path / "none.yaml")
