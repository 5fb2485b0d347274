"""A stub of every provider on loopback: an HTTP server for six formats, and a ``claude`` command."""

import dataclasses
import http.server
import json
import os
import re
import sys
import threading
import uuid

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import postgres_server
import psycopg
import pytest
from answering import answer_to

from llm_gateway.interception import guard
from llm_gateway.wire import anthropic, bedrock, cohere, gemini, openai_chat, openai_responses
from llm_gateway.wire.framing import eventstream
from llm_gateway.wire.identify import identify

DIALECTS = {
    "/messages": anthropic.DIALECT,
    "/v2/chat": cohere.DIALECT,
    "/converse": bedrock.DIALECT,
    "/converse-stream": bedrock.DIALECT,
    "/chat/completions": openai_chat.DIALECT,
    "/responses": openai_responses.DIALECT,
    "enerateContent": gemini.DIALECT,
}
ERRORS = {
    400: ("invalid_request_error", "messages: wrong"),
    401: ("authentication_error", "invalid key"),
    403: ("permission_error", "not allowed"),
    404: ("not_found_error", "model: no such model"),
    413: ("request_too_large", "too large"),
    429: ("rate_limit_error", "slow down"),
    500: ("api_error", "internal"),
    503: ("api_error", "unavailable"),
    529: ("overloaded_error", "overloaded"),
}
GOOGLE = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
}
GOOGLE |= {400: "INVALID_ARGUMENT", 503: "UNAVAILABLE"}
AWS_ERRORS = {400: "Validation", 403: "AccessDenied", 404: "ResourceNotFound", 429: "Throttling", 500: "InternalServer"}


