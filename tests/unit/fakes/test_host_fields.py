"""Fields that hosts add around a scripted answer, of the types that the official SDKs require."""

import json
import time

import pytest
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from llm_gateway.fakes import FakeLLM
from llm_gateway.types import ToolCall, WireRequest
from llm_gateway.wire.framing.reply import objects

REQUEST = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
CALLS = [ToolCall("1", "look", {"city": "Oslo"}), ToolCall("2", "look", {"city": "Rome"})]
CHAT = {
    "azure": "https://x.openai.azure.com/openai/deployments/m/chat/completions",
    "deepseek": "https://api.deepseek.com/chat/completions",
    "groq": "https://api.groq.com/openai/v1/chat/completions",
    "mistral": "https://api.mistral.ai/v1/chat/completions",
    "openai": "https://api.openai.com/v1/chat/completions",
    "together": "https://api.together.xyz/v1/chat/completions",
    "vllm": "http://localhost:8000/v1/chat/completions",
}


def answered(url, body, content="hello there"):
    fake = FakeLLM()
    fake.reply(content)
    return fake.answer(WireRequest("POST", url, (), json.dumps(body).encode())).reply


def whole(url, body=REQUEST, content="hello there"):
    return json.loads(answered(url, body, content).body)


def streamed(url, body=REQUEST, content="hello there"):
    reply = answered(url, {**body, "stream": True}, content)
    return list(objects(reply.headers, reply.body))


STRICT = [
    ("https://api.anthropic.com/v1/messages", {"max_tokens": 9, **REQUEST}, Message, RawMessageStreamEvent),
    (CHAT["openai"], {**REQUEST, "stream_options": {"include_usage": True}}, ChatCompletion, ChatCompletionChunk),
    ("https://api.openai.com/v1/responses", {"model": "m", "input": "hi"}, Response, ResponseStreamEvent),
]


@pytest.mark.parametrize("content", ["hello there", CALLS], ids=["text", "calls"])
@pytest.mark.parametrize(("url", "body", "reply", "event"), STRICT, ids=["anthropic", "chat", "responses"])
def test_every_field_is_of_its_type(url, body, reply, event, content):
    """Nothing that the SDK's types require is left out, streamed or not."""
    TypeAdapter(reply).validate_python(whole(url, body, content))

    read = [one for one in streamed(url, body, content) if one.get("type") != "ping"]
    assert len(read) > 4
    for one in read:
        TypeAdapter(event).validate_python(one)


def test_answers_have_the_current_time():
    """In the seconds or the text of the API."""
    before = int(time.time())

    assert before <= whole(CHAT["vllm"])["created"] <= time.time()
    assert before <= streamed(CHAT["openai"])[0]["created"] <= time.time()
    assert before <= whole("https://api.openai.com/v1/responses")["created_at"] <= time.time()
    line = whole("http://localhost:11434/api/chat", {**REQUEST, "stream": False})
    assert time.strftime("%Y-", time.gmtime()) == line["created_at"][:5]


def test_a_response_repeats_its_request():
    """Options that were not sent have their usual values."""
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}}
    request = {"model": "m", "input": "hi", "instructions": "Be brief.", "temperature": 0, "tools": [tool]}
    body = whole("https://api.openai.com/v1/responses", request)

    assert ("Be brief.", 0, 1.0, "disabled") == tuple(
        body[name] for name in ("instructions", "temperature", "top_p", "truncation")
    )
    assert [{**tool, "description": None, "strict": True}] == body["tools"]


@pytest.mark.parametrize(
    ("host", "ends"),
    [("azure", False), ("deepseek", True), ("groq", True), ("mistral", True), ("openai", False), ("together", True)],
)
def test_where_hosts_report_usage(host, ends):
    """With the last choice, or in a chunk of its own where it was requested."""
    *_, last = streamed(CHAT[host], {**REQUEST, "stream_options": {"include_usage": True}})

    assert ends == bool(last["choices"])
    assert 0 < last["usage"]["completion_tokens"]


@pytest.mark.parametrize(("host", "events"), [("openai", [5, 5]), ("groq", [1, 1]), ("mistral", [2])])
def test_how_hosts_send_calls(host, events):
    """In chunks, each whole, or all with the end; what they add up to is the same."""
    sent = [one["choices"][0]["delta"].get("tool_calls") for one in streamed(CHAT[host], content=CALLS)]
    found = {}
    for call in (call for calls in sent if calls for call in calls):
        found.setdefault(call["index"], []).append(call["function"]["arguments"])

    assert ['{"city": "Oslo"}', '{"city": "Rome"}'] == ["".join(found[index]) for index in (0, 1)]
    assert events in ([len(one) for one in found.values()], [len(calls) for calls in sent if calls])


def test_azure_begins_with_an_event_without_choices():
    """Clients that read ``choices[0]`` fail on it."""
    first, second, *_ = streamed(CHAT["azure"])

    assert ([], "") == (first["choices"], first["id"])
    assert "jailbreak" in first["prompt_filter_results"][0]["content_filter_results"]
    assert second["id"]


def test_calls_are_numbered_by_most_hosts():
    """But not by OpenAI."""
    assert [0, 1] == [
        one["index"] for one in whole(CHAT["together"], content=CALLS)["choices"][0]["message"]["tool_calls"]
    ]
    assert "index" not in whole(CHAT["openai"], content=CALLS)["choices"][0]["message"]["tool_calls"][0]
