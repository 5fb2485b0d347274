"""Token usage, read from reply bodies of every API."""

from dataclasses import asdict, replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.types import TokenUsage
from llm_gateway.wire.usage import READERS, chat_usage, dollars, invoke_usage, number, text_or_none

CLAUDE = {
    "input_tokens": 100,
    "cache_read_input_tokens": 20,
    "cache_creation_input_tokens": 3,
    "cache_creation": {"ephemeral_5m_input_tokens": 1, "ephemeral_1h_input_tokens": 2},
    "output_tokens": 40,
    "output_tokens_details": {"thinking_tokens": 7},
    "server_tool_use": {"web_search_requests": 5},
    "service_tier": "standard",
}
CLAUDE_READ = TokenUsage(123, 40, 20, 3, 2, reasoning_tokens=7, web_searches=5, service_tier="standard")
CHAT = {
    "prompt_tokens": 100,
    "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 3, "audio_tokens": 4},
    "completion_tokens": 40,
    "completion_tokens_details": {"reasoning_tokens": 7, "audio_tokens": 8},
    "server_tool_use": {"web_search_requests": 5},
    "total_tokens": 140,
}
CHAT_READ = TokenUsage(100, 40, 20, 3, None, 7, 4, 8, web_searches=5)
RESPONSE = {
    "input_tokens": 100,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 3},
    "output_tokens": 40,
    "output_tokens_details": {"reasoning_tokens": 7},
}
RESPONSE_READ = TokenUsage(100, 40, 20, 3, reasoning_tokens=7)
GEMINI = {
    "promptTokenCount": 100,
    "toolUsePromptTokenCount": 11,
    "candidatesTokenCount": 40,
    "thoughtsTokenCount": 7,
    "cachedContentTokenCount": 20,
    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 90}, {"modality": "AUDIO", "tokenCount": 4}],
    "candidatesTokensDetails": [
        {"modality": "AUDIO", "tokenCount": 8},
        {"modality": "AUDIO", "tokenCount": 1},
        {"modality": "IMAGE", "tokenCount": 9},
    ],
}
GEMINI_READ = TokenUsage(111, 47, 20, None, None, 7, 4, 9, 9)
CONVERSE = {
    "inputTokens": 100,
    "outputTokens": 40,
    "cacheReadInputTokens": 20,
    "cacheWriteInputTokens": 3,
    "cacheDetails": [{"ttl": "5m", "inputTokens": 1}, {"ttl": "1h", "inputTokens": 2}],
}
CONVERSE_READ = TokenUsage(123, 40, 20, 3, 2)
COHERE = {
    "tokens": {"input_tokens": 100, "output_tokens": 40},
    "cached_tokens": 20,
    "billed_units": {"input_tokens": 1},
}
COHERE_READ = TokenUsage(100, 40, 20)
OLLAMA = {"prompt_eval_count": 100, "eval_count": 40}
EMBEDDED = {"usage": {"prompt_tokens": 100, "total_tokens": 101}}

