"""Async clients of the official SDKs: several calls at once in a task group, recorded and replayed."""

import asyncio
import http.server
import json
import threading

import anthropic
import openai
import pytest
from mistralai.client import Mistral

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import ChatReply, TextPart, TokenUsage
from llm_gateway.wire import anthropic as messages
from llm_gateway.wire import openai_chat, openai_responses

DIALECTS = {"messages": messages.DIALECT, "completions": openai_chat.DIALECT, "responses": openai_responses.DIALECT}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        dialect = DIALECTS[self.path.partition("?")[0].rpartition("/")[2]]
        request = dialect.decode_request(body)
        text = request.messages[-1].text.upper()
        reply = ChatReply((TextPart(text),), request.model, "id-1", "end_turn", TokenUsage(12, 3, 0))
        self.send_response(200)
        if request.stream:
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            for item in [*dialect.encode_stream(reply, chunks=[text[:2], text[2:]]), b""]:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(item), item))
            return
        raw = json.dumps(dialect.encode_reply(reply)).encode()
        self.send_header("content-type", "application/json")
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
    server.url = f"http://127.0.0.1:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


def user_message(text):
    return [{"role": "user", "content": text}]


async def by_anthropic(url, text):
    async with anthropic.AsyncAnthropic(api_key="k", base_url=url) as client:
        whole = await client.messages.create(model="m", max_tokens=9, messages=user_message(text))
        async with client.messages.stream(model="m", max_tokens=9, messages=user_message(text)) as stream:
            return whole.content[0].text, [text async for text in stream.text_stream]


async def by_openai_chat(url, text):
    async with openai.AsyncOpenAI(api_key="k", base_url=f"{url}/v1") as client:
        whole = await client.chat.completions.create(model="m", messages=user_message(text))
        stream = await client.chat.completions.create(model="m", messages=user_message(text), stream=True)
        texts = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
        return whole.choices[0].message.content, [text for text in texts if text]


async def by_openai_responses(url, text):
    async with openai.AsyncOpenAI(api_key="k", base_url=f"{url}/v1") as client:
        whole = await client.responses.create(model="m", input=text)
        async with client.responses.stream(model="m", input=text) as stream:
            return whole.output_text, [
                event.delta async for event in stream if event.type.endswith("output_text.delta")
            ]


async def by_mistral(url, text):
    async with Mistral(api_key="k", server_url=url) as client:
        whole = await client.chat.complete_async(model="m", messages=user_message(text))
        stream = await client.chat.stream_async(model="m", messages=user_message(text))
        texts = [event.data.choices[0].delta.content async for event in stream if event.data.choices]
        return whole.choices[0].message.content, [text for text in texts if text]


async def call_three_times(call, url):
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(call(url, text)) for text in ("one", "two", "three")]
    return [task.result() for task in tasks]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("call", [by_anthropic, by_openai_chat, by_openai_responses, by_mistral])
def test_concurrent_calls_replay_their_own_replies(call, api, tmp_path):
    """Each task gets its own reply, whole and streamed, with the server stopped."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = asyncio.run(call_three_times(call, api.url))
    assert [("ONE", ["ON", "E"]), ("TWO", ["TW", "O"]), ("THREE", ["TH", "REE"])] == live
    api.shutdown()
    api.server_close()
    with use_cassette(tmp_path / "a.yaml") as cassette:
        assert live == asyncio.run(call_three_times(call, api.url))
    assert [12] * 6 == [call.usage.input_tokens for call in cassette.calls]
