"""Calls of the application, recorded and replayed by the marker, whatever library makes them."""

import pytest
from helpdesk.draft import draft
from helpdesk.triage import triage
from helpdesk.weekly import summary


@pytest.mark.llm
def test_triage_uses_the_anthropic_sdk():
    assert triage("I was charged twice this month.") == "billing"


@pytest.mark.llm
def test_draft_streams_with_the_openai_sdk():
    chunks = list(draft("Where is my invoice?"))
    assert len(chunks) > 3
    assert "invoice" in "".join(chunks)


@pytest.mark.llm
def test_weekly_runs_the_claude_command_line():
    assert "tickets" in summary("Mon: 12 tickets. Tue: 9 tickets. One outage.")