REPLIES = [
    ("alephalpha.complete", {"num_tokens_prompt_total": 100, "num_tokens_generated": 40}, TokenUsage(100, 40)),
    ("anthropic.messages", {"usage": CLAUDE}, CLAUDE_READ),
    ("anthropic.messages", {"usage": {**CLAUDE, "speed": "fast"}}, replace(CLAUDE_READ, service_tier="fast")),
    ("anthropic.messages", {"usage": {**CLAUDE, "speed": "standard"}}, CLAUDE_READ),
    ("bedrock.agent", {"traces": [CONVERSE]}, CONVERSE_READ),
    ("bedrock.agent", {"traces": [CONVERSE, CONVERSE]}, TokenUsage(246, 80, 40, 6, 4)),
    ("bedrock.converse", {"usage": CONVERSE}, CONVERSE_READ),
    (
        "bedrock.converse",
        {"usage": CONVERSE, "serviceTier": {"type": "priority"}},
        replace(CONVERSE_READ, service_tier="priority"),
    ),
    ("bedrock.invoke", {"usage": CLAUDE}, CLAUDE_READ),
    ("bedrock.invoke", {"usage": CONVERSE}, CONVERSE_READ),
    ("bedrock.invoke", {"usage": CHAT}, CHAT_READ),
    ("bedrock.invoke", {"prompt_token_count": 100, "generation_token_count": 40}, TokenUsage(100, 40)),
    (
        "bedrock.invoke",
        {"inputTextTokenCount": 100, "results": [{"tokenCount": 30}, {"tokenCount": 10}]},
        TokenUsage(100, 40),
    ),
    (
        "bedrock.invoke",
        {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 100, "outputTokenCount": 40}},
        TokenUsage(100, 40),
    ),
    ("cohere.v1.chat", {"meta": COHERE}, COHERE_READ),
    ("cohere.v1.generate", {"meta": COHERE}, COHERE_READ),
    ("cohere.v2.chat", {"usage": COHERE}, COHERE_READ),
    ("cohere.v2.embed", {"meta": {"billed_units": {"input_tokens": 100}}}, TokenUsage(100)),
    ("gemini.embed", {"usageMetadata": {"promptTokenCount": 100}}, TokenUsage(100)),
    ("gemini.generate", {"usageMetadata": GEMINI}, GEMINI_READ),
    (
        "gemini.generate",
        {"usageMetadata": {**GEMINI, "serviceTier": "flex", "trafficType": "ON_DEMAND"}},
        replace(GEMINI_READ, service_tier="flex"),
    ),
    (
        "gemini.generate",
        {"usageMetadata": {**GEMINI, "trafficType": "ON_DEMAND"}},
        replace(GEMINI_READ, service_tier="ON_DEMAND"),
    ),
    (
        "gemini.interactions",
        {
            "usage": {
                "total_input_tokens": 100,
                "total_tool_use_tokens": 11,
                "total_output_tokens": 40,
                "total_thought_tokens": 7,
                "total_cached_tokens": 20,
            }
        },
        TokenUsage(111, 47, 20, reasoning_tokens=7),
    ),
    ("ollama.chat", OLLAMA, TokenUsage(100, 40)),
    ("ollama.embed", OLLAMA, TokenUsage(100, 40)),
    ("ollama.generate", OLLAMA, TokenUsage(100, 40)),
    ("openai.assistants.run", {"usage": CHAT}, CHAT_READ),
    ("openai.chat", {"usage": CHAT, "service_tier": "flex"}, replace(CHAT_READ, service_tier="flex")),
    ("openai.completions", {"usage": CHAT}, CHAT_READ),
    ("openai.embeddings", EMBEDDED, TokenUsage(100)),
    ("openai.embeddings", {"usage": {"prompt_tokens": 100, "completion_tokens": 0}}, TokenUsage(100, 0)),
    (
        "openai.responses",
        {
            "usage": RESPONSE,
            "service_tier": "priority",
            "output": [
                {"type": "web_search_call"},
                {"type": "web_search_call", "action": {}},
                {"type": "web_search_call", "action": {"type": "search"}},
                {"type": "web_search_call", "action": {"type": "open_page"}},
                {"type": "message"},
            ],
        },
        replace(RESPONSE_READ, service_tier="priority", web_searches=3),
    ),
    ("openai.responses", {"usage": RESPONSE, "output": [{"type": "message"}]}, RESPONSE_READ),
    ("openai.responses.compact", {"usage": RESPONSE}, RESPONSE_READ),
    ("openai.responses.get", {"usage": RESPONSE}, RESPONSE_READ),
    (
        "vertex.predict",
        {"predictions": [{"embeddings": {"statistics": {"token_count": count}}} for count in (60, 40)]},
        TokenUsage(100),
    ),
    ("voyage.embeddings", {"usage": {"total_tokens": 100}}, TokenUsage(100)),
    ("voyage.rerank", {"usage": {"total_tokens": 100}}, TokenUsage(100)),
]


