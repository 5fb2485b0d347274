"""Stop reason and tool calls of a recorded reply, streamed or not, in every supported format."""

import gzip
import json

import pytest

from llm_gateway.cassettes.tools.answer import Answer, answer_of
from llm_gateway.exchange import Frame, HttpExchange, ProcessExchange
from llm_gateway.types import ChatReply, TextPart, TokenUsage, ToolCall, WireReply, WireRequest
from llm_gateway.wire.dialects import find_dialect

APIS = ["anthropic.messages", "openai.chat", "openai.responses"]
TOOL_CALL = ToolCall("call_1", "find", {"city": "Rome"})
REPLY = ChatReply((TextPart("Hm"), TOOL_CALL), "m", "id_1", "tool_use", TokenUsage(3, 2))


def answer(body, api, status=200, **headers):
    request = WireRequest("POST", "https://api.example.com/")
    return answer_of(HttpExchange(request, WireReply(status, tuple(headers.items()), body)), api)


def run(*lines):
    frames = [Frame("stdout", json.dumps(line).encode() + b"\n", 0.0) for line in lines]
    return answer_of(ProcessExchange(("claude", "-p"), tuple(frames)), "claude_cli")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("form", ["whole", "compressed", "stream", "stream without its last line"])
def test_an_answer_is_read_from_plain_compressed_and_streamed_replies(api, form):
    """Also if a recorder dropped the blank line at the end of a stream."""
    whole = json.dumps(find_dialect(api).encode_reply(REPLY)).encode()
    stream = b"".join(find_dialect(api).encode_stream(REPLY))
    found = {
        "whole": lambda: answer(whole, api),
        "compressed": lambda: answer(gzip.compress(whole), api, **{"Content-Encoding": "gzip"}),
        "stream": lambda: answer(stream, api),
        "stream without its last line": lambda: answer(stream.rstrip(), api),
    }[form]()

    assert Answer("tool_use", (TOOL_CALL,)) == found


@pytest.mark.parametrize("api", [*APIS, "gemini.unheard", None])
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'data: {"choices": 5}\n\n', b'{"choices": [1], "content": 2}']
)
def test_a_malformed_reply_has_an_unknown_answer(api, body):
    """It is not taken for an answer without tool calls."""
    assert Answer() == answer(body, api)


def test_a_call_with_an_error_status_has_no_answer():
    """Whatever its body contains."""
    body = json.dumps(find_dialect("openai.chat").encode_reply(REPLY)).encode()

    assert Answer() == answer(body, "openai.chat", status=429)


def test_a_response_that_is_still_queued_has_no_answer():
    """It may still call tools."""
    assert Answer() == answer(b'{"status": "queued", "output": []}', "openai.responses")


def test_tool_calls_of_a_run_are_read_from_its_printed_events():
    """Plain output holds only the last text, so its tool calls are unknown."""
    result = {"type": "result", "stop_reason": "end_turn", "result": "Done"}
    block = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
    event = {"type": "assistant", "message": {"content": [block]}}

    assert Answer("end_turn", (ToolCall("t1", "Bash", {"command": "ls"}),)) == run(event, result)
    assert Answer("end_turn", None) == run(result)
