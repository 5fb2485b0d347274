"""The most that a request can use never lies below what it used."""

import json

import pytest

from llm_gateway.wire.bounds import upper_bound

CHAT = "https://api.openai.com/v1/chat/completions"


def bound(url=CHAT, **body):
    return upper_bound("POST", url, json.dumps({"model": "gpt-5-mini", **body}).encode())


@pytest.mark.parametrize(
    ("url", "body", "output"),
    [
        (CHAT, {"max_tokens": 50}, 50),
        (CHAT, {"max_completion_tokens": 60, "n": 3}, 180),
        ("https://api.openai.com/v1/responses", {"max_output_tokens": 70}, 70),
        (
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent",
            {"generationConfig": {"maxOutputTokens": 80, "candidateCount": 2}},
            160,
        ),
        (
            "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-micro-v1:0/converse",
            {"inferenceConfig": {"maxTokens": 90}},
            90,
        ),
    ],
)
def test_the_output_is_what_the_request_allows(url, body, output):
    """It is multiplied by the number of requested answers."""
    assert (output, False) == (bound(url, **body).usage.output_tokens, bound(url, **body).is_open)


def test_without_a_limit_the_model_sets_it():
    """And the bound is marked as open."""
    assert (128_000, True) == (bound().usage.output_tokens, bound().is_open)
    assert 16_384 == bound(model="gpt-4o-mini").usage.output_tokens


def test_an_image_counts_as_one_whatever_its_bytes():
    """Not as the text that carries it."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 1_000_000}}
    assert bound(messages=[image]).usage.input_tokens < 10_000
    converse = {"image": {"format": "png", "source": {"bytes": "A" * 1_000_000}}}
    assert bound(messages=[converse]).usage.input_tokens < 10_000
    assert bound(messages=[{"document": {"format": "pdf", "source": {"bytes": "A" * 1_000_000}}}]).is_open
    assert bound(text={"format": {"type": "text"}, "source": {}}).usage.input_tokens < 10_000


def test_what_the_provider_keeps_may_fill_the_window():
    """An earlier response, a conversation or a cache is input as well."""
    assert 1_000_000 == bound(previous_response_id="resp_1").usage.input_tokens


def test_searches_are_bounded():
    """By the request, or by ten."""
    assert 3 == bound(tools=[{"type": "web_search_20250305", "max_uses": 3}]).usage.web_searches
    assert 10 == bound(tools=[{"type": "web_search"}]).usage.web_searches


def test_embeddings_write_nothing():
    """They are bound by their input."""
    assert bound("https://api.openai.com/v1/embeddings", input="x").usage.output_tokens is None


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://api.openai.com/v1/responses/resp_1"),
        ("POST", "https://api.anthropic.com/v1/messages/count_tokens"),
        ("POST", "https://api.openai.com/v1/responses/input_tokens"),
        ("POST", "https://api.openai.com/v1/moderations"),
        ("POST", "https://generativelanguage.googleapis.com/v1beta/models/gemini-4-pro:countTokens"),
        ("POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-haiku-4-5/count-tokens"),
        ("POST", "https://example.com/"),
    ],
)
def test_what_is_free_has_no_bound(method, url):
    """And what is no LLM call."""
    assert upper_bound(method, url, b"{}") is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff", b'{"max_tokens": -1}', b'{"max_tokens": null, "tools": 5}', b"[" * 9_000]
)
def test_junk_has_the_highest_bound(body):
    """The provider will refuse it; nothing breaks here."""
    assert upper_bound("POST", CHAT, body).is_open


@pytest.mark.parametrize(
    ("body", "part"),
    [
        ({"messages": [{"cache_control": {"type": "ephemeral"}}]}, "cache_write_tokens"),
        ({"messages": [{"cache_control": {"type": "ephemeral", "ttl": "1h"}}]}, "cache_write_1h_tokens"),
        ({"messages": [{"type": "input_audio", "input_audio": {"data": "AA"}}]}, "input_audio_tokens"),
    ],
)
def test_input_is_bound_as_its_most_expensive_kind(body, part):
    """A cache write of one hour, or audio."""
    found = bound(**body).usage
    assert found.input_tokens == getattr(found, part)


def test_the_tier_and_the_models_that_may_answer_are_part_of_the_bound():
    """Priority is dearer, and OpenRouter may pass a call on."""
    found = bound(service_tier="priority", models=["openai/gpt-5-pro"])
    assert ("priority", ("openai/gpt-5-pro",)) == (found.usage.service_tier, found.others)


@pytest.mark.parametrize(
    "body",
    [
        {"mcp_servers": [{"type": "url", "url": "https://mcp.example"}]},
        {"plugins": [{"id": "web"}]},
        {"messages": [{"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}]},
    ],
)
def test_what_the_provider_fetches_is_input(body):
    """Servers of tools, searches and documents by address."""
    assert bound(**body).usage.input_tokens > 50_000


def test_a_table_of_numbers_is_bound_sign_by_sign():
    """Each digit and comma may be a token."""
    text = "1,2,3," * 1_000
    assert bound(messages=[{"role": "user", "content": text}]).usage.input_tokens > len(text)


def test_of_two_limits_the_larger_counts():
    """Whichever the host looks at."""
    assert 9_000 == bound(max_tokens=10, max_completion_tokens=9_000).usage.output_tokens
