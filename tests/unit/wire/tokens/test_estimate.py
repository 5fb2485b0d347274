"""What an estimate counts, and that it grows with what it is of."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.types import (
    ChatRequest,
    ImagePart,
    LLMMessage,
    TextPart,
    ThinkingPart,
    Tool,
    ToolCall,
    ToolResult,
)
from llm_gateway.wire.tokens import Estimate, estimate_tokens
from llm_gateway.wire.tokens.estimate import CHARACTER_KINDS, family_of, sizes

CLAUDE, OPENAI = "claude-haiku-5-5", "gpt-5-mini"


def message(text):
    return LLMMessage("user", (TextPart(text),))


def tokens(text, model=OPENAI):
    return estimate_tokens([message(text)], model).tokens - estimate_tokens([message("")], model).tokens


@pytest.mark.parametrize(
    ("text", "openai", "claude"),
    [
        ("The quick brown fox jumps over the lazy dog. " * 20, 201, 361),
        ("def total(self) -> int:\n    return sum(one.cost for one in self.calls)\n" * 10, 180, 279),
        ('{"city": "Lisbon", "days": [{"high": 21.5, "low": 14}]}' * 10, 250, 320),
        ("我们正在检查这个订单的付款情况。" * 10, 90, 161),
        ("Мы проверяем оплату этого заказа. " * 10, 81, 161),
        ("🎉🚀" * 20, 80, 121),
        ("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" * 4, 169, 186),
    ],
)
def test_the_estimate_is_near_what_tokenizers_count(text, openai, claude):
    """Against counts of o200k, and of a reconstruction of Claude 4.7."""
    assert 0.95 <= tokens(text) / openai <= 2.2
    assert 0.95 <= tokens(text, CLAUDE) / claude <= 2.2


def test_each_class_is_counted_separately():
    """One example of each, and nothing left over."""
    counts = dict(
        zip(
            CHARACTER_KINDS,
            sizes("Hello WORLD 12345, zoo\n\n  dGVzdDEyMzQ1Njc4 é Я א ह አ ა → か 漢 한 🎉"),
            strict=True,
        )
    )

    assert {
        "words": 2,
        "capitals": 1,
        "digits": 2,
        "marks": 1,
        "rare": 2,
        "lines": 1,
        "coded": 16,
        "long": 0,
        "shouted": 3,
        "accented": 9,
        "latin": 1,
        "cyrillic": 1,
        "semitic": 1,
        "indic": 1,
        "scarce": 1,
        "georgian": 1,
        "signs": 1,
        "kana": 1,
        "han": 1,
        "hangul": 1,
        "rest": 1,
    } == counts


@pytest.mark.parametrize(
    ("names", "like"),
    [
        (["claude-3-5-haiku-20241022", "us.anthropic.claude-sonnet-4-20250514-v1:0"], "anthropic/claude-4.6-sonnet"),
        (["claude-opus-4-6", "claude-haiku-4-5-20251001", "claude-2.1"], "claude-opus-4"),
        (["claude-opus-4-7", "claude-opus-4.8", "claude-sonnet-5", "haiku"], "claude-haiku-5-5"),
        (["openai/gpt-4o", "o4-mini"], "gpt-5-mini"),
        (["mixtral-8x7b", "qwen3", "deepseek-v4"], "meta-llama/Llama-3.3-70B"),
        (["other/owner", "my-deployment"], ""),
    ],
)
def test_a_model_is_of_the_family_in_its_name(names, like):
    """With any prefix; an unknown model counts as the heaviest."""
    assert {family_of(like)} == {family_of(name) for name in names}


@given(st.text(max_size=200), st.text(max_size=200))
def test_more_text_is_never_fewer_tokens_by_much(one, other):
    """Joining two texts loses no more than a word at the seam."""
    assert tokens(one + other) >= max(tokens(one), tokens(other)) - 12


def test_all_that_is_sent_counts():
    """System prompt, tools, schema, calls, results, reasoning, images and the provider's own fields."""
    request = ChatRequest(OPENAI, (message("hi"),))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    call, result = ToolCall("1", "weigh", {"what": "feathers"}), ToolResult("1", "one gram")
    more = [
        {"messages": (LLMMessage("system", (TextPart("Be brief."),)), message("hi"))},
        {"messages": (message("hi"), LLMMessage("assistant", (call,)))},
        {"messages": (message("hi"), LLMMessage("tool", (result,)))},
        {"messages": (message("hi"), LLMMessage("assistant", (ThinkingPart("A greeting."),)))},
        {"messages": (message("hi"), LLMMessage("user", (ImagePart(url="https://example.com/a.png"),)))},
        {"tools": (Tool("weigh", "Weigh a thing", schema),)},
        {"response_schema": schema},
        {"extra": {"tools": [{"type": "web_search"}]}},
    ]
    added = [estimate_tokens(ChatRequest(**{"model": OPENAI, "messages": request.messages, **one})) for one in more]

    assert Estimate(18, "estimated") == estimate_tokens(request)
    assert [8, 52, 42, 8, 1705, 125, 86, 2517] == [one.tokens - 18 for one in added]


@pytest.mark.parametrize("text", ["a", "A", "1", "aA1+", " ", "\n", "🎉", "é", "a1/"])
def test_a_long_run_of_anything_takes_no_long_time(text):
    """The patterns look at each character a few times only."""
    start = time.process_time()
    sizes(text * 200_000)

    assert time.process_time() - start < 1.5
