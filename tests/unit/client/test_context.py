"""Conversations that are too long: which messages are sent, at first and after the provider counts more."""

import asyncio
import http.server
import json
import pickle
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient
from llm_gateway.client import counting, flows
from llm_gateway.client.truncation import drop_oldest, keep_first_and_last, truncate_to_context
from llm_gateway.exceptions import ContextWindowError, ProviderError
from llm_gateway.flow.steps import Head, Now, Open, Read, Send
from llm_gateway.providers import anthropic, bedrock, gemini, openai, vertex
from llm_gateway.types import ChatRequest, LLMMessage, TextPart, Tool, ToolCall, ToolResult, WireReply
from llm_gateway.wire import count_tokens as wire_counting
from llm_gateway.wire.tokens import Estimate, estimate_tokens


def text_message(role, text):
    return LLMMessage(role, (TextPart(text),))


def called(*names):
    return LLMMessage("assistant", tuple(ToolCall(name, "weigh", {"what": name}) for name in names))


def returned(*names, role="tool"):
    return LLMMessage(role, tuple(ToolResult(name, f"{name} weighs a gram") for name in names))


def request(*messages, **facts):
    return ChatRequest("gpt-5-mini", messages, **facts)


LONG = request(
    text_message("system", "Be brief."),
    text_message("user", "My order is 4711."),
    text_message("assistant", "Noted."),
    text_message("user", "Weigh two things."),
    called("a", "b"),
    returned("a"),
    returned("b"),
    text_message("assistant", "A gram each."),
    text_message("user", "Thank you, and what was my order?"),
)


def kept(most, strategy=drop_oldest, requested=LONG):
    return [requested.messages.index(message) for message in truncate_to_context(requested, most, strategy).messages]


def test_the_newest_turns_stay_with_the_system_prompt():
    """Whole turns go, the oldest first; calls of tools go with their results."""
    assert [list(range(9)), [0, 3, 4, 5, 6, 7, 8], [0, 8]] == [kept(most) for most in (400, 250, 60)]


def test_the_first_turn_stays_with_the_other_strategy():
    """As long as there is room for both the first and the last."""
    assert [[0, 1, 8], [0, 8]] == [kept(most, keep_first_and_last) for most in (80, 48)]


def test_a_last_turn_that_is_too_long_keeps_its_question_and_the_newest_results():
    """An agent that works for long on one question does not lose it."""
    requested = request(
        text_message("user", "Weigh all."), *(one for i in range(9) for one in (called(f"c{i}"), returned(f"c{i}")))
    )

    assert [0, 15, 16, 17, 18] == kept(250, requested=requested)


def test_a_strategy_can_be_any_function():
    """It is given blocks with their tokens; what it returns has to fit and to hold the last."""
    seen = []

    def last_only(blocks, room):
        seen.append(([len(block.messages) for block in blocks], room))
        return blocks[-1:]

    assert [0, 8] == kept(250, last_only)
    assert [([1, 1, 1, 3, 1, 1], 230)] == seen
    with pytest.raises(ContextWindowError):
        kept(250, lambda blocks, room: blocks)
    with pytest.raises(ContextWindowError):
        kept(250, lambda blocks, room: blocks[:1])


def test_when_the_last_turn_does_not_fit_nothing_is_sent():
    """With what was counted and what to type; it pickles."""
    with pytest.raises(ContextWindowError) as caught:
        truncate_to_context(LONG, 30)
    assert (
        "the conversation has about 267 tokens, and 30 are allowed\n"
        "  its last turn does not fit: the last message has about 18, system prompt and tools 20\n"
        "  shorten the last turn, or raise max_context_tokens or LLM_MAX_CONTEXT_TOKENS"
    ) == str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert ("context_window", False, 267, 30) == (again.kind, again.is_retryable, again.tokens, again.limit)


def test_tools_take_room():
    """What is fixed is counted before any message."""
    tool = Tool("weigh", "Weigh a thing. " * 30, {"type": "object"})
    with pytest.raises(ContextWindowError, match=r"system prompt and tools 279"):
        truncate_to_context(request(*LONG.messages, tools=(tool,)), 250)


words = st.text("ab ", min_size=1, max_size=40)
plain = st.builds(text_message, st.sampled_from(["user", "assistant", "system"]), words).map(lambda one: [one])


