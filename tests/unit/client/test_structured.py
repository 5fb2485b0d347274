"""Objects out of a model, as data: the way that is tried first, and what follows when it is refused."""

import dataclasses
import json

import pytest
from pydantic import BaseModel

from llm_gateway.client import flows
from llm_gateway.client.call import Call
from llm_gateway.client.structured import mechanisms_of
from llm_gateway.config import GatewayConfig
from llm_gateway.cost import CostTracker
from llm_gateway.exceptions import ProviderError
from llm_gateway.flow.steps import Now, Send
from llm_gateway.providers import compatible, openai
from llm_gateway.types import ChatReply, ChatRequest, LLMMessage, TextPart, TokenUsage, ToolCall, WireReply


class Answer(BaseModel):
    answer: str


class Words(BaseModel):
    counts: dict[str, int]


def call(provider=None):
    return Call(provider or openai.provider(GatewayConfig(api_key="k")), 0, CostTracker())


def request(model):
    schema = flows.adapter_for(model).json_schema()
    message = LLMMessage("user", (TextPart("hi"),))
    return ChatRequest("m", (message,), response_schema=schema, response_schema_name=model.__name__)


def good(*parts):
    reply = ChatReply(parts, "m", "id", "tool_use" if isinstance(parts[0], ToolCall) else "end_turn", TokenUsage(3, 4))
    return WireReply(200, (), json.dumps(openai.openai_chat.DIALECT.encode_reply(reply)).encode())


def bad(message):
    return WireReply(400, (), json.dumps({"error": {"message": message, "type": "invalid_request_error"}}).encode())


def played(flow, replies):
    """What was sent, and the object."""
    sent, step = [], next(flow)
    try:
        while True:
            if isinstance(step, Send):
                sent.append(json.loads(step.request.body))
            step = flow.send(replies.pop(0) if isinstance(step, Send) else 0.0 if isinstance(step, Now) else None)
    except StopIteration as done:
        return sent, done.value.content


def complete(model, replies, provider=None):
    return played(flows.complete(call(provider), request(model), flows.adapter_for(model)), list(replies))


def test_a_refused_mechanism_is_followed_by_a_tool_and_that_by_words():
    """Each as the provider takes it."""
    sent, answer = complete(
        Answer,
        [
            bad("'response_format' of type 'json_schema' is not supported with this model"),
            bad("tool_choice: forced tool use is not supported by this model"),
            good(TextPart('```json\n{"answer": "a"}\n```')),
        ],
    )
    native, tool, words = sent

    assert "json_schema" == native["response_format"]["type"]
    assert {"type": "function", "function": {"name": "Answer"}} == tool["tool_choice"]
    assert "response_format" not in tool
    assert {"tools", "tool_choice", "response_format"}.isdisjoint(words)
    assert '"answer"' in words["messages"][0]["content"]
    assert Answer(answer="a") == answer


def test_another_error_does_not_change_the_mechanism():
    """It would be refused just the same."""
    with pytest.raises(ProviderError, match="messages: wrong"):
        complete(Answer, [bad("messages: wrong")])


def test_a_mapping_with_free_keys_is_requested_by_a_tool():
    """No provider's own mechanism can be held to it."""
    sent, words = complete(Words, [good(ToolCall("1", "Words", {"counts": {"a": 1}}))])

    assert ["Words"] == [tool["function"]["name"] for tool in sent[0]["tools"]]
    assert {"a": 1} == words.counts


def test_wrong_arguments_of_a_tool_are_requested_again():
    """As the result of its call, in the same way."""
    deepseek = compatible.provider("deepseek", GatewayConfig(api_key="k"))
    replies = [good(ToolCall("1", "Answer", {"no": 1})), good(ToolCall("2", "Answer", {"answer": "a"}))]
    sent, answer = complete(Answer, replies, deepseek)

    assert ["assistant", "tool"] == [one["role"] for one in sent[1]["messages"][-2:]]
    assert "answer: Field required" in sent[1]["messages"][-1]["content"]
    assert Answer(answer="a") == answer


def test_where_only_the_mechanism_is_left_a_schema_that_it_cannot_hold_is_refused():
    """With what to write instead."""
    native = dataclasses.replace(openai.provider(GatewayConfig(api_key="k")), structured=("native",))
    with pytest.raises(ProviderError, match="it is a mapping with free keys\n  use a list of objects"):
        mechanisms_of(native, flows.adapter_for(Words).json_schema())
