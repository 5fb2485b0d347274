"""What is logged of a call."""

import json
import logging
import subprocess
import sys
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from llm_gateway.exceptions import ConfigError
from llm_gateway.observability.events import CallEnded, CallStarted
from llm_gateway.observability.logging import Logging, configured, line
from llm_gateway.types import CallRecord, ChatRequest, LLMMessage, TextPart, TokenUsage

REQUEST = ChatRequest("gpt-5-mini", (LLMMessage("user", (TextPart("whisper"),)),))
ATTEMPT = CallRecord(provider="openai", model_served="gpt-5-mini", status=200, duration_s=1.2)


def ended(usage=None, cost=None, end="complete", error=None, attempts=1, session=None, first=None):
    """A call that is over."""
    started = CallStarted(1, "chat", "openai", "gpt-5-mini", session, "api.openai.com", 443, REQUEST)
    cost_usd = None if cost is None else Decimal(cost)
    return CallEnded(started, end, "openai", "gpt-5-mini", error, (ATTEMPT,) * attempts, usage, cost_usd, 1.2345, first)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"usage": TokenUsage(11, 7), "cost": "0.0000168"}, "11 in, 7 out | 1.23 s | $0.000017"),
        (
            {"usage": TokenUsage(11, 7, cache_read_tokens=4), "cost": "1.5"},
            "11 in (4 cached), 7 out | 1.23 s | $1.500000",
        ),
        ({}, "? in, ? out | 1.23 s | $?"),
        ({"usage": TokenUsage(11)}, "11 in, ? out | 1.23 s | $?"),
        (
            {"usage": TokenUsage(0, 0), "cost": "0", "attempts": 3, "session": "s-1", "first": 0.5},
            "0 in, 0 out | 1.23 s (first 0.50 s) | $0.000000 | 3 attempts | session s-1",
        ),
        ({"end": "failed", "error": "auth", "cost": "0"}, "? in, ? out | 1.23 s | $0.000000 | auth"),
        ({"end": "abandoned"}, "? in, ? out | 1.23 s | $? | abandoned"),
    ],
)
def test_the_line_of_a_call(given, expected):
    """What is not known is a question mark, never a zero."""
    assert f"openai gpt-5-mini | {expected}" == line(ended(**given))


def test_lines_by_the_standard_library(caplog):
    """Failures are warnings; only the ends of calls are logged, and no prompts."""
    with caplog.at_level(logging.INFO, "llm_gateway.calls"):
        for event in (ended().started, ended(cost="0"), ended(end="failed", error="auth", cost="0")):
            Logging().observe(event)

    assert [
        ("llm_gateway.calls", logging.INFO, "openai gpt-5-mini | ? in, ? out | 1.23 s | $0.000000"),
        ("llm_gateway.calls", logging.WARNING, "openai gpt-5-mini | ? in, ? out | 1.23 s | $0.000000 | auth"),
    ] == caplog.record_tuples


FACTS = {
    "verb": "chat",
    "provider": "openai",
    "model": "gpt-5-mini",
    "input_tokens": 11,
    "cache_read_tokens": None,
    "output_tokens": 7,
    "duration_s": 1.2345,
    "first_content_s": 0.5,
    "cost_usd": 0.25,
    "attempts": 1,
    "is_cached": False,
    "end": "complete",
    "error": None,
    "session_id": "s-1",
}


def test_json_for_machines(caplog):
    """One object a line; null where nothing is known."""
    with caplog.at_level(logging.INFO, "llm_gateway.calls"):
        Logging("json").observe(ended(TokenUsage(11, 7), "0.25", session="s-1", first=0.5))

    assert FACTS | {"event": "llm_call"} == json.loads(caplog.messages[0])


def test_structlog_by_its_form():
    """Whatever it is set up to write gets the same facts."""
    with capture_logs() as logs:
        Logging("structlog").observe(ended(TokenUsage(11, 7), "0.25", session="s-1", first=0.5))

    assert [FACTS | {"event": "llm_call", "log_level": "info"}] == logs


def test_structlog_that_is_not_there(monkeypatch):
    """With what to install."""
    monkeypatch.setitem(sys.modules, "structlog", None)
    with pytest.raises(ConfigError) as caught:
        configured("structlog")

    assert (
        "calls cannot be logged by structlog\n"
        "  import of structlog halted; None in sys.modules\n"
        "  pip install 'pytest-llm-gateway[logging]'"
    ) == str(caught.value)


PROGRAM = """
import asyncio, sys, logging
from llm_gateway import LLMClient
from llm_gateway.types import LLMResponse

class Mine:
    async def complete(self, messages, response_model=None):
        return LLMResponse("yes", "mine", "m-1")
    async def close(self):
        pass

if sys.argv[1] == "own":
    logging.basicConfig(format="mine: %(message)s", level=logging.INFO)
for _ in range(2):
    asyncio.run(LLMClient(provider_instance=Mine()).chat("hi"))
"""


@pytest.mark.parametrize(("setting", "own", "start"), [("line", "no", "Mine "), ("line", "own", "mine: Mine ")])
def test_lines_are_seen_by_settings_alone(setting, own, start, tmp_path, monkeypatch):
    """Once each, on standard error, or as the program's own logging writes them."""
    monkeypatch.setenv("LLM_LOG", setting)
    command = [sys.executable, "-c", PROGRAM, own]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    assert 2 == len(done.stderr.splitlines())
    assert [True, True] == [one.startswith(start) for one in done.stderr.splitlines()]
