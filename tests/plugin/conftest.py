"""A provider on loopback, and a small consumer project that calls it with plain clients."""

import http.server
import json
import threading
import time

import pytest

REPLY = {
    "id": "msg_01",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-5-5",
    "content": [{"type": "text", "text": "pong"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 12, "output_tokens": 3},
}
APP = """
import json, os, httpx2

URL = os.environ["PROVIDER"] + "/v1/messages"

def ask(text, **more):
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **more}
    headers = {"authorization": "Bearer sk-ant-api03-" + "x" * 40}
    with httpx2.Client() as client:
        return client.post(URL, json=body, headers=headers).json()

async def ask_later(text, **more):
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": text}], **more}
    async with httpx2.AsyncClient() as client:
        return (await client.post(URL, json=body)).json()
"""


class Provider(http.server.ThreadingHTTPServer):
    """Server that answers every message with ``pong``, or with its `status` and `reply`."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests, self.status, self.reply = [], 200, REPLY
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.requests.append(body)
        reply, status = self.server.reply, self.server.status
        if str(body["messages"][0]["content"]).startswith("status "):
            status = int(body["messages"][0]["content"].split()[1])
            reply = {"error": {"message": f"number {status}"}}
        raw = json.dumps(reply).encode()
        time.sleep(0.01)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args):
        pass


@pytest.fixture
def provider():
    server = Provider()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def project(pytester, provider, monkeypatch):
    """Return a project whose `app` calls the provider; run it with ``project.runpytest_subprocess``."""
    monkeypatch.setenv("PROVIDER", provider.url)
    for name in (
        "ANTHROPIC_API_KEY",
        "OPENAI_API_KEY",
        "LLM_MODEL",
        "LLM_PROVIDER",
        "LLM_API_KEY",
        "PYTEST_ADDOPTS",
        "CI",  # pytest prints whole messages in its short summary where these are set
        "BUILD_NUMBER",
    ):
        monkeypatch.delenv(name, raising=False)
    # Only the plugins that the tests use: looking for all, hypothesis among them, takes longer than most of these runs.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "llm_gateway.pytest_plugin,xdist.plugin,pytest_asyncio.plugin")
    pytester.makepyfile(app=APP)
    pytester.makeini("[pytest]\npythonpath = .\nasyncio_default_fixture_loop_scope = function\n")
    return pytester


@pytest.fixture
def recorded(project):
    """Return the project with one marked test, recorded."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        def test_greets():
            assert app.ask("ping")["content"][0]["text"] == "pong"
        """
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)
    return project
