"""Each dialect reads back what it writes, and a stream reads the same however it is cut."""

import dataclasses
import itertools
import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    ImagePart,
    LLMMessage,
    ReasoningEffort,
    TextPart,
    ThinkingPart,
    TokenUsage,
    Tool,
    ToolCall,
    ToolResult,
)
from llm_gateway.wire import anthropic, bedrock, claude_cli, cohere, gemini, ollama, openai_chat, openai_responses

HTTP = [
    anthropic.DIALECT,
    bedrock.DIALECT,
    cohere.DIALECT,
    gemini.DIALECT,
    ollama.DIALECT,
    openai_chat.DIALECT,
    openai_responses.DIALECT,
]
EVERY = [*HTTP, claude_cli.DIALECT]

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
objects = st.dictionaries(names, st.one_of(words, st.integers(-9, 9), st.booleans()), max_size=3)
texts = st.builds(TextPart, words)
images = st.one_of(
    st.builds(ImagePart, st.binary(min_size=1, max_size=9), st.just("image/png")),
    st.builds(ImagePart, url=st.just("https://example.com/a.png")),
)
calls = st.builds(ToolCall, names, names, objects)
users = st.builds(
    lambda text, image: LLMMessage("user", (text, *image)), texts, st.lists(images, max_size=1).map(tuple)
)
systems = st.builds(lambda text: LLMMessage("system", (text,)), texts)
levels: list[ReasoningEffort | None] = [None, *get_args(ReasoningEffort)]
tools = st.builds(Tool, names, words, st.just({"type": "object", "properties": {}}))
requests = st.builds(
    ChatRequest,
    model=names,
    messages=st.builds(lambda first, rest: (first, *rest), systems, st.lists(users, min_size=1, max_size=3)),
    max_tokens=st.integers(1, 999),
    temperature=st.sampled_from([None, 0.0, 0.5]),
    top_p=st.sampled_from([None, 0.0, 1.0]),
    seed=st.sampled_from([None, 0, 7]),
    reasoning_effort=st.sampled_from(levels),
    json_mode=st.booleans(),
    tools=st.lists(tools, max_size=2).map(tuple),
    tool_choice=st.sampled_from([None, "auto", "none", "required", "weigh"]),
    response_schema=st.sampled_from([None, {"type": "object"}]),
    stream=st.booleans(),
)
counts = st.integers(0, 10**6)


@st.composite
def usages(draw, dialect):
    read, written, fresh, out = (draw(counts) for _ in range(4))
    if dialect is gemini.DIALECT:  # it counts no writes to its cache
        return TokenUsage(fresh + read, out + 5, read, reasoning_tokens=5)
    reasoning = 5 if dialect is openai_responses.DIALECT else None  # it always states a number of them
    return TokenUsage(fresh + read + written, out, read, written, reasoning_tokens=reasoning)


@st.composite
def replies(draw, dialect):
    parts = [draw(texts), *draw(st.lists(calls, max_size=2))]
    stop = "tool_use" if len(parts) > 1 else draw(st.sampled_from(["end_turn", "max_tokens"]))
    return ChatReply(tuple(parts), model=draw(names), id=draw(names), stop_reason=stop, usage=draw(usages(dialect)))


def without_url_fields(dialect, request):
    """Without what Gemini puts into the URL, and with the image type that it requires and Ollama omits."""
    if dialect not in (gemini.DIALECT, ollama.DIALECT):
        return request
    kind = "image/png" if dialect is gemini.DIALECT else None
    messages = [
        dataclasses.replace(
            message,
            parts=tuple(
                dataclasses.replace(part, media_type=kind) if isinstance(part, ImagePart) else part
                for part in message.parts
            ),
        )
        for message in request.messages
    ]
    addressed = {"model": "", "stream": False} if dialect is gemini.DIALECT else {}
    return dataclasses.replace(request, messages=tuple(messages), **addressed)