@pytest.mark.parametrize(
    ("api", "body", "expected"), REPLIES, ids=[f"{api}-{n}" for n, (api, *_) in enumerate(REPLIES)]
)
def test_reads_each_count_from_its_place(api, body, expected):
    """Input includes cached tokens and output includes reasoning, however the API counts."""
    assert expected == READERS[api](body)


def test_every_reader_has_an_example():
    """An API without an example above would be read by code that no test runs."""
    assert READERS.keys() == {api for api, _, _ in REPLIES}


@pytest.mark.parametrize("api", sorted(READERS))
def test_a_reply_without_usage_has_no_counts(api):
    """A missing number is None, never 0."""
    usage = READERS[api]({})

    assert usage in (None, TokenUsage())


@pytest.mark.parametrize("api", sorted(READERS))
def test_empty_usage_has_no_counts(api):
    """Neither sums nor defaults turn nothing into 0."""
    empty = {"usage": {}, "meta": {}, "usageMetadata": {}, "traces": [{}], "predictions": [{}], "results": []}

    assert TokenUsage() == READERS[api]({**empty, **({"inputTextTokenCount": None} if api == "bedrock.invoke" else {})})


COUNTS = {name for _, _, usage in REPLIES for name in asdict(usage)} - {"service_tier"}
NAMES = sorted(
    {
        name
        for _, body, _ in REPLIES
        for level in (body, *body.values())
        if isinstance(level, dict)
        for name in (*level, *(inner for one in level.values() if isinstance(one, dict) for inner in one))
    }
)
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.sampled_from(["12", "1e3", "-4"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@given(st.sampled_from(sorted(READERS)), st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=6))
def test_junk_gives_no_error_and_no_impossible_count(api, body):
    """Whatever a proxy sends in a provider's name, a count is None or a whole number that is not negative."""
    usage = READERS[api](body)

    counts = [value for name, value in asdict(usage or TokenUsage()).items() if name in COUNTS]
    assert all(count is None or (type(count) is int and count >= 0) for count in counts)


@pytest.mark.parametrize("usage", [None, 5, "many", [], [{"prompt_tokens": 3}]])
@pytest.mark.parametrize(
    "api", [api for api in sorted(READERS) if not api.startswith(("ollama", "alephalpha", "bedrock.invoke"))]
)
def test_usage_that_is_no_object_is_none(api, usage):
    """Not an empty usage, which would count as reported."""
    body = dict.fromkeys(("usage", "meta", "usageMetadata", "traces", "predictions"), usage)

    assert READERS[api](body) in (None, TokenUsage())


@pytest.mark.parametrize(
    ("usage", "output"),
    [
        ({"completion_tokens": 40}, 40),
        ({"completion_tokens": 40, "total_tokens": 147}, 40),
        ({"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 147}, 47),
        ({"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140}, 40),
        ({"prompt_tokens": 100, "completion_tokens": 40}, 40),
        ({"prompt_tokens": 100, "total_tokens": 107}, None),
    ],
)
def test_reasoning_outside_the_completion_is_added_when_the_total_proves_it(usage, output):
    """XAI leaves reasoning out of ``completion_tokens``; OpenAI includes it."""
    details = {"completion_tokens_details": {"reasoning_tokens": 7}}

    assert output == chat_usage({**usage, **details}).output_tokens


@pytest.mark.parametrize(
    ("usage", "cached"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 20}}, 20),
        ({"cached_tokens": 20}, 20),
        ({"num_cached_tokens": 20}, 20),
        ({"prompt_cache_hit_tokens": 20}, 20),
        ({"prompt_token_details": {"cached_tokens": 20}}, 20),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "cached_tokens": 20}, 0),
        ({"prompt_tokens_details": {"cached_tokens": None}, "cached_tokens": 20}, 20),
        ({}, None),
    ],
)
def test_hosts_report_cached_tokens_in_different_fields(usage, cached):
    """The first field that holds a number counts, a zero included."""
    assert cached == chat_usage(usage).cache_read_tokens


