"""
Local stub server for three providers, to record without a key: ``pytest -p stub_providers --llm-record``.

It replies on a real loopback socket, in the providers' formats, with fixed texts. The client uses it as a proxy, so
that calls keep the providers' own URLs except for the scheme, which is corrected in the cassettes.
"""

import dataclasses
import http.server
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path

import pytest

from llm_gateway.types import ChatReply, ChatRequest, TextPart, TokenUsage, ToolCall, WireRequest
from llm_gateway.wire import anthropic, openai_chat

ADDRESSES = {
    "anthropic": "http://api.anthropic.com",
    "openai": "http://api.openai.com/v1",
    "groq": "http://api.groq.com/openai/v1",
}
OVERLOADED = ("claude-opus-5-5", "claude-sonnet-5-5")
CITIES = ("Bergen", "Lyon")
ANSWERS = {
    "What is the capital of France? Answer in one word.": "Paris",
    "I was charged twice, please help today!": '{"queue":"billing","is_urgent":true}',
    "Where do I need an umbrella, in Bergen or in Lyon?": "Take it to Bergen, where it rains; Lyon is sunny.",
    "Count from one to five, in words.": "One, two, three, four, five.",
    "Tell the plot of Hamlet in one sentence.": "A prince avenges his father, late, and everybody dies.",
    "Tell the plot of Macbeth in one sentence.": "A general murders his way to a throne that he cannot keep.",
    "Which planet is the largest? Answer in one word.": "Jupiter",
    "Which planet has rings that are easy to see?": '{"name":"Saturn","moons":274}',
    "Name a colour of the rainbow in one word.": "Indigo",
    "I have one day in Paris. What should I see?": "See the Louvre by morning and the Seine by night.",
    "How do I get there from the airport?": "Take the RER B; it needs 35 minutes to the centre.",
    "What did I ask first?": "You asked what to see in Paris in one day.",
}


def answer(chat: ChatRequest) -> ChatReply:
    """Return the reply to the last text of *chat*; tools are called first."""
    question = next(message.text for message in reversed(chat.messages) if message.role == "user" and message.text)
    calls = [ToolCall(f"call_{city}", "weather", {"city": city}) for city in CITIES]
    if chat.tools and chat.messages[-1].text == question:
        return reply(chat, *calls)
    is_german = "German" in chat.messages[0].text
    return reply(chat, TextPart("Eins, zwei, drei, vier, fünf." if is_german else ANSWERS[question]))


def reply(chat: ChatRequest, *parts: TextPart | ToolCall) -> ChatReply:
    """Return a reply of *parts* with rough token counts."""
    usage = TokenUsage(tokens(chat.messages), tokens(parts), cache_read_tokens=0, cache_write_tokens=0)
    is_call = any(isinstance(part, ToolCall) for part in parts)
    return ChatReply(parts, chat.model, "Example", "tool_use" if is_call else "end_turn", usage)


def tokens(values: Iterable[object]) -> int:
    return sum(len(str(one)) for one in values) // 8


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        dialect = anthropic.DIALECT if self.path.endswith("/messages") else openai_chat.DIALECT
        chat = dialect.decode_request(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        if chat.model in OVERLOADED:
            error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
            self.send(529, "application/json", [json.dumps(error).encode()])
        elif chat.stream:
            found = answer(chat)
            words = [word + " " for word in found.text.split(" ")]
            words[-1] = words[-1].rstrip()
            self.send(200, "text/event-stream; charset=utf-8", dialect.encode_stream(found, chunks=words))
        else:
            whole = json.dumps(dialect.encode_reply(answer(chat)), ensure_ascii=False)
            self.send(200, "application/json", [whole.encode()])

    def send(self, status: int, kind: str, chunks: Iterable[bytes]) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in chunks:
            time.sleep(0.02)
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Print nothing."""


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: clients hang up once they have read the end of a stream."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the server and send the client to it, with keys that are not valid."""
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    folder = tempfile.TemporaryDirectory()
    config.add_cleanup(folder.cleanup)
    settings = {"providers": {name: {"base_url": address} for name, address in ADDRESSES.items()}}
    file = Path(folder.name, "stub_providers.yaml")
    file.write_text(json.dumps(settings), encoding="utf-8")  # JSON is YAML
    os.environ.update({f"{name.upper()}_API_KEY": "no-key" for name in ADDRESSES})
    os.environ.update(LLM_CONFIG=str(file), http_proxy=f"http://127.0.0.1:{server.server_port}", no_proxy="")


def pytest_llm_before_save(request: WireRequest) -> WireRequest:
    """Write the scheme of the provider's URL."""
    return dataclasses.replace(request, url=request.url.replace("http://", "https://", 1))