BETWEEN = text_message("user", "Are you there?")


@st.composite
def turns_with_tools(draw):
    """Calls and results in the forms of both: one message for all results, or one each, and texts between them."""
    ids = [f"{draw(st.integers(0, 10**9))}-{i}" for i in range(draw(st.integers(1, 3)))]
    results = [returned(*ids, role="user")] if draw(st.booleans()) else [returned(one) for one in ids]
    return [called(*ids), *draw(st.lists(st.just(BETWEEN), max_size=1)), *results]


conversations = st.lists(st.one_of(plain, turns_with_tools()), min_size=1, max_size=12).map(
    lambda parts: tuple(message for part in parts for message in part)
)


@given(conversations, st.integers(20, 600), st.sampled_from([drop_oldest, keep_first_and_last]), st.floats(0.5, 2))
def test_what_is_sent_is_a_conversation(messages, most, strategy, ratio):
    """It fits, is in order, holds the last message and whole pairs, begins as the API wants, and fits again."""
    requested = request(*messages)
    try:
        sent = truncate_to_context(requested, most, strategy, ratio)
    except ContextWindowError:
        return
    rest = iter(messages)

    assert most + 1e-6 >= estimate_tokens(sent).tokens * ratio
    assert all(any(message is one for one in rest) for message in sent.messages)
    assert [m for m in messages if m.role == "system"] == [m for m in sent.messages if m.role == "system"]
    dialogue = [message for message in messages if message.role != "system"]
    assert dialogue[-1:] == [message for message in sent.messages if message.role != "system"][-1:]
    assert identities(sent, ToolCall, "id") == identities(sent, ToolResult, "tool_call_id")
    assert sent == requested or begins_with_a_question(sent) or not any(map(is_question, dialogue))
    assert sent == truncate_to_context(sent, most, strategy, ratio)


def identities(requested, kind, name):
    return sorted(getattr(part, name) for one in requested.messages for part in one.parts if isinstance(part, kind))


def begins_with_a_question(sent):
    return is_question(next(message for message in sent.messages if message.role != "system"))


def is_question(message):
    is_result = any(isinstance(part, ToolResult) for part in message.parts)
    return message.role == "user" and not is_result and message is not BETWEEN


TOO_LONG = "prompt is too long: {} tokens > {} maximum"


@pytest.fixture
def client():
    return SyncLLMClient(GatewayConfig(provider="anthropic", api_key="k", max_context_tokens=1_000, max_retries=0))


def good(text="yes"):
    usage = {"input_tokens": 3, "output_tokens": 1}
    body = {"model": "claude-haiku-5-5", "content": [{"type": "text", "text": text}], "usage": usage}
    return WireReply(200, (), json.dumps({**body, "stop_reason": "end_turn"}).encode())


def rejection(message):
    error = {"type": "invalid_request_error", "message": message}
    return WireReply(400, (), json.dumps({"type": "error", "error": error}).encode())


def played(flow, replies):
    """Return the number of messages of each request, and the flow's result."""
    counts, replies, step = [], list(replies), next(flow)
    try:
        while True:
            if isinstance(step, Send):
                counts.append(len(json.loads(step.request.body)["messages"]))
            step = flow.send(replies.pop(0) if isinstance(step, Send) else 0.0)
    except StopIteration as done:
        return counts, done.value


CHAT = [
    text_message("user" if i % 2 == 0 else "assistant", f"This is message {i} of a long conversation.")
    for i in range(101)
]


def test_a_long_conversation_is_sent_in_part(client):
    """The response counts the messages that were left out."""
    counts, response = played(flows.chat(client._start_call(), client._build_request(CHAT)), [good()])

    assert ([31], 70) == (counts, response.truncated)


def test_a_rejection_with_numbers_corrects_the_estimate_once(client):
    """By what the provider counted; the next call of the client begins with that."""
    replies = [rejection(TOO_LONG.format(1_500, 1_200)), good()]
    counts, response = played(flows.chat(client._start_call(), client._build_request(CHAT)), replies)
    after, _ = played(flows.chat(client._start_call(), client._build_request(CHAT)), [good()])

    assert ([31, 19], 82) == (counts, response.truncated)
    assert [400, 200] == [one.status for one in response.attempts]
    assert [19] == after


