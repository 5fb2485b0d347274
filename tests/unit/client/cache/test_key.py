"""Requests that share a cache key, and requests that do not."""

import dataclasses
import json
import random

import anthropic
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_gateway.client.cache.lookup import key_of
from llm_gateway.config import GatewayConfig
from llm_gateway.providers import anthropic as anthropic_provider
from llm_gateway.providers import local_claude
from llm_gateway.providers import openai as openai_provider
from llm_gateway.types import ChatRequest, ImagePart, LLMMessage, TextPart, Tool, ToolCall, ToolResult

CONFIG = GatewayConfig(api_key="secret-1")
PROVIDERS = [
    openai_provider.provider(CONFIG),
    openai_provider.responses(CONFIG),
    anthropic_provider.provider(CONFIG),
    local_claude.provider(CONFIG),
]
OPENAI = PROVIDERS[0]
REQUEST = ChatRequest("m", (LLMMessage("user", (TextPart("hi"),)),))

words = st.sampled_from(["", "a", "b", "ab", "á", "a\u0301", "1", "true", "\x00", '"', "[", ","])
numbers = st.sampled_from([0, 1, 1.0, True, False, None, "1", -0.0, 1e300])
values = st.recursive(
    words | numbers,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=6,
)
objects = st.dictionaries(words, values, max_size=3)
parts = st.builds(TextPart, words) | st.builds(ImagePart, st.sampled_from([b"1", b"2"]), st.just("image/png"))
turns = st.builds(LLMMessage, st.sampled_from(["system", "user", "assistant"]), st.tuples(parts))
requests = st.builds(
    ChatRequest,
    st.sampled_from(["m", "n"]),
    st.lists(turns, min_size=1, max_size=3).map(tuple),
    max_tokens=st.sampled_from([None, 1, 2]),
    temperature=st.sampled_from([None, 0.0, 1.0]),
    stop=st.lists(words, max_size=2).map(tuple),
    tools=st.lists(st.builds(Tool, words, words, objects), max_size=1).map(tuple),
    tool_choice=st.sampled_from([None, "auto", "none", "a"]),
    response_schema=st.none() | objects,
    response_schema_name=st.sampled_from(["answer", "other"]),
    extra=objects,
)


def frozen(value):
    """Return a value that is equal for equal JSON; the order of fields does not count."""
    if isinstance(value, dict):
        return ("object", frozenset((name, frozen(one)) for name, one in value.items()))
    if isinstance(value, list):
        return ("array", tuple(frozen(one) for one in value))
    return (type(value), repr(value))


def sent(request, provider=OPENAI):
    wire = provider.request(request)
    return wire.url, frozen(json.loads(wire.body))


@settings(deadline=None)
@given(requests, requests)
def test_different_requests_have_different_keys(one, other):
    """And requests that go out the same have the same."""
    assert (sent(one) == sent(other)) == (key_of(OPENAI, one, None) == key_of(OPENAI, other, None))


def shuffled(value):
    if isinstance(value, dict):
        names = list(value)
        random.shuffle(names)
        return {name: shuffled(value[name]) for name in names}
    return [shuffled(one) for one in value] if isinstance(value, list) else value


@settings(deadline=None)
@given(objects)
def test_the_order_of_fields_is_no_difference(fields):
    """At any depth."""
    one = dataclasses.replace(REQUEST, extra=fields, response_schema=fields)
    other = dataclasses.replace(REQUEST, extra=shuffled(fields), response_schema=shuffled(fields))

    assert key_of(OPENAI, one, None) == key_of(OPENAI, other, None)


def with_messages(*messages):
    return dataclasses.replace(REQUEST, messages=messages)


