"""Answers as they are kept."""

from decimal import Decimal

import pytest

from llm_gateway.client.cache.entry import Entry, decode, encode, is_cacheable
from llm_gateway.record import CallRecord
from llm_gateway.types import ChatReply, ImagePart, TextPart, ThinkingPart, TokenUsage, ToolCall

FULL = ChatReply(
    (
        ThinkingPart("hm", "sig"),
        TextPart("a \ud800 b\n"),
        ImagePart(b"\x00\xff", "image/png"),
        ToolCall("1", "f", {"x": [1.5]}),
    ),
    "m",
    "id",
    "tool_use",
    TokenUsage(3, None, 1, service_tier="flex"),
    Decimal("0.10"),
    {"a": None},
)
RECORD = CallRecord(api="openai.chat", usage=FULL.usage, cost_usd=Decimal("0.000010"), source="replay")


@pytest.mark.parametrize("entry", [Entry(FULL, RECORD), Entry(ChatReply(()), CallRecord())])
def test_an_entry_comes_back_as_it_was(entry):
    """Unknown numbers stay unknown, and dollars keep their digits."""
    assert entry == decode(encode(entry))


@pytest.mark.parametrize(
    "value",
    [b"", b"\xff", b"[]", b"{}", b"null", b'{"reply": {}}', encode(Entry(FULL, RECORD)).replace(b"TextPart", b"Film")],
)
def test_what_is_no_entry_is_none(value):
    """Also when another program wrote it."""
    assert decode(value) is None


CALL = (ToolCall("1", "f", {}),)
TEXT = (TextPart("a"),)


@pytest.mark.parametrize(
    ("parts", "stop_reason", "expected"),
    [
        (TEXT, "end_turn", (True, True)),
        (TEXT, "stop_sequence", (True, True)),
        (CALL, "tool_use", (False, True)),
        (TEXT + CALL, "end_turn", (False, True)),
        (CALL, "max_tokens", (False, False)),
        ((), "end_turn", (False, False)),
        *(
            (TEXT, reason, (False, False))
            for reason in ("max_tokens", "refusal", "content_filter", "pause_turn", "context_window", "error", None)
        ),
    ],
)
def test_only_a_whole_answer_is_kept(parts, stop_reason, expected):
    """Tool calls only when that is enabled; a reply without a stop reason is not whole."""
    reply = ChatReply(parts, stop_reason=stop_reason)

    assert expected == tuple(is_cacheable(reply, with_tool_calls=enabled) for enabled in (False, True))
