"""litellm, which pins an older openai SDK and so has an environment of its own: ``tox run -e litellm``."""

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
COLOURS = pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient])
MODELS = pytest.mark.parametrize("model", ["openai/gpt-5-mini", "anthropic/claude-haiku-4-5"])


def answer_to(request):
    """Text, an object or calls of a tool, whichever is asked for."""
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
@MODELS
def test_it_records_and_replays(model, call, api, tmp_path):
    """Sync, streamed and async, with the server gone."""
    asked = arguments(api, model)
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        assert "Hello there" == call(**asked)
    assert 12 == cassette.calls[0].usage.input_tokens
    api.shutdown()
    api.server_close()
    with use_cassette(tmp_path / "a.yaml"):
        assert "Hello there" == call(**asked)


def run(colour, work, api, model):
    """Do *work*, a function of a client, in the colour of the client."""
    base = arguments(api, model)["api_base"]
    made = colour(provider="litellm", model=model, api_key="k", base_url=base)
    if colour is SyncLLMClient:
        with made as client:
            return work(client)

    async def go():
        async with made as client:
            return await work(client)

    return asyncio.run(go())


async def read(llm):
    stream = llm.stream("hi")
    return [delta.text async for delta in stream], stream.response


def read_sync(llm):
    stream = llm.stream("hi")
    return [delta.text for delta in stream], stream.response


@pytest.mark.filterwarnings("ignore")
@MODELS
@COLOURS
class TestAsProvider:
    """``provider="litellm"``."""

    def test_text_streams_objects_and_tools(self, colour, model, api):
        """With usage, and the price of the provider that the model names."""
        said = run(colour, lambda llm: llm.chat("hi", max_tokens=9), api, model)
        pieces, streamed = run(colour, read if colour is LLMClient else read_sync, api, model)
        made = run(colour, lambda llm: llm.complete("hi", response_model=Greeting), api, model)
        asked = run(colour, lambda llm: llm.chat("weigh", tools=[WEIGH]), api, model)

        assert ("Hello there", model) == (said.content, said.model)
        assert (12, 3) == (said.usage.input_tokens, said.usage.output_tokens)
        assert (["Hello", " there"], said.cost_usd) == (pieces, streamed.cost_usd)
        assert said.cost_usd > 0
        assert Greeting(text="hi") == made.content
        assert [{"what": "lead"}, {"what": "wool"}] == [call.arguments for call in asked.tool_calls]

    @pytest.mark.parametrize(
        ("status", "kind", "message", "ours"),
        [
            (401, "authentication_error", "invalid key", "auth"),
            (404, "not_found_error", "no such model", "not_found"),
            (400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum", "context_window"),
            (529, "overloaded_error", "overloaded", "overloaded"),
        ],
    )
    def test_refusals_have_their_kind(self, status, kind, message, ours, colour, model, api, monkeypatch):
        """Without a retry of litellm's own."""
        monkeypatch.setenv("LLM_MAX_RETRIES", "0")
        api.failure = (status, kind, message)
        for work in (lambda llm: llm.chat("hi"), read if colour is LLMClient else read_sync):
            with pytest.raises(ProviderError, match=message[:12]) as error:
                run(colour, work, api, model)
            # litellm makes any failed server of one that is only too busy.
            assert error.value.kind in ({ours, "server"} if status == 529 else {ours})

    def test_nobody_at_the_address(self, colour, model, api, monkeypatch):
        """Is a lost connection, not a failure of the server."""
        monkeypatch.setenv("LLM_MAX_RETRIES", "0")
        api.shutdown()
        api.server_close()
        with pytest.raises(ProviderError, match=r"cannot reach 127\.0\.0\.1") as error:
            run(colour, lambda llm: llm.chat("hi"), api, model)
        assert "connection" == error.value.kind

    def test_it_is_recorded_and_replayed(self, colour, model, api, tmp_path):
        """At the cost that was recorded."""
        found = []
        for mode in (Mode.RECORD, Mode.REPLAY):
            with use_cassette(tmp_path / "a.yaml", mode):
                said = run(colour, lambda llm: llm.chat("hi"), api, model)
            found.append((said.content, said.usage, said.cost_usd))

        assert found[0] == found[1]
        assert found[0][2] is not None


@pytest.mark.filterwarnings("ignore")
def test_what_its_page_shows_runs(api, monkeypatch, capsys):
    """With a model of a provider that needs no project."""
    page = (Path(__file__).resolve().parents[2] / "docs/providers/litellm.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    monkeypatch.setenv("LLM_API_KEY", "k")
    monkeypatch.setenv("LLM_BASE_URL", f"http://127.0.0.1:{api.server_port}/v1")
    exec(code.replace("watsonx/ibm/granite-3-8b-instruct", "openai/gpt-5-mini"), {})

    assert "Hello there 15 0.000009\n" == capsys.readouterr().out


def test_counts_here_equal_those_that_openai_reported(traffic, record_property, monkeypatch):
    """By the vocabularies that litellm carries: of every recorded request of text, to the token."""
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
    """Whether all of the input stands in the request, as text."""
    raw = json.dumps(body)
    return not any(word in raw for word in ("previous_response_id", '"file', "image", "audio", '"tools"', "schema"))


def test_an_unknown_provider_is_a_wrong_request(api):
    """In litellm's own words."""
    with pytest.raises(ProviderError, match="LLM Provider NOT provided") as error:
        SyncLLMClient(provider="litellm", model="nonsense").chat("hi")
    assert "invalid_request" == error.value.kind
