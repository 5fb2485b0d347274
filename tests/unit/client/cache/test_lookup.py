"""Steps of a call whose answer is in the cache, or whose store fails."""

import dataclasses
import json
import logging
from decimal import Decimal

import pytest
from pydantic import BaseModel

from llm_gateway.client import flows
from llm_gateway.client.cache.cache import Cache
from llm_gateway.client.cache.memory import MemoryStore
from llm_gateway.client.call import Call
from llm_gateway.client.fallback import Target
from llm_gateway.config import GatewayConfig
from llm_gateway.cost import CostTracker
from llm_gateway.exceptions import ProviderError, StructuredOutputError
from llm_gateway.flow import steps
from llm_gateway.flow.steps import Emit, Head, Now, Open, Read, Send
from llm_gateway.providers import openai
from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, StreamDelta, TextPart, TokenUsage, ToolCall, WireReply

OPENAI = openai.provider(GatewayConfig(api_key="k"))
DIALECT = openai.openai_chat.DIALECT
REQUEST = ChatRequest("gpt-5-mini", (LLMMessage("user", (TextPart("hi"),)),))
PRICE = Decimal("0.00000875")


class Answer(BaseModel):
    number: int


def reply_of(*parts, stop_reason="end_turn", model="gpt-5-mini"):
    return ChatReply(parts, model, "id", stop_reason, TokenUsage(3, 4))


def good(text, **fields):
    return WireReply(200, (), json.dumps(DIALECT.encode_reply(reply_of(TextPart(text), **fields))).encode())


def bad(status):
    return WireReply(status, (), b'{"error": {"message": "no"}}')


@pytest.fixture
def cache():
    return Cache(MemoryStore(), ttl_s=60)


def call(cache, **settings):
    return Call(OPENAI, 0, CostTracker(), cache=cache, **settings)


def played(flow, *replies, now=0.0):
    """Return the names of the steps of *flow*, without `Now`, and its result."""
    names, replies, step = [], list(replies), next(flow)
    try:
        while True:
            if not isinstance(step, Now):
                names.append(type(step).__name__)
            if isinstance(step, Send):
                step = flow.send(replies.pop(0))
            elif isinstance(step, steps.Call):
                try:
                    value = step.function()
                except OSError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(value)
            else:
                step = flow.send(now)
    except StopIteration as done:
        return names, done.value


def test_the_second_call_sends_nothing(cache):
    """Its response is marked, costs nothing, and has the cost that it saved; the totals have the first call alone."""
    first, second = call(cache), call(cache)
    _, given = played(flows.chat(first, REQUEST), good("yes"))
    taken_steps, taken = played(flows.chat(second, REQUEST))

    assert [] == taken_steps
    assert (False, PRICE, None) == (given.cached, given.cost_usd, given.saved_cost_usd)
    assert (True, 0, PRICE, ()) == (taken.cached, taken.cost_usd, taken.saved_cost_usd, taken.attempts)
    assert ("yes", "openai", "gpt-5-mini", "end_turn", TokenUsage(3, 4)) == (
        taken.content,
        taken.provider,
        taken.model,
        taken.stop_reason,
        taken.usage,
    )
    assert ([], 0, {}) == (second.tracker.attempts, second.tracker.total_tokens, second.tracker.summary())


def test_what_an_answer_cost_may_be_unknown(cache):
    """Then the saved cost is unknown too."""
    request = dataclasses.replace(REQUEST, model="unheard-of")
    played(flows.chat(call(cache), request), good("yes", model="unheard-of"))
    _, taken = played(flows.chat(call(cache), request))

    assert (True, 0, None) == (taken.cached, taken.cost_usd, taken.saved_cost_usd)


def test_an_answer_is_given_whatever_is_left_of_the_cost_limit(cache):
    """It costs nothing."""
    played(flows.chat(call(cache), REQUEST), good("yes"))
    limited = Call(OPENAI, 0, CostTracker(limit_usd=Decimal(0)), cache=cache)

    assert "yes" == played(flows.chat(limited, REQUEST))[1].content