@pytest.mark.parametrize("api", ["anthropic.messages", "bedrock.converse"])
def test_cached_tokens_alone_are_not_all_input(api):
    """Where the fresh part is missing, the sum of the other parts would be too small."""
    usage = {
        name: value for name, value in {**CLAUDE, **CONVERSE}.items() if name not in ("input_tokens", "inputTokens")
    }

    read = READERS[api]({"usage": usage})

    assert (None, 20) == (read.input_tokens, read.cache_read_tokens)


@pytest.mark.parametrize("api", ["gemini.generate", "gemini.interactions"])
def test_a_part_of_a_sum_that_is_missing_counts_as_none(api):
    """Gemini leaves out the counts of what a call did not use."""
    usage = {"promptTokenCount": 100, "thoughtsTokenCount": 7, "total_input_tokens": 100, "total_thought_tokens": 7}

    read = READERS[api]({"usage": usage, "usageMetadata": usage})

    assert TokenUsage(100, 7, reasoning_tokens=7) == read


def test_billed_units_count_where_cohere_reports_no_tokens():
    """Only then: they leave out what Cohere does not charge."""
    units = {"input_tokens": 90, "output_tokens": 30}

    assert TokenUsage(90, 30) == READERS["cohere.v1.chat"]({"meta": {"billed_units": units}})


def test_metrics_of_bedrock_are_read_only_without_the_usage_of_the_model():
    """The usage of the model lists cached tokens separately."""
    metrics = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 9, "outputTokenCount": 9}}

    assert CLAUDE_READ == invoke_usage({**metrics, "usage": CLAUDE})


@pytest.mark.parametrize("tier", [None, 5, "", {"type": "flex"}])
def test_a_tier_that_is_no_text_is_none(tier):
    """It would be looked up in price lists."""
    assert CHAT_READ == READERS["openai.chat"]({"usage": CHAT, "service_tier": tier})
    assert text_or_none(tier) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (0, 0),
        (7, 7),
        (7.0, 7),
        ("7", 7),
        ("0", 0),
        (10**12, 10**12),
        (10**12 + 1, None),
        (-1, None),
        (7.5, None),
        ("7.5", None),
        ("-7", None),
        ("1_000", None),
        ("\N{ARABIC-INDIC DIGIT SEVEN}", None),
        ("", None),
        ("9" * 5000, None),
        (True, None),
        (False, None),
        (None, None),
        ([7], None),
        ({}, None),
        (float("nan"), None),
        (float("inf"), None),
        (float("-inf"), None),
    ],
)
def test_a_count_is_a_whole_number_that_a_call_can_use(raw, expected):
    """Anything else is None: a fraction is not rounded and text is not guessed at."""
    assert expected == number(raw)
    assert expected == number({"a": {"b": raw}}, "a", "b")


@given(st.integers(0, 10**12))
def test_every_possible_count_is_read_in_each_spelling(count):
    """As an integer, a float and text."""
    assert [count] * 3 == [number(count), number(float(count)), number(str(count))]


@pytest.mark.parametrize("raw", [{"a": 7}, {"a": [7]}, {"b": {"b": 7}}, [7], None, 7])
def test_a_count_is_not_found_outside_its_path(raw):
    """A path that leads nowhere gives None."""
    assert number(raw, "a", "b") is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (0, Decimal(0)),
        (0.1, Decimal("0.1")),
        ("0.000001", Decimal("0.000001")),
        (10**6, Decimal(10**6)),
        (10**6 + 1, None),
        (-0.1, None),
        (True, None),
        (False, None),
        (None, None),
        ("free", None),
        ([1], None),
        (float("nan"), None),
        ("sNaN", None),
        (float("inf"), None),
    ],
)
def test_a_cost_is_an_amount_that_a_call_can_cost(raw, expected):
    """The digits stay as they were written; anything else is None."""
    assert expected == dollars(raw)
