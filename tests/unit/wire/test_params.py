"""Options that well-known models reject, and that nothing is assumed of others."""

import pytest

from llm_gateway.types import ChatRequest, ImagePart, LLMMessage, Tool
from llm_gateway.wire.params import OPTIONS, rejections

HOT = {"temperature": 0.5, "top_p": 0.9}
DIALECTS = {"anthropic": "anthropic.messages", "bedrock": "bedrock.converse", "cohere": "cohere.v2.chat"}


def rejected(target, stated=None, listed=frozenset(), api=None, **options):
    """Return the options that *target* rejects, each with its value where another one would be accepted."""
    provider, _, model = target.partition(":")
    request = ChatRequest(model, (LLMMessage.user("hi", *options.pop("parts", ())),), **options)
    found = rejections(provider, api or DIALECTS.get(provider, "openai.chat"), request, stated=stated, listed=listed)
    return " ".join(one.words for one in found)


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("openai:gpt-5-mini", HOT, "temperature=0.5 top_p=0.9"),
        ("openai:gpt-5-mini", {"temperature": 1, "top_p": 1.0}, ""),
        ("openai:gpt-5-mini", {"temperature": 0.0}, "temperature=0.0"),
        ("openai:gpt-5-chat-latest", HOT, ""),
        ("openai:gpt-5.2", HOT, ""),
        ("openai:gpt-5.2", HOT | {"reasoning_effort": "none"}, ""),
        ("openai:gpt-5.2-2025-12-11", HOT | {"reasoning_effort": "low"}, "temperature=0.5 top_p=0.9"),
        ("openai:o3-mini", HOT | {"stop": ("x",)}, "temperature=0.5 top_p=0.9"),
        ("openai:o3", {"stop": ("x",), "seed": 0}, "stop"),
        ("openai:gpt-4o", HOT | {"seed": 7, "stop": ("x",), "json_mode": True}, ""),
        ("openai:gpt-4o", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("openai:gpt-5", {"reasoning_effort": "none"}, "reasoning_effort='none'"),
        ("openai:gpt-5.1", {"reasoning_effort": "minimal"}, "reasoning_effort='minimal'"),
        ("openai:gpt-99", HOT | {"reasoning_effort": "max"}, ""),
        ("azure:gpt-5-mini", HOT, ""),
        ("anthropic:claude-haiku-5-5", HOT | {"seed": 0}, "temperature top_p seed"),
        ("anthropic:claude-haiku-5-5", {"reasoning_effort": "minimal"}, ""),
        ("anthropic:claude-haiku-4-5-20251001", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("anthropic:claude-opus-4-6", {"reasoning_effort": "low"}, ""),
        ("anthropic:claude-fable-5-2", {"reasoning_effort": "none"}, "reasoning_effort='none'"),
        ("bedrock:us.anthropic.claude-opus-4-7", HOT, "temperature top_p"),
        ("bedrock:us.anthropic.claude-sonnet-4-6", HOT, ""),
        ("bedrock:us.anthropic.claude-sonnet-4-5-20250929-v1:0", HOT | {"seed": 7}, "seed"),
        ("bedrock:eu.amazon.nova-2-lite-v1:0", {"reasoning_effort": "max"}, "reasoning_effort='max'"),
        ("gemini:gemini-2.5-flash", {"reasoning_effort": "none", "seed": 7}, ""),
        ("gemini:gemini-2.5-flash", {"reasoning_effort": "low"}, "reasoning_effort='low'"),
        ("vertex:gemini-2.5-pro", {"reasoning_effort": "none"}, "reasoning_effort"),
        ("vertex:gemini-3.1-flash-lite", {"reasoning_effort": "none"}, "reasoning_effort='none'"),
        ("cohere:command-a-reasoning-08-2025", {"reasoning_effort": "high"}, "reasoning_effort='high'"),
        ("groq:llama-3.1-8b-instant", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("groq:openai/gpt-oss-20b", {"reasoning_effort": "minimal"}, "reasoning_effort='minimal'"),
        ("xai:grok-4-fast", {"reasoning_effort": "low"}, "reasoning_effort"),
        ("xai:grok-4.3", {"reasoning_effort": "low"}, ""),
        ("together:any", {"reasoning_effort": "none"}, "reasoning_effort='none'"),
        ("mine:any", HOT | {"reasoning_effort": "max", "seed": 1, "json_mode": True}, ""),
    ],
)
def test_what_is_known_of_a_model(target, options, words):
    """By its provider and its name; 0 is a value like any other, and what is not known is taken."""
    assert words == rejected(target, **options)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("openai:gpt-3.5-turbo", "images"),
        ("openai:gpt-4-0613", "images"),
        ("openai:gpt-4-turbo", ""),
        ("openai:gpt-4.1", ""),
        ("cohere:command-r7b-12-2024", "images"),
        ("cohere:command-a-vision-07-2025", ""),
        ("groq:llama-3.3-70b-versatile", "images"),
        ("ollama:llama3.1:8b", "images"),
        ("ollama:llama3.2-vision", ""),
        ("compatible:gpt-oss-120b", "images"),
        ("azure:gpt-3.5-turbo", ""),
    ],
)
def test_images_for_models_that_read_text_alone(target, words):
    """Tools are in the list of a provider, or nowhere."""
    tool = Tool("weigh", "", {"type": "object"})
    assert words == rejected(target, parts=(ImagePart(url="https://example.com/a.png"),), tools=(tool,))


def test_the_responses_api_has_no_seed_and_no_stop():
    """Whatever the model."""
    assert "seed stop" == rejected("openai:gpt-4o", api="openai.responses", seed=7, stop=("x",))


def test_what_the_user_states_wins_and_what_is_listed_adds():
    """A user who states that a model accepts everything is believed."""
    tool = Tool("weigh", "", {"type": "object"})
    assert "" == rejected("openai:gpt-5-mini", stated=frozenset(), listed=frozenset({"tools"}), **HOT, tools=(tool,))
    assert "top_p" == rejected("openai:gpt-4o", stated=frozenset({"top_p", "seed"}), **HOT)
    assert "temperature=0.5 tools" == rejected(
        "openai:gpt-5-mini", listed=frozenset({"tools"}), temperature=0.5, tools=(tool,)
    )


def test_the_options_are_those_of_a_request():
    """So that each can be left out of one."""
    assert set(OPTIONS) <= set(ChatRequest.__dataclass_fields__)
