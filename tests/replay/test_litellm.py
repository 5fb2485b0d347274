"""litellm, which pins an older openai SDK and so has an environment of its own: ``tox run -e litellm``."""

import asyncio
import http.server
import json
import threading

import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.session import use_cassette
from llm_gateway.types import ChatReply, TextPart, TokenUsage
from llm_gateway.wire import anthropic, openai_chat

litellm = pytest.importorskip("litellm")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        dialect = anthropic.DIALECT if self.path.endswith("/messages") else openai_chat.DIALECT
        reply = ChatReply((TextPart("Hello there"),), body["model"], "id-1", "end_turn", TokenUsage(12, 3))
        raw = json.dumps(dialect.encode_reply(reply)).encode()
        kind = "application/json"
        if body.get("stream"):
            raw, kind = b"".join(dialect.encode_stream(reply, pieces=["Hello", " there"])), "text/event-stream"
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def arguments(api, model):
    base = f"http://127.0.0.1:{api.server_port}" + ("" if model.startswith("anthropic") else "/v1")
    messages = [{"role": "user", "content": "hi"}]
    return {"model": model, "messages": messages, "api_base": base, "api_key": "k", "num_retries": 0}


def whole(**asked):
    return litellm.completion(**asked).choices[0].message.content


def streamed(**asked):
    return "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(stream=True, **asked))


def later(**asked):
    async def go():
        return (await litellm.acompletion(**asked)).choices[0].message.content

    return asyncio.run(go())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", [whole, streamed, later])
@pytest.mark.parametrize("model", ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"])
def test_it_records_and_replays(model, call, api, tmp_path):
    """Sync, streamed and async, with the server gone."""
    asked = arguments(api, model)
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        assert "Hello there" == call(**asked)
    assert 12 == cassette.calls[0].metering.usage.input_tokens
    api.shutdown()
    api.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        assert "Hello there" == call(**asked)
