"""The real ``claude`` command line, against a stub of the Messages API on loopback."""

import http.server
import json
import os
import shutil
import threading
from pathlib import Path

import pytest


class Handler(http.server.BaseHTTPRequestHandler):
    """A handler that answers with the last text in upper case, and calls the ``weigh`` tool once where it is offered."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.requests += 1
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        tool = next((tool["name"] for tool in body.get("tools") or () if tool["name"].endswith("weigh")), None)
        has_result = "tool_result" in json.dumps(body["messages"])
        block = (
            {"type": "tool_use", "id": "toolu_01", "name": tool, "input": {}}
            if tool and not has_result
            else {"type": "text", "text": ""}
        )
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.end_headers()
        for event in events(body, block, last_text(body)):
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
        self.close_connection = True

    def do_HEAD(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def last_text(body):
    """Return the user's last text that is not the command line's own reminder."""
    texts = []
    for message in body["messages"]:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        texts += [block["text"] for block in blocks if block["type"] == "text" and message["role"] == "user"]
    return [text for text in texts if "<system-reminder>" not in text][-1].strip()


def events(body, block, text):
    usage = {"input_tokens": 101, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 30, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": []}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    yield {"type": "content_block_start", "index": 0, "content_block": block}
    if block["type"] == "text":
        delta = {"type": "text_delta", "text": text.upper()}
    else:
        delta = {"type": "input_json_delta", "partial_json": '{"what": "feathers"}'}
    yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    reason = "end_turn" if block["type"] == "text" else "tool_use"
    stop = {"stop_reason": reason, "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": {**usage, "output_tokens": 47}}
    yield {"type": "message_stop"}


@pytest.fixture
def api():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.requests = True, 0
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def claude(api, tmp_path, monkeypatch):
    """Put the real binary on PATH and in the SDK, and return a function that removes it from both."""
    sdk = pytest.importorskip("claude_agent_sdk")
    binary = Path(sdk.__file__).parent / "_bundled" / "claude"
    if not binary.exists():
        pytest.skip("this wheel of claude-agent-sdk brings no binary")
    for name in ("home", "config", "bin", "work"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "claude").symlink_to(binary)
    for name in [name for name in os.environ if name.startswith(("ANTHROPIC_", "CLAUDE"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": tmp_path / "home",
        "CLAUDE_CONFIG_DIR": tmp_path / "config",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{api.server_port}",
        "ANTHROPIC_API_KEY": "sk-ant-not-a-key",
        "CLAUDE_CODE_MAX_RETRIES": "0",
        "DISABLE_TELEMETRY": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }.items():
        monkeypatch.setenv(name, str(value))
    elsewhere = [place for place in os.environ["PATH"].split(os.pathsep) if shutil.which("claude", path=place) is None]
    monkeypatch.setenv("PATH", os.pathsep.join([str(tmp_path / "bin"), *elsewhere]))
    monkeypatch.chdir(tmp_path / "work")

    def remove():
        from claude_agent_sdk._internal.transport.subprocess_cli import SubprocessCLITransport

        (tmp_path / "bin" / "claude").unlink()
        monkeypatch.setattr(SubprocessCLITransport, "_find_bundled_cli", lambda _: None)
        api.shutdown()

    return remove