def test_a_smaller_window_than_was_set_is_taken_from_the_rejection(client):
    """The model's own limit holds then."""
    counts, _ = played(
        flows.chat(client._start_call(), client._build_request(CHAT)), [rejection(TOO_LONG.format(900, 450)), good()]
    )

    assert [31, 13] == counts


@pytest.mark.parametrize("message", ["Input is too long for requested model.", TOO_LONG.format(1_001, 1_000)])
def test_a_rejection_is_the_answer_when_it_does_not_help(message, client):
    """It has no numbers, or there is nothing left to leave out."""
    requested = client._build_request("One message that the provider finds too long.")
    with pytest.raises(ProviderError) as caught:
        played(flows.chat(client._start_call(), requested), [rejection(message)])

    assert "context_window" == caught.value.kind


def test_a_second_rejection_is_final(client):
    """The numbers were wrong, and no third request is sent."""
    replies = [rejection(TOO_LONG.format(1_500, 1_200)), rejection(TOO_LONG.format(1_400, 1_200))]
    with pytest.raises(ProviderError, match="1400 tokens > 1200"):
        played(flows.chat(client._start_call(), client._build_request(CHAT)), replies)


def test_without_a_limit_all_is_sent(monkeypatch):
    """And nothing is counted as left out."""
    made = SyncLLMClient(GatewayConfig(provider="anthropic", api_key="k"))
    counts, response = played(flows.chat(made._start_call(), made._build_request(CHAT)), [good()])

    assert ([101], 0) == (counts, response.truncated)


def test_the_limit_is_a_setting_and_an_option(client, monkeypatch):
    """The option wins, with a strategy of its own; it is no part of the request's body."""
    options = {"max_context_tokens": 200, "context_strategy": keep_first_and_last}
    counts, _ = played(flows.chat(client._start_call(None, options), client._build_request(CHAT, **options)), [good()])
    monkeypatch.setenv("LLM_MAX_CONTEXT_TOKENS", "500")

    assert [4] == counts
    assert 500 == GatewayConfig().max_context_tokens
    with pytest.raises(ValidationError, match="greater than 0"):
        GatewayConfig(max_context_tokens=0)


def test_a_stream_is_truncated_as_well(client):
    """Before it is opened; the estimate is corrected there too."""
    flow, step, counts = flows.stream(client._start_call(), client._build_request(CHAT)), None, []
    body = rejection(TOO_LONG.format(1_500, 1_200)).body
    values = [Head(400, ()), body, b"", Head(500, ()), b""]
    step = next(flow)
    with pytest.raises(ProviderError):
        while True:
            if isinstance(step, Open):
                counts.append(len(json.loads(step.request.body)["messages"]))
            step = flow.send(values.pop(0) if isinstance(step, Open | Read) else 0.0)

    assert [31, 19] == counts


COUNTED = WireReply(200, (), b'{"input_tokens": 42, "inputTokens": 42, "totalTokens": 42}')


VERTEX = (
    "https://europe-west4-aiplatform.googleapis.com/v1/projects/my-project/locations/europe-west4"
    "/publishers/google/models/gemini-3.1-flash-lite:countTokens"
)
BEDROCK = (
    "https://bedrock-runtime.europe-west4.amazonaws.com/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/count-tokens"
)


