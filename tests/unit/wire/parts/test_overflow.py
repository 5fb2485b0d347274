"""What providers say of a prompt that is too long, in the words that they use."""

import json

import pytest

from llm_gateway.wire.parts.errors import Overflow, error_facts, read_overflow

OPENAI = "This model's maximum context length is 4097 tokens. However, "


@pytest.mark.parametrize(
    ("message", "counted", "limit"),
    [
        ("prompt is too long: 205668 tokens > 200000 maximum", 205_668, 200_000),
        (
            "The model returned the following errors: prompt is too long: 200049 tokens > 200000 maximum",
            200_049,
            200_000,
        ),
        ("input length and `max_tokens` exceed context limit: 178902 + 32000 > 200000", 178_902, 168_000),
        (OPENAI + "your messages resulted in 6988 tokens. Please reduce the length.", 6_988, 4_097),
        (OPENAI + "you requested 4268 tokens (4012 in the messages, 256 in the completion).", 4_012, 3_841),
        (
            OPENAI.replace(". H", ", h") + "you requested 4322 tokens (4066 in your prompt; 256 for the completion).",
            4_066,
            3_841,
        ),
        (OPENAI + "your request has 5000 input tokens.", 5_000, 4_097),
        (
            "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).",
            1_200_293,
            1_048_576,
        ),
        ("This model's maximum prompt length is 131072 but the request contains 537812 tokens.", 537_812, 131_072),
        ("Prompt contains 300,000 tokens, too large for model with 131,072 maximum context length", 300_000, 131_072),
        ("Your request exceeded model token limit: 262144 (requested: 300000)", 300_000, 262_144),
    ],
)
def test_the_numbers_are_read(message, counted, limit):
    """And the message alone gives the kind ``context_window``."""
    body = json.dumps({"error": {"type": "invalid_request_error", "message": message}}).encode()

    assert Overflow(counted, limit) == read_overflow(message)
    assert "context_window" == error_facts(400, (), body).kind


@pytest.mark.parametrize(
    "message",
    ["Input is too long for requested model.", "prompt is too long: 5 tokens > 9 maximum", "9 + 9 > 5", ""],
)
def test_no_numbers_are_none(message):
    """Nor are those that make no sense."""
    assert read_overflow(message) is None