def here(request):
    """*request* without images by address, which Converse and Ollama refuse."""
    kept = (tuple(part for part in one.parts if getattr(part, "url", None) is None) for one in request.messages)
    turns = (dataclasses.replace(one, parts=parts) for one, parts in zip(request.messages, kept, strict=True))
    return dataclasses.replace(request, messages=tuple(turns))


JSON_IN_WORDS = [anthropic.DIALECT, bedrock.DIALECT]


def in_json(dialect, request):
    """Return *request* as its JSON mode is written: without a schema, with a mention of JSON, for an API that has such a mode."""
    if not request.json_mode or request.response_schema is not None or dialect in JSON_IN_WORDS:
        return dataclasses.replace(request, json_mode=False)
    return dataclasses.replace(request, messages=(LLMMessage.system("As JSON."), *request.messages[1:]))


def thought_by(dialect, request):
    """*request* as far as the dialect has words for how hard to think."""
    effort = request.reasoning_effort
    if dialect is anthropic.DIALECT and effort == "minimal":
        return dataclasses.replace(request, reasoning_effort="low")
    if dialect is ollama.DIALECT:
        nearest = {"minimal": "low", "xhigh": "high", "max": "high"}.get(effort, effort)
        return dataclasses.replace(request, reasoning_effort=nearest)
    if dialect is cohere.DIALECT and effort not in (None, "none"):
        return dataclasses.replace(request, reasoning_effort=None, extra={"thinking": {"type": "enabled"}})
    return request


def expressible_in(dialect, request):
    """Return the part of *request* that is in the body: Converse has the model and the stream in its URL."""
    if dialect is cohere.DIALECT and request.tool_choice == "auto":
        return dataclasses.replace(request, tool_choice=None)
    if dialect is cohere.DIALECT and request.tool_choice == "weigh":
        offered = tuple(tool for tool in request.tools if tool.name == "weigh")
        return dataclasses.replace(request, tool_choice="required", tools=offered)
    if dialect is ollama.DIALECT:
        offered = tuple(tool for tool in request.tools if request.tool_choice in (None, "auto", "required", tool.name))
        return dataclasses.replace(request, tool_choice=None, tools=offered)
    if dialect is not bedrock.DIALECT:
        return request
    first, *turns = request.messages
    merged = LLMMessage("user", tuple(part for one in turns for part in one.parts))
    unasked = {"tools": (), "tool_choice": None} if request.tool_choice == "none" else {}
    return dataclasses.replace(request, model="", stream=False, messages=(first, merged), **unasked)


def replied_by(dialect, reply):
    """The same of a reply, which with Converse names neither the model nor itself, and with Cohere no model."""
    if dialect is cohere.DIALECT:
        return dataclasses.replace(reply, model=None, usage=dataclasses.replace(reply.usage, cache_write_tokens=None))
    if dialect is ollama.DIALECT:
        usage = TokenUsage(reply.usage.input_tokens, reply.usage.output_tokens)
        return dataclasses.replace(reply, id=None, usage=usage)
    return dataclasses.replace(reply, model=None, id=None) if dialect is bedrock.DIALECT else reply


@pytest.mark.parametrize("dialect", HTTP, ids=lambda one: one.name)
@given(request=requests)
def test_a_request_reads_back(dialect, request):
    """A request survives its wire form, which is JSON."""
    request = in_json(dialect, here(request) if dialect in (bedrock.DIALECT, ollama.DIALECT) else request)
    body = json.loads(json.dumps(dialect.encode_request(request)))
    assert expressible_in(dialect, without_url_fields(dialect, thought_by(dialect, request))) == dialect.decode_request(
        body
    )


@pytest.mark.parametrize("dialect", HTTP, ids=lambda one: one.name)
@given(data=st.data())
def test_a_reply_reads_back(dialect, data):
    """The same of a reply, its usage included."""
    reply = replied_by(dialect, data.draw(replies(dialect)))
    assert reply == dialect.decode_reply(json.loads(json.dumps(dialect.encode_reply(reply))))


