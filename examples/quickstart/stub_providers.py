"""
Local stub server for two providers, to record without a key: ``pytest -p stub_providers --llm-record``.

It replies on a real loopback socket in the formats of the Anthropic Messages API and of OpenAI's chat completions,
with fixed texts. Cassettes have the providers' own URLs, so that the same tests replay them, and record them again
with a key and without this plugin.
"""

import dataclasses
import http.server
import json
import os
import threading
import time

ANSWERS = {
    "charged twice, please help": '{"queue":"billing","urgent":true}',
    "charged twice": "billing",
    "Say hello": "Hello to our support team!",
    "Name one colour": "Blue.",
    "Where is my invoice": "Your invoice is on its way. You will find it in your inbox by tomorrow.",
    "Sum up in one line": "21 tickets in two days, and one outage.",
}


def answer_to(body):
    """Return the text for a request, selected by the words in its messages."""
    prompt = json.dumps(body["messages"], ensure_ascii=False)
    return next((text for words, text in ANSWERS.items() if words in prompt), "I do not know.")


def tokens(text):
    """Return a rough token count."""
    return max(1, len(text) // 4)


class Handler(http.server.BaseHTTPRequestHandler):
    """Handler of both formats, streamed or not."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path.startswith("/v1/messages"):
            events, whole = messages_events(body), messages_reply(body)
        else:
            events, whole = chat_events(body), None
        if body.get("stream"):
            self.send_events(events)
        else:
            self.send_json(whole)

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def send_json(self, reply):
        raw = json.dumps(reply, separators=(",", ":"), ensure_ascii=False).encode()
        time.sleep(0.2)
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def send_events(self, events):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            time.sleep(0.02)
            raw = event.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args):
        pass


def messages_reply(body):
    """Return a reply of the Messages API."""
    text = answer_to(body)
    usage = {
        "input_tokens": tokens(json.dumps(body["messages"])),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": tokens(text),
        "service_tier": "standard",
    }
    return {
        "id": "msg_01Example",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [{"type": "text", "text": text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def messages_events(body):
    """Yield the same reply as server-sent events."""
    whole = messages_reply(body)
    text, usage = whole["content"][0]["text"], whole["usage"]
    yield event(
        "message_start",
        message={**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}},
    )
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    for word in text.split(" "):
        delta = {"type": "text_delta", "text": word if text.startswith(word) else f" {word}"}
        yield event("content_block_delta", index=0, delta=delta)
    yield event("content_block_stop", index=0)
    yield event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=usage)
    yield event("message_stop")


def event(kind, **fields):
    """Return one server-sent event of the Messages API."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n"


def chat_events(body):
    """Yield a streamed chat completion, with its usage in the last chunk."""
    text = answer_to(body)
    base = {
        "id": "chatcmpl-Example",
        "object": "chat.completion.chunk",
        "created": 1790000000,
        "model": body["model"],
    }

    def chunk(choices, usage=None):
        return f"data: {json.dumps({**base, 'choices': choices, 'usage': usage}, ensure_ascii=False)}\n\n"

    yield chunk([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    for number, word in enumerate(text.split(" ")):
        yield chunk([{"index": 0, "delta": {"content": word if number == 0 else f" {word}"}, "finish_reason": None}])
    yield chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
    prompt_tokens, completion_tokens = tokens(json.dumps(body["messages"])), tokens(text)
    total = prompt_tokens + completion_tokens
    yield chunk([], {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "total_tokens": total})
    yield "data: [DONE]\n\n"


def pytest_configure(config):
    """Start the server and set its URL for every client."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # clients hang up once they have read the end of a stream
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config.stub_url = f"http://127.0.0.1:{server.server_port}"
    os.environ.update(
        ANTHROPIC_BASE_URL=config.stub_url,
        OPENAI_BASE_URL=f"{config.stub_url}/v1",
        ANTHROPIC_API_KEY="no-key",
        OPENAI_API_KEY="no-key",
        DISABLE_TELEMETRY="1",
        DISABLE_AUTOUPDATER="1",
        DISABLE_ERROR_REPORTING="1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC="1",
    )


def pytest_llm_before_save(request):
    """Write the provider's own URL instead of the stub server's."""
    path = request.url.split("/", 3)[3]
    host = "api.anthropic.com" if path.startswith("v1/messages") else "api.openai.com"
    return dataclasses.replace(request, url=f"https://{host}/{path}")