@pytest.mark.parametrize(
    ("provider", "tenant"),
    [(dataclasses.replace(OPENAI, base_url="http://elsewhere"), None), (OPENAI, "other")],
)
def test_another_target_or_tenant_sends_its_own_request(cache, provider, tenant):
    """In the same store."""
    played(flows.chat(call(cache), REQUEST), good("yes"))
    other = Call(provider, 0, CostTracker(), cache=dataclasses.replace(cache, tenant=tenant))

    assert ["Send"] == played(flows.chat(other, REQUEST), good("no"))[0]


def streamed(reply):
    return b"".join(DIALECT.encode_stream(reply, chunks=["y", "es"]))


def read_along(flow, *chunks):
    """Return the deltas that *flow* emits, and its result."""
    emitted, chunks, step = [], [*chunks, b""], next(flow)
    try:
        while True:
            if isinstance(step, Emit):
                emitted.append(step.delta)
            step = flow.send(
                Head(200, ()) if isinstance(step, Open) else chunks.pop(0) if isinstance(step, Read) else 0.0
            )
    except StopIteration as done:
        return emitted, done.value


def test_a_stream_is_kept_and_emitted_in_one_chunk(cache):
    """Tool calls follow the text; a chat finds the reply of a stream, and the other way round."""
    cache = dataclasses.replace(cache, with_tool_calls=True)
    tool = ToolCall("1", "weigh", {"what": "tea"})
    whole = streamed(reply_of(TextPart("yes"), tool, stop_reason="tool_use"))
    live, _ = read_along(flows.stream(call(cache), REQUEST), whole)
    kept, response = read_along(flows.stream(call(cache), REQUEST))

    assert ["y", "es", ""] == [one.text for one in live]
    assert [StreamDelta(text="yes"), StreamDelta(tool_call=tool)] == kept
    assert (True, "yes", (tool,)) == (response.cached, response.content, response.tool_calls)
    assert [] == played(flows.chat(call(cache), REQUEST))[0]