CALLED = LLMMessage("assistant", (ToolCall("1", "weigh", {"what": "tea"}),))
CHANGES = {
    "model": dataclasses.replace(REQUEST, model="n"),
    "text": with_messages(LLMMessage("user", (TextPart("hi "),))),
    "role": with_messages(LLMMessage("assistant", (TextPart("hi"),))),
    "system": with_messages(LLMMessage("system", (TextPart("hi"),)), *REQUEST.messages),
    "a turn more": with_messages(*REQUEST.messages, *REQUEST.messages),
    "a result": with_messages(*REQUEST.messages, CALLED, LLMMessage("tool", (ToolResult("1", "3 g"),))),
    "another result": with_messages(*REQUEST.messages, CALLED, LLMMessage("tool", (ToolResult("1", "4 g"),))),
    "an image": with_messages(LLMMessage("user", (TextPart("hi"), ImagePart(b"1", "image/png")))),
    "another image": with_messages(LLMMessage("user", (TextPart("hi"), ImagePart(b"2", "image/png")))),
    "max_tokens": dataclasses.replace(REQUEST, max_tokens=9),
    "temperature": dataclasses.replace(REQUEST, temperature=0.0),
    "stop": dataclasses.replace(REQUEST, stop=("x",)),
    "tools": dataclasses.replace(REQUEST, tools=(Tool("weigh", "", {"type": "object"}),)),
    "schema": dataclasses.replace(REQUEST, response_schema={"type": "object"}),
    "extra": dataclasses.replace(REQUEST, extra={"seed": 7}),
    "as it is": REQUEST,
}


def test_all_of_a_request_and_its_target_counts():
    """Each change alone is another key, at each provider and for each tenant."""
    keys, count = set(), 0
    for provider in PROVIDERS:
        for tenant in (None, "a", "b"):
            found = {key_of(provider, request, tenant) for request in CHANGES.values()} - {None}
            count += len(found)
            keys |= found

    assert count == len(keys)
    assert len(keys) > 3 * (3 * len(CHANGES) - 5)


def test_a_stream_shares_the_key_of_its_whole():
    """Both make the same request."""
    for provider in PROVIDERS:
        assert key_of(provider, REQUEST, None) == key_of(provider, dataclasses.replace(REQUEST, stream=True), None)


def openai_at(**settings):
    return openai_provider.provider(GatewayConfig(**{"api_key": "secret-1", **settings}))


def test_keys_and_passwords_are_no_part():
    """A new key finds the old answers."""
    assert key_of(OPENAI, REQUEST, None) == key_of(openai_at(api_key="secret-2"), REQUEST, None)
    one, other = (openai_at(base_url=f"https://me:{password}@host/v1") for password in ("a", "b"))
    assert key_of(one, REQUEST, None) == key_of(other, REQUEST, None)


def test_the_address_and_the_headers_count():
    """The same model elsewhere is another model, and so is another version of the API."""
    there = openai_at(base_url="https://host/v1")
    dated = dataclasses.replace(OPENAI, headers=(("x-version", "2"),))

    assert 3 == len({key_of(provider, REQUEST, None) for provider in (OPENAI, there, dated)})


@pytest.mark.parametrize(
    ("factory", "maker"),
    [(openai_provider.provider, openai.OpenAI), (anthropic_provider.provider, anthropic.Anthropic)],
)
def test_what_an_sdk_client_adds_counts(factory, maker):
    """Its address, query and headers; not its key, and not whether it is sync or async."""

    def key(made=maker, **settings):
        with_key = {"api_key": "secret-1", **settings}
        return key_of(factory(CONFIG, client=made(**with_key)), REQUEST, None)

    others = [
        key(),
        key(base_url="https://host/v1"),
        key(default_query={"beta": "1"}),
        key(default_headers={"x-beta": "1"}),
        key_of(factory(CONFIG), REQUEST, None),
    ]
    assert 5 == len(set(others))
    assert key() == key(api_key="secret-2", default_headers={"X-Gateway-Auth": "secret-3"})


class Mine:
    """A custom provider."""

    async def complete(self, messages, response_model=None): ...

    async def close(self): ...


@pytest.mark.parametrize(
    ("provider", "request_"),
    [
        (Mine(), REQUEST),
        (OPENAI, dataclasses.replace(REQUEST, extra={"conversation": "c1"})),
        (PROVIDERS[3], dataclasses.replace(REQUEST, stop=("x",))),
    ],
    ids=["a custom provider", "the provider changes what it refers to", "it cannot be written"],
)
def test_what_does_not_fix_the_answer_has_no_key(provider, request_):
    """It is called each time."""
    assert key_of(provider, request_, None) is None
