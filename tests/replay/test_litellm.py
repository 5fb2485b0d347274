"""Calls of litellm, whose older openai SDK needs an environment of its own: ``tox run -e litellm``."""

import asyncio
import dataclasses
import http.server
import json
import re
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel

from llm_gateway import LLMClient, SyncLLMClient, Tool
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.playback import Playback
from llm_gateway.client.counting import sizer_of
from llm_gateway.cost.account import known_facts
from llm_gateway.exceptions import ProviderError
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import ChatReply, TextPart, TokenUsage, ToolCall
from llm_gateway.wire import anthropic, openai_chat
from llm_gateway.wire.dialects import find_dialect
from llm_gateway.wire.tokens import framed_tokens

litellm = pytest.importorskip("litellm")


class Greeting(BaseModel):
    text: str


WEIGH = Tool("weigh", "Weigh something", {"type": "object", "properties": {"what": {"type": "string"}}})
SYNC_AND_ASYNC = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient])
MODELS = pytest.mark.parametrize("model", ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"])


def answer_to(request):
    """Return text, an object or tool calls, whichever is requested."""
    usage, parts, stop = TokenUsage(12, 3), (TextPart("Hello there"),), "end_turn"
    if request.response_schema is not None:
        parts = (TextPart('{"text": "hi"}'),)
    elif request.tools and request.tool_choice not in (None, "auto"):
        name = request.tools[0].name
        parts, stop = (ToolCall("c1", name, {"text": "hi"}),), "tool_use"
    elif request.tools:
        parts = tuple(ToolCall(f"c{what}", "weigh", {"what": what}) for what in ("lead", "wool"))
        stop = "tool_use"
    return ChatReply(parts, request.model, "id-1", stop, usage)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        dialect = anthropic.DIALECT if self.path.endswith("/messages") else openai_chat.DIALECT
        if self.server.failure is not None:
            return self.fail(*self.server.failure)
        request = dialect.decode_request(body)
        reply = answer_to(request)
        raw = json.dumps(dialect.encode_reply(reply)).encode()
        kind = "application/json"
        if body.get("stream"):
            raw, kind = b"".join(dialect.encode_stream(reply, chunks=["Hello", " there"])), "text/event-stream"
        return self.send(200, raw, kind)

    def fail(self, status, kind, message):
        error = {"type": kind, "message": message, "code": None, "param": None}
        self.send(status, json.dumps({"type": "error", "error": error}).encode(), "application/json")

    def send(self, status, raw, kind):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.failure = True, None
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def arguments(api, model):
    base = f"http://127.0.0.1:{api.server_port}" + ("" if model.startswith("anthropic") else "/v1")
    messages = [{"role": "user", "content": "hi"}]
    return {"model": model, "messages": messages, "api_base": base, "api_key": "k", "num_retries": 0}


def whole(**options):
    return litellm.completion(**options).choices[0].message.content


def streamed(**options):
    return "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(stream=True, **options))


def async_whole(**options):
    async def go():
        return (await litellm.acompletion(**options)).choices[0].message.content

    return asyncio.run(go())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", [whole, streamed, async_whole])
@MODELS
def test_calls_are_recorded_and_replayed(model, call, api, tmp_path):
    """Sync, streamed and async calls get the recorded reply with the server stopped."""
    options = arguments(api, model)
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        assert "Hello there" == call(**options)
    assert 12 == cassette.calls[0].usage.input_tokens
    api.shutdown()
    api.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        assert "Hello there" == call(**options)


def run(client_class, call, api, model):
    """Return the result of *call*, a function of a sync or async client, and close the client."""
    base = arguments(api, model)["api_base"]
    made = client_class(provider="litellm", model=model, api_key="k", base_url=base)
    if client_class is SyncLLMClient:
        with made as client:
            return call(client)

    async def go():
        async with made as client:
            return await call(client)

    return asyncio.run(go())


async def read(llm):
    stream = llm.stream("hi")
    return [delta.text async for delta in stream], stream.response


def read_sync(llm):
    stream = llm.stream("hi")
    return [delta.text for delta in stream], stream.response


@pytest.mark.filterwarnings("ignore")
@MODELS
@SYNC_AND_ASYNC
class TestAsProvider:
    """Calls of a client with ``provider="litellm"``."""

    def test_text_streams_objects_and_tools(self, client_class, model, api):
        """Each has usage, and the price of the provider in the model's name."""
        reply = run(client_class, lambda llm: llm.chat("hi", max_tokens=9), api, model)
        texts, streamed = run(client_class, read if client_class is LLMClient else read_sync, api, model)
        made = run(client_class, lambda llm: llm.complete("hi", response_model=Greeting), api, model)
        with_tools = run(client_class, lambda llm: llm.chat("weigh", tools=[WEIGH]), api, model)

        assert ("Hello there", model) == (reply.content, reply.model)
        assert (12, 3) == (reply.usage.input_tokens, reply.usage.output_tokens)
        assert (["Hello", " there"], reply.cost_usd) == (texts, streamed.cost_usd)
        assert reply.cost_usd > 0
        assert Greeting(text="hi") == made.content
        assert [{"what": "lead"}, {"what": "wool"}] == [call.arguments for call in with_tools.tool_calls]

    @pytest.mark.parametrize(
        ("status", "kind", "message", "ours"),
        [
            (401, "authentication_error", "invalid key", "auth"),
            (404, "not_found_error", "no such model", "not_found"),
            (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", "context_window"),
            (529, "overloaded_error", "overloaded", "overloaded"),
        ],
    )
    def test_errors_have_their_kind(self, status, kind, message, ours, client_class, model, api, monkeypatch):
        """Litellm's own retries are off."""
        monkeypatch.setenv("LLM_MAX_RETRIES", "0")
        api.failure = (status, kind, message)
        for call in (lambda llm: llm.chat("hi"), read if client_class is LLMClient else read_sync):
            with pytest.raises(ProviderError, match=message[:12]) as error:
                run(client_class, call, api, model)
            # litellm reports an overloaded server as a failed one.
            assert error.value.kind in ({ours, "server"} if status == 529 else {ours})

    def test_unreachable_address_is_a_connection_error(self, client_class, model, api, monkeypatch):
        """The error is not reported as one of the server."""
        monkeypatch.setenv("LLM_MAX_RETRIES", "0")
        api.shutdown()
        api.server_close()
        with pytest.raises(ProviderError, match=r"cannot reach 127\.0\.0\.1") as error:
            run(client_class, lambda llm: llm.chat("hi"), api, model)
        assert "connection" == error.value.kind

    def test_replay_has_the_recorded_cost(self, client_class, model, api, tmp_path):
        """Content and usage are the recorded ones too."""
        found = []
        for mode in (Mode.RECORD, Mode.REPLAY):
            with use_cassette(tmp_path / "a.yaml", mode):
                reply = run(client_class, lambda llm: llm.chat("hi"), api, model)
            found.append((reply.content, reply.usage, reply.cost_usd))

        assert found[0] == found[1]
        assert found[0][2] is not None


@pytest.mark.filterwarnings("ignore")
def test_example_of_the_documentation_runs(api, monkeypatch, capsys):
    """The model is replaced by one of a provider that needs no project."""
    page = (Path(__file__).resolve().parents[2] / "docs/providers/litellm.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.setenv("LLM_API_KEY", "k")
    monkeypatch.setenv("LLM_BASE_URL", f"http://127.0.0.1:{api.server_port}/v1")
    exec(code.replace("watsonx/ibm/granite-3-8b-instruct", "openai/gpt-5-mini"), {})

    assert "Hello there 15 0.000009\n" == capsys.readouterr().out


def test_token_counts_equal_those_reported_by_openai(traffic, record_property, monkeypatch):
    """With litellm's vocabularies, every recorded text request is counted exactly."""
    folder = Path(litellm.__file__).parent / "litellm_core_utils" / "tokenizers"
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(folder))
    pairs = []
    for row in traffic.manifest:
        playback, positions = Playback(traffic.data / row["file"]), [index for index, _ in traffic.load(row["file"])]
        for expected in row["expected"]:
            exchange = playback.exchange(positions.index(expected["index"]))
            dialect, usage = find_dialect(expected["api"]), known_facts(exchange).usage
            if expected["provider"] != "openai" or dialect is None or not usage or not usage.input_tokens:
                continue
            body = json.loads(exchange.request.body or b"{}")
            request = dialect.decode_request({**body, "model": expected["model_served"] or body.get("model")})
            size = sizer_of(request.model, folder) if request.messages and _is_whole(body) else None
            tokens = size and framed_tokens(dataclasses.replace(request, extra={}), size)
            pairs += [(tokens, usage.input_tokens)] if tokens else []
    record_property("counted exactly", f"{sum(mine == theirs for mine, theirs in pairs)} of {len(pairs)}")

    assert [theirs for _, theirs in pairs] == [mine for mine, _ in pairs]
    assert len(pairs) >= 12


def _is_whole(body):
    """Return True if all of the input is in the request, as text."""
    raw = json.dumps(body)
    return not any(word in raw for word in ("previous_response_id", '"file', "image", "audio", '"tools"', "schema"))


def test_unknown_provider_is_an_invalid_request(api):
    """The message is litellm's own."""
    with pytest.raises(ProviderError, match="LLM Provider NOT provided") as error:
        SyncLLMClient(provider="litellm", model="nonsense").chat("hi")
    assert "invalid_request" == error.value.kind