@pytest.mark.parametrize(
    ("provider", "url", "fields"),
    [
        (
            anthropic.provider,
            "https://api.anthropic.com/v1/messages/count_tokens",
            {"model", "messages", "system", "tools"},
        ),
        (openai.provider, "https://api.openai.com/v1/responses/input_tokens", {"model", "input", "tools"}),
        (openai.responses, "https://api.openai.com/v1/responses/input_tokens", {"model", "input", "tools"}),
        (
            gemini.provider,
            "https://generativelanguage.googleapis.com/v1beta/models/gemini-3.1-flash-lite:countTokens",
            {"generateContentRequest"},
        ),
        (
            vertex.provider,
            VERTEX,
            {"contents", "generationConfig", "systemInstruction", "tools"},
        ),
        (
            bedrock.provider,
            BEDROCK,
            {"input"},
        ),
    ],
)
def test_the_provider_counts_where_it_can(provider, url, fields):
    """Its request has the fields of the input and no others; the count is no part of the totals."""
    config = GatewayConfig(api_key="k", max_tokens=9, project="my-project", region="europe-west4")
    made = SyncLLMClient(config, provider_instance=provider(config))
    requested = made._build_request("hi", system="Be brief.", tools=[Tool("weigh", "Weigh", {"type": "object"})])
    flow = counting.count(made._start_count(), requested)
    step = next(flow)
    while not isinstance(step, Send):
        step = flow.send(0.0)
    sent = step.request
    assert isinstance(flow.send(COUNTED), Now)
    with pytest.raises(StopIteration) as done:
        flow.send(0.0)

    assert Estimate(42, "counted") == done.value.value
    assert (url, fields) == (sent.url, set(json.loads(sent.body)))
    assert (0, 0) == (made.call_count, len(made.cost_summary()))


def test_a_request_inside_another_is_whole():
    """Gemini's count takes a request with its model once more, Bedrock's the fields of Converse that it knows."""
    request = ChatRequest("gemini-4-pro", (LLMMessage("system", (TextPart("Be brief."),)),), max_tokens=9)
    inside = wire_counting.GEMINI.encode_request(request)["generateContentRequest"]

    assert {"model", "contents", "systemInstruction", "generationConfig"} == set(inside)
    assert "models/gemini-4-pro" == inside["model"]
    assert {"converse": {"messages": [], "system": [{"text": "Be brief."}]}} == (
        wire_counting.BEDROCK.encode_request(request)["input"]
    )


@pytest.mark.parametrize(
    ("name", "words", "found"),
    [
        ("ValidationException", "The provided model doesn't support counting tokens.", Estimate(57, "estimated")),
        ("ValidationException", "messages: wrong", "invalid_request"),
        ("AccessDeniedException", "not authorized to perform bedrock:CountTokens", "permission"),
    ],
)
def test_a_model_that_is_not_counted_is_estimated(name, words, found):
    """Bedrock counts few of its models; another refusal is an error."""
    config = GatewayConfig(api_key="k", region="us-east-1", model="meta.llama3-8b-instruct-v1:0")
    made = SyncLLMClient(config, provider_instance=bedrock.provider(config))
    flow = counting.count(made._start_count(), made._build_request("How are you?"))
    step = next(flow)
    while not isinstance(step, Send):
        step = flow.send(0.0)
    reply = WireReply(400, (("x-amzn-errortype", name),), json.dumps({"message": words}).encode())
    with pytest.raises((StopIteration, ProviderError)) as done:
        while True:
            flow.send(reply if isinstance(step, Send) else 0.0)
            step = None

    assert found == (done.value.value if isinstance(done.value, StopIteration) else done.value.kind)


class Counter(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200 if self.path == "/v1/messages/count_tokens" else 404)
        self.end_headers()
        self.wfile.write(COUNTED.body)

    def log_message(self, *args):
        pass


@pytest.mark.parametrize("make", [SyncLLMClient, LLMClient])
def test_both_clients_request_the_count(make):
    """Over a real socket."""
    with http.server.HTTPServer(("127.0.0.1", 0), Counter) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        made = make(GatewayConfig(api_key="k", base_url=f"http://127.0.0.1:{server.server_port}"))
        found = asyncio.run(counted_and_closed(made)) if make is LLMClient else made.count_tokens("hi")
        if make is SyncLLMClient:
            made.close()

    assert Estimate(42, "counted") == found


async def counted_and_closed(made):
    async with made:
        return await made.count_tokens("hi")


@pytest.mark.parametrize("make", [SyncLLMClient, LLMClient])
def test_elsewhere_an_estimate_is_marked_as_one(make):
    """With both clients, without a request."""
    made = make(GatewayConfig(provider="ollama", model="llama3.2"))
    found = made.count_tokens("How are you?", max_context_tokens=5)

    assert Estimate(57, "estimated") == (asyncio.run(found) if make is LLMClient else found)


def test_what_only_speaks_the_format_does_not_count():
    """A server of one's own has no such address."""
    other = openai.provider(GatewayConfig(api_key="k", base_url="http://localhost:1/v1"))

    assert other.counter is None