def signature(headers, method, url, body):
    """Return the signature that botocore computes for a received request, from the headers it names as signed."""
    request = botocore.awsrequest.AWSRequest(method, url, data=body)
    for name in re.search("SignedHeaders=([^,]+)", headers["authorization"])[1].split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = botocore.auth.SigV4Auth(botocore.credentials.Credentials("AKIAEXAMPLE", "k"), "bedrock", "us-east-1")
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body, written one by one, are 40 ms apart

    def setup(self):
        self.server.count(1)
        super().setup()

    def finish(self):
        try:
            super().finish()
        finally:
            self.server.count(-1)

    def do_GET(self):
        self.server.requests.append((self.path, dict(self.headers), None))
        if not self.has_valid_signature("GET", b""):
            return self.fail(403)
        if self.server.statuses:
            return self.fail(self.server.statuses.pop(0))
        return self.send(200, json.dumps(self.server.lists[self.path]).encode())

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.requests.append((self.path, dict(self.headers), json.loads(raw)))
        if not self.has_valid_signature("POST", raw):
            return self.fail(403)
        if self.server.statuses:
            return self.fail(self.server.statuses.pop(0))
        if self.path in self.server.lists:
            return self.send(200, json.dumps(self.server.lists[self.path]).encode())
        dialect = next(one for suffix, one in DIALECTS.items() if self.path.partition("?")[0].endswith(suffix))
        request = dialect.decode_request(json.loads(raw))

        if dialect is gemini.DIALECT:  # its URL holds the model and whether to stream, not the body
            model, is_stream = identify("POST", self.path).model, "streamGenerateContent?alt=sse" in self.path
            request = dataclasses.replace(request, model=model, stream=is_stream)

        if dialect is bedrock.DIALECT:  # its URL holds whether to stream, not the body
            request = dataclasses.replace(request, stream=self.path.endswith("-stream"))
        reply = answer_to(request)
        if request.stream:
            return self.stream(dialect, reply)
        return self.send(200, json.dumps(dialect.encode_reply(reply)).encode())

    def has_valid_signature(self, method, raw):
        proof = self.headers.get("authorization") or ""
        url = f"http://{self.headers['host']}{self.path}"
        return not proof.startswith("AWS4") or proof.endswith(signature(self.headers, method, url, raw))

    def fail(self, status):
        if isinstance(status, bytes):
            return self.send(200, status)
        kind, message = ERRORS[status]
        body = {"type": "error", "error": {"type": kind, "code": kind, "message": message}}
        if "enerateContent" in self.path:
            body = {"error": {"code": status, "message": message, "status": GOOGLE.get(status)}}
        if "/converse" in self.path:
            body = {"__type": f"{AWS_ERRORS.get(status, 'Unknown')}Exception", "message": message}
        return self.send(status, json.dumps(body).encode())

    def send(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        if status == 429:
            self.send_header("retry-after", "0")
        self.end_headers()
        self.wfile.write(body)

    def stream(self, dialect, reply):
        self.send_response(200)
        is_framed = dialect is bedrock.DIALECT
        self.send_header("content-type", "application/vnd.amazon.eventstream" if is_framed else "text/event-stream")
        self.end_headers()
        self.close_connection = True
        items = list(dialect.encode_stream(reply, chunks=[reply.text[:3], reply.text[3:]]))
        if self.server.error_after is not None:
            failure = {"type": "error", "error": {"type": "overloaded_error", "message": "overloaded"}}
            if dialect is gemini.DIALECT:
                failure = {"error": {"code": 503, "status": "UNAVAILABLE", "message": "overloaded"}}
            raised = {":message-type": "exception", ":exception-type": "serviceUnavailableException"}
            frame = eventstream.encode(raised, json.dumps(failure["error"]).encode())
            if dialect is cohere.DIALECT:
                failure = {"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "overloaded"}}
            line = b"data: " + json.dumps(failure).encode() + b"\n\n"
            items = [*items[: self.server.error_after], frame if is_framed else line]
        items = [self.server.junk, *items] if self.server.junk else items
        if self.server.cut_after is not None:
            items = items[: self.server.cut_after]
        for item in items:
            self.wfile.write(item)
            self.wfile.flush()

    def log_message(self, *args):
        pass


class Api(http.server.ThreadingHTTPServer):
    """
    Server that answers in the format of every provider, over HTTP.

    Attributes:
        requests: Path, headers and body of each request.

        statuses: Status codes of the next replies; bytes are the body of a reply of status 200.

        lists: Reply bodies by path, for requests other than chats: lists of models and token counts.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.lists = [], {}
        self.reset()
        self.changed = threading.Condition()
        self.connections = 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def reset(self):
        """Answer every request with success again."""
        self.statuses, self.cut_after, self.error_after, self.junk = [], None, None, b""

    def count(self, change):
        with self.changed:
            self.connections += change
            self.changed.notify_all()

    def wait_until_disconnected(self):
        """Return True once the client has closed every connection, False after 60 seconds."""
        with self.changed:
            return self.changed.wait_for(lambda: not self.connections, timeout=60)

    def handle_error(self, request, client_address):
        """Print nothing: some tests hang up early, and any other error shows as a reply that a test misses."""


@pytest.fixture
def api():
    made = Api()
    yield made
    made.shutdown()
    made.server_close()


COMMAND = f"""#!{sys.executable}
import json, os, sys, time
behaviour = os.environ.get("STUB_CLAUDE")
if behaviour == "junk":
    print("not json at all")
    sys.exit(0)
if behaviour == "fails":
    print("error: unknown option", file=sys.stderr)
    sys.exit(1)
if behaviour == "hangs":
    time.sleep(60)
if behaviour == "killed":
    os.kill(os.getpid(), 9)
if behaviour == "401":
    print(json.dumps({{"type": "result", "subtype": "success", "is_error": True, "api_error_status": 401,
        "api_error_type": "authentication_error", "result": "Invalid API key", "num_turns": 1, "modelUsage": {{}}}}))
    sys.exit(1)
sys.path[:0] = {[one for one in sys.path if one]!r}
from answering import answer_to
from llm_gateway.wire.claude_cli import DIALECT
import dataclasses
stdin = sys.stdin.buffer.read()
with open(os.environ["STUB_CLAUDE_LOG"], "a") as log:
    print(json.dumps({{"argv": sys.argv, "stdin": stdin.decode()}}), file=log)
request = DIALECT.decode_request(tuple(sys.argv), stdin)
reply = answer_to(request)
if request.response_schema is not None and reply.stop_reason == "end_turn":
    reply = dataclasses.replace(reply, structured=json.loads(reply.text))
if request.stream:
    for item in DIALECT.encode_stream(reply, chunks=[reply.text[:3], reply.text[3:]]):
        sys.stdout.buffer.write(item)
else:
    sys.stdout.buffer.write(DIALECT.encode_reply(reply))
"""


@pytest.fixture
def claude(tmp_path, monkeypatch):
    """Put a stub ``claude`` command on PATH; ``STUB_CLAUDE`` sets its behaviour, ``STUB_CLAUDE_LOG`` logs its runs."""
    folder = tmp_path / "bin"
    monkeypatch.setenv("STUB_CLAUDE_LOG", str(tmp_path / "runs.jsonl"))
    folder.mkdir()
    (folder / "claude").write_text(COMMAND)
    (folder / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    guard.open_up()  # the suite's guard against real calls would refuse this command
    yield monkeypatch
    guard.close()


@pytest.fixture(scope="session")
def postgres():
    """Start a PostgreSQL server for these tests and yield its URL."""
    if postgres_server.program("postgres") is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    with postgres_server.running() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_url(request, tmp_path):
    """Return the URL of a ledger that does not exist yet: a file, or a schema of its own."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    url, name = request.getfixturevalue("postgres"), f"s{uuid.uuid4().hex}"
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE SCHEMA {name}")
    return f"{url}&options=-csearch_path%3D{name}"
