"""Retries and structured output as data: which step comes next, whatever does the steps."""

import dataclasses
import json
from decimal import Decimal

import pytest
from pydantic import BaseModel

from llm_gateway import SyncLLMClient
from llm_gateway.client import flows
from llm_gateway.client.call import Call
from llm_gateway.config import GatewayConfig
from llm_gateway.cost import CostTracker
from llm_gateway.exceptions import CostLimitExceededError, ProviderError, StructuredOutputError
from llm_gateway.flow.steps import Now, Send, Sleep
from llm_gateway.providers import openai
from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, TextPart, TokenUsage, WireReply

REQUEST = ChatRequest("gpt-5-mini", (LLMMessage("user", (TextPart("hi"),)),))


@pytest.fixture
def call():
    return Call(openai.provider(GatewayConfig(api_key="k")), 2, CostTracker())


def good(text):
    reply = ChatReply((TextPart(text),), "gpt-5-mini", "id", "end_turn", TokenUsage(3, 4))
    return WireReply(200, (), json.dumps(openai.openai_chat.DIALECT.encode_reply(reply)).encode())


def bad(status, *headers, **error):
    return WireReply(status, headers, json.dumps({"error": {"message": "no", **error}}).encode())


def played(flow, replies):
    """The steps of *flow*, with *replies* given to its requests in turn, and its result."""
    steps, replies = [], list(replies)
    step = next(flow)
    try:
        while True:
            steps.append(step)
            step = flow.send(replies.pop(0) if isinstance(step, Send) else 0.0 if isinstance(step, Now) else None)
    except StopIteration as done:
        return steps, done.value


def kinds(steps):
    return [type(step).__name__ for step in steps if not isinstance(step, Now)]


@pytest.mark.parametrize("stop", ["END", ["END"]])
def test_one_text_to_stop_at_needs_no_list(stop):
    """It is one text, and not its letters."""
    client = SyncLLMClient(GatewayConfig(api_key="k"))

    assert ("END",) == client._build_request("hi", stop=stop).stop


def test_a_wait_that_the_provider_requests_is_the_next_step(call):
    """Of the requested length, then the same request again."""
    steps, response = played(flows.chat(call, REQUEST), [bad(429, ("retry-after", "2")), good("yes")])
    assert Sleep(2.0) in steps
    assert ["Send", "Sleep", "Send"] == kinds(steps)
    assert "yes" == response.content
    assert [429, 200] == [one.status for one in response.attempts]


def test_waits_grow_and_end(call):
    """After the retries that are allowed the last error is raised."""
    flow = flows.chat(call, REQUEST)
    steps = []
    with pytest.raises(ProviderError, match="answered 500"):
        steps = collected(flow, steps, [bad(500)] * 3)
    waits = [step.seconds for step in steps if isinstance(step, Sleep)]
    assert 0.5 <= waits[0] <= 0.75
    assert 1 <= waits[1] <= 1.25


def collected(flow, steps, replies):
    replies = list(replies)
    value = None
    while True:
        step = flow.send(value)
        steps.append(step)
        value = replies.pop(0) if isinstance(step, Send) else 0.0


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (bad(401), "auth"),
        (bad(400), "invalid_request"),
        (bad(429, code="insufficient_quota"), "quota_exhausted"),
        (bad(429, ("retry-after", "3600")), "rate_limited"),
    ],
)
def test_what_waiting_does_not_mend_is_not_tried_again(call, reply, kind):
    """Wrong keys, wrong requests, empty accounts, and a wait of an hour, which is the caller's to decide."""
    with pytest.raises(ProviderError) as error:
        played(flows.chat(call, REQUEST), [reply])
    assert kind == error.value.kind


class Answer(BaseModel):
    number: int


def complete(call):
    return flows.complete(call, REQUEST, flows.adapter_for(Answer))


def test_an_answer_in_a_code_fence_is_read(call):
    """Models write one in spite of the instruction."""
    _, response = played(complete(call), [good('```json\n{"number": 42}\n```')])
    assert Answer(number=42) == response.content


def test_a_wrong_answer_is_sent_back_with_its_errors(call):
    """Twice, then the error carries the answer and what all of it used."""
    with pytest.raises(StructuredOutputError, match="does not fit the model: number: Input should be") as error:
        played(complete(call), [good('{"number": "x"}')] * 3)
    assert '{"number": "x"}' == error.value.text
    assert 21 == error.value.usage.total_tokens


def test_the_next_question_holds_the_problem(call):
    """As a turn of the conversation."""
    steps, response = played(complete(call), [good("{}"), good('{"number": 1}')])
    second = json.loads([step for step in steps if isinstance(step, Send)][1].request.body)
    assert "number: Field required" in second["messages"][-1]["content"]
    assert 14 == response.usage.total_tokens


def test_a_refusal_is_an_error(call):
    """The request is not repeated."""
    body = {"choices": [{"message": {"content": None, "refusal": "I cannot"}, "finish_reason": "stop"}]}
    reply = WireReply(200, (), json.dumps(body).encode())
    with pytest.raises(StructuredOutputError, match="ended early: refusal\n  it was: 'I cannot'\n  the model will not"):
        played(complete(call), [reply])


def limited(limit):
    tracker = CostTracker(limit_usd=Decimal(limit))
    return Call(openai.provider(GatewayConfig(api_key="k")), 2, tracker), tracker


SHORT = dataclasses.replace(REQUEST, max_tokens=100)


def test_a_call_that_could_pass_the_cost_limit_is_never_sent():
    """Its output may be as long as max_tokens, or as the model can write."""
    for request in (SHORT, REQUEST):
        call, _ = limited("0.0001")
        with pytest.raises(
            CostLimitExceededError, match=r"the call may cost \$0\.\d+, and \$0\.0001 of the cost limit"
        ):
            played(flows.chat(call, request), [])


def test_each_attempt_is_reserved_and_settled():
    """A retry that was not billed leaves nothing behind."""
    call, tracker = limited("0.001")
    played(flows.chat(call, SHORT), [bad(503), good("yes")])

    assert Decimal("0.00000875") == tracker.total_cost_usd
    assert tracker.reserve("m", Decimal("0.00099125"), is_bound=True)


def test_a_cancelled_call_counts_as_its_whole_reservation():
    """It may have been answered, and its cost is not known."""
    call, tracker = limited("0.001")
    flow = flows.chat(call, SHORT)
    step = flow.send(None)
    while not isinstance(step, Send):
        step = flow.send(0.0)
    flow.close()

    with pytest.raises(CostLimitExceededError):
        tracker.reserve("m", Decimal("0.00099"), is_bound=True)
    assert [("cancelled", None, True, None)] == [
        (one.error, one.usage, one.is_billed, one.cost_usd) for one in tracker.attempts
    ]
    assert (None, None) == (tracker.total_cost_usd, tracker.total_tokens)