def in_chunks(data, ends):
    edges = sorted({0, len(data), *(end % (len(data) + 1) for end in ends)})
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("dialect", EVERY, ids=lambda one: one.name)
@given(data=st.data(), ends=st.lists(st.integers(0, 10**6), max_size=30))
def test_a_stream_reads_the_same_in_chunks_of_any_size(dialect, data, ends):
    """A chunk may end inside a line, an event or a character; the deltas add up to the text."""
    reply = replied_by(dialect, data.draw(replies(dialect)))
    if dialect is claude_cli.DIALECT:
        reply = ChatReply(reply.parts[:1], reply.model, reply.id, "end_turn", reply.usage)
    decoder = dialect.stream_decoder()
    deltas = []
    for chunk in in_chunks(b"".join(dialect.encode_stream(reply)), ends):
        deltas += decoder.feed(chunk)
    whole = decoder.reply()

    assert decoder.is_finished
    assert decoder.error is None
    assert reply.text == "".join(delta.text for delta in deltas) == whole.text
    assert reply.tool_calls == tuple(delta.tool_call for delta in deltas if delta.tool_call) == whole.tool_calls
    if dialect is claude_cli.DIALECT:
        expected = (reply.usage.input_tokens, reply.usage.output_tokens)
        assert expected == (whole.usage.input_tokens, whole.usage.output_tokens)
    else:
        assert reply == whole


CONVERSATION = ChatRequest(
    "m",
    (
        LLMMessage("user", (TextPart("weigh it"),)),
        LLMMessage("assistant", (TextPart("I will."), ToolCall("call_1", "weigh", {"what": "feathers"}))),
        LLMMessage("tool", (ToolResult("call_1", "1 kg"),)),
    ),
)


def test_a_conversation_with_tools_keeps_its_calls_and_results():
    """Formats that split a turn into several messages or items still carry every part in order."""
    expected = [part for message in CONVERSATION.messages for part in message.parts]
    for dialect in HTTP:
        decoded = dialect.decode_request(dialect.encode_request(CONVERSATION))
        assert expected == [part for message in decoded.messages for part in message.parts], dialect.name


def test_thinking_goes_back_with_its_signature():
    """The Messages API refuses a turn whose reasoning lost its signature, and so does Converse."""
    message = LLMMessage("assistant", (ThinkingPart("hm", "c2ln"), TextPart("done")))
    block = bedrock.DIALECT.encode_request(ChatRequest("m", (message,)))["messages"][0]["content"][0]
    assert {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}} == block
    body = anthropic.DIALECT.encode_request(ChatRequest("m", (message,)))
    assert {"type": "thinking", "thinking": "hm", "signature": "c2ln"} == body["messages"][0]["content"][0]


@given(request=requests)
def test_the_command_line_reads_back(request):
    """System prompt, schema and the one turn survive arguments and input."""
    effort = {"none": None, "minimal": "low"}.get(request.reasoning_effort, request.reasoning_effort)
    request = ChatRequest(
        request.model,
        request.messages[:2],
        reasoning_effort=effort,
        response_schema=request.response_schema,
        stream=request.stream,
    )
    argv, stdin, env = claude_cli.DIALECT.encode_request(request)
    assert {} == env
    assert request == claude_cli.DIALECT.decode_request(argv, stdin)


def test_the_command_line_takes_earlier_turns_as_a_transcript():
    """It takes earlier turns in no other way."""
    turns = (
        LLMMessage("user", (TextPart("one"),)),
        LLMMessage("assistant", (TextPart("two"),)),
        LLMMessage("user", (TextPart("three"),)),
    )
    _, stdin, _ = claude_cli.DIALECT.encode_request(ChatRequest("haiku", turns))
    first, last = json.loads(stdin)["message"]["content"]
    assert "<conversation>\nuser: one\n\nassistant: two\n</conversation>\n\n" == first["text"]
    assert "three" == last["text"]