@pytest.mark.parametrize("end", ["broken", "left"])
def test_a_stream_that_does_not_end_is_not_kept(cache, end):
    """Whether the provider or the caller ended it."""
    whole = streamed(reply_of(TextPart("yes")))
    flow = flows.stream(call(cache), REQUEST)
    if end == "broken":
        with pytest.raises(ProviderError, match="ended too early"):
            read_along(flow, whole[: len(whole) // 2])
    else:
        step = next(flow)
        while not isinstance(step, Emit):
            step = flow.send(Head(200, ()) if isinstance(step, Open) else whole if isinstance(step, Read) else 0.0)
        flow.close()

    assert ["Send"] == played(flows.chat(call(cache), REQUEST), good("yes"))[0]


REFUSED = {"choices": [{"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    "reply",
    [
        good("ye", stop_reason="max_tokens"),
        good("ye", stop_reason="content_filter"),
        WireReply(200, (), json.dumps(REFUSED).encode()),
    ],
    ids=["truncated", "filtered", "refused"],
)
def test_an_incomplete_answer_is_requested_again(cache, reply):
    """Each time."""
    for _ in range(2):
        assert ["Send"] == played(flows.chat(call(cache), REQUEST), reply)[0]


def test_tool_calls_are_kept_when_enabled(cache):
    """They are returned only where that is enabled, also from a store that another cache filled."""
    tool = ToolCall("1", "f", {})
    body = DIALECT.encode_reply(reply_of(tool, stop_reason="tool_use"))
    reply = WireReply(200, (), json.dumps(body).encode())
    with_tools = dataclasses.replace(cache, with_tool_calls=True)
    took = [played(flows.chat(call(one), REQUEST), reply)[0] for one in (cache, with_tools, with_tools, cache)]

    assert [["Send"], ["Send"], [], ["Send"]] == took
    assert [StreamDelta(tool_call=tool)] == read_along(flows.stream(call(with_tools), REQUEST))[0]


def complete(cache):
    return flows.complete(call(cache), REQUEST, flows.adapter_for(Answer))


def test_an_object_is_validated_again(cache):
    """Also one that was right only at the second try: both answers are kept, and none of them costs again."""
    played(complete(cache), good("{}"), good('{"number": 1}'))
    names, response = played(complete(cache))

    assert [] == names
    assert (Answer(number=1), True, 2 * PRICE) == (response.content, response.cached, response.saved_cost_usd)
    assert TokenUsage(6, 8) == response.usage


def test_an_answer_that_no_longer_validates_is_requested_again(cache):
    """The model may have got stricter since; the answer is then not from the cache, and the rest was saved."""

    class Stricter(BaseModel):
        number: int

        def model_post_init(self, context):
            if self.number < 2:
                raise ValueError("too small")

    played(complete(cache), good('{"number": 1}'))
    flow = flows.complete(call(cache), REQUEST, flows.adapter_for(Stricter))
    names, response = played(flow, good('{"number": 2}'))

    assert ["Send"] == names
    assert (False, PRICE, PRICE) == (response.cached, response.cost_usd, response.saved_cost_usd)
    assert TokenUsage(6, 8) == response.usage


def test_an_object_that_stays_wrong_is_not_kept(cache):
    """None of its answers: the next call may have better luck."""
    for _ in range(2):
        with pytest.raises(StructuredOutputError):
            played(complete(cache), *[good("{}")] * 3)
    assert ["Send"] == played(complete(cache), good('{"number": 1}'))[0]


def test_a_fallback_answers_under_its_own_name(cache):
    """The requested model is called again; the answer of the fallback comes from the cache."""
    fallback = [Target("openai", "gpt-5-nano", lambda: OPENAI)]
    played(flows.chat(call(cache, fallbacks=fallback), REQUEST), bad(503), good("yes", model="gpt-5-nano"))
    down, taken = played(flows.chat(call(cache, fallbacks=fallback), REQUEST), bad(503))
    direct, _ = played(flows.chat(call(cache), dataclasses.replace(REQUEST, model="gpt-5-nano")))

    assert (["Send"], []) == (down, direct)
    assert ("gpt-5-nano", True, 0, [503]) == (
        taken.model,
        taken.cached,
        taken.cost_usd,
        [one.status for one in taken.attempts],
    )


class Broken:
    """A store that fails until it is mended."""

    def __init__(self):
        self.inside, self.is_broken, self.uses = MemoryStore(), True, 0

    def get(self, key):
        return self._work(lambda: self.inside.get(key))

    def put(self, key, value, ttl_s):
        self._work(lambda: self.inside.put(key, value, ttl_s))

    def close(self):
        raise OSError("gone")

    def _work(self, function):
        self.uses += 1
        if self.is_broken:
            raise OSError("no route")
        return function()


def test_a_store_that_fails_is_left_alone_for_a_while(caplog):
    """No call fails for it; it is logged when it stops and when it works again, not in between."""
    store = Broken()
    cache = Cache(store, ttl_s=60, is_own=True)

    def is_cached(now):
        _, response = played(flows.chat(call(cache), REQUEST), good("yes"), now=now)
        return response.cached

    with caplog.at_level(logging.INFO, "llm_gateway.cache"):
        found = [is_cached(now) for now in (0.0, 1.0, 9.0, 11.0, 20.0)]
        uses = store.uses
        store.is_broken = False
        found += [is_cached(now) for now in (22.0, 23.0)]
    cache.close()

    assert [False] * 6 + [True] == found
    assert 2 == uses
    assert [
        "the cache does not work, calls go on without it: OSError: no route",
        "the cache works again",
    ] == caplog.messages


def test_an_entry_that_cannot_be_read_is_requested_again(cache, caplog):
    """And replaced."""
    played(flows.chat(call(cache), REQUEST), good("yes"))
    for key in list(cache.store._kept):
        cache.store.put(key, b"junk", 60)
    took = [played(flows.chat(call(cache), REQUEST), good("yes"))[0] for _ in range(2)]

    assert [["Send"], []] == took
    assert ["an answer in the cache cannot be read, so it is requested again"] == caplog.messages
