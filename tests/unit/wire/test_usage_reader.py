"""Usage, model and stated cost, collected from the objects of one reply."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.types import TokenUsage
from llm_gateway.wire.usage import READERS, UsageReader, read_usage

CHAT = {"prompt_tokens": 9, "completion_tokens": 4}
READ = TokenUsage(9, 4)
CONVERSE = {"inputTokens": 9, "outputTokens": 4}


def read(api, *events):
    reader = UsageReader(api)
    for event in events:
        reader.take(event)
    return reader


def trace(usage):
    output = {"rawResponse": {}, "metadata": {"clientRequestId": "1", "usage": usage}, "traceId": "2"}
    return {"sessionId": "3", "trace": {"orchestrationTrace": {"thought": {}, "modelInvocationOutput": output}}}


@pytest.mark.parametrize(
    ("api", "events", "model", "usage"),
    [
        ("openai.chat", [{"model": "m", "usage": CHAT}], "m", READ),
        ("openai.chat", [{"model": "m", "usage": None}, {"usage": CHAT}, {"usage": None}], "m", READ),
        ("openai.chat", [{"model": "m"}, {"x_groq": {"usage": CHAT}}], "m", READ),
        ("openai.chat", [{"usage": CHAT, "service_tier": "flex"}], None, TokenUsage(9, 4, service_tier="flex")),
        (
            "anthropic.messages",
            [
                {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 9, "output_tokens": 1}}},
                {"type": "message_delta", "usage": {"output_tokens": 4, "input_tokens": None}},
            ],
            "m",
            READ,
        ),
        (
            "bedrock.invoke",
            [
                {"type": "message_start", "message": {"model": "m", "usage": {"input_tokens": 9}}},
                {"usage": {"output_tokens": 4}},
            ],
            "m",
            READ,
        ),
        (
            "openai.responses",
            [
                {"type": "response.created", "response": {"model": "m", "usage": None}},
                {
                    "type": "response.completed",
                    "response": {
                        "model": "m-2",
                        "usage": {"input_tokens": 9, "output_tokens": 4},
                        "service_tier": "flex",
                    },
                },
            ],
            "m-2",
            TokenUsage(9, 4, service_tier="flex"),
        ),
        ("openai.chat", [{"type": "message_start"}, {"type": "response.x", "response": 5}], None, None),
        ("openai.chat", [{"type": "x", "message": {"model": "m"}, "response": {"service_tier": "y"}}], None, None),
        ("openai.chat", [{"type": "response.x", "message": {"model": "m"}}], None, None),
        ("cohere.v1.chat", [{"response": {"meta": {"tokens": {"input_tokens": 9, "output_tokens": 4}}}}], None, READ),
        ("cohere.v2.chat", [{"delta": {"usage": {"tokens": {"input_tokens": 9, "output_tokens": 4}}}}], None, READ),
        (
            "gemini.generate",
            [
                {"modelVersion": "m", "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 1}},
                {"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4}},
            ],
            "m",
            READ,
        ),
        (
            "gemini.interactions",
            [{"interaction": {"model": "m", "usage": {"total_input_tokens": 9, "total_output_tokens": 4}}}],
            "m",
            READ,
        ),
        ("alephalpha.complete", [{"model_version": "m", "num_tokens_prompt_total": 9}], "m", TokenUsage(9)),
        ("bedrock.agent", [trace(CONVERSE), {"chunk": {}}, trace(CONVERSE)], None, TokenUsage(18, 8)),
        ("bedrock.agent", [{"usage": CHAT, "model": "m"}, {"trace": {}}, {"trace": 5}], None, None),
        ("openai.chat", [{"model": "m"}], "m", None),
        ("openai.chat", [{"model": "m", "service_tier": "flex"}, {"usage": {}}], "m", None),
        ("openai.chat", [{"model": "", "usage": [1]}, {"model": 5}], None, None),
        ("unknown.api", [{"model": "m", "usage": CHAT}], "m", None),
    ],
)
def test_reads_one_body_or_the_events_of_a_stream(api, events, model, usage):
    """Later events replace what earlier ones reported, and null replaces nothing."""
    reader = read(api, *events)

    assert (model, usage) == (reader.model, reader.usage)


def test_only_anthropic_adds_to_the_usage_of_earlier_events():
    """Elsewhere each usage is whole, so a count that is missing from the last one is unknown."""
    events = [{"usage": {"prompt_tokens": 9}}, {"usage": {"completion_tokens": 4}}]

    assert TokenUsage(None, 4) == read("openai.chat", *events).usage


@pytest.mark.parametrize("first", [None, 5, [1], "x"])
def test_usage_of_a_wrong_type_is_replaced_by_the_next(first):
    """A proxy may write anything there."""
    events = [{"usage": first}, {"usage": {"input_tokens": 9, "output_tokens": 4}}]

    assert READ == read("anthropic.messages", *events).usage


def test_content_is_not_kept():
    """A long stream would be held in memory, and content may contain fields of the same names."""
    reader = read("openai.chat", *({name: {"usage": CHAT}} for name in ("choices", "content", "candidates")))

    assert reader.usage is None
    assert {} == reader._body


@pytest.mark.parametrize(("stated", "cost"), [(0.25, Decimal("0.25")), (0, Decimal(0)), (None, None), ("x", None)])
def test_reads_the_stated_cost(stated, cost):
    """In the usage, as OpenRouter writes it."""
    assert cost == read("openai.chat", {"usage": {**CHAT, "cost": stated}}).stated_cost_usd


@pytest.mark.parametrize("events", [[], [{"usage": None}], [{"usage": [1]}], [{"cost": 1}]])
def test_a_reply_without_a_stated_cost_has_none(events):
    """None, never 0."""
    assert read("openai.chat", *events).stated_cost_usd is None


def test_reads_the_usage_of_a_whole_body():
    """Like a stream of one event."""
    assert READ == read_usage("openai.chat", {"usage": CHAT})


NAMES = ["type", "usage", "message", "response", "delta", "trace", "model", "metadata", "input_tokens", "cost"]
JUNK = st.recursive(
    st.none() | st.integers() | st.sampled_from(["message_start", "response.x", "m"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(READERS)), st.lists(st.dictionaries(st.sampled_from(NAMES), JUNK), max_size=4))
def test_junk_gives_no_error(api, events):
    """Neither while it is fed nor when it is read."""
    reader = read(api, *events)

    assert reader.model is None or reader.model
    assert reader.usage is None or reader.usage != TokenUsage()
    assert reader.stated_cost_usd is None or reader.stated_cost_usd >= 0
