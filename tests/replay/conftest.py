"""Recorded traffic of real providers, read without any code of the package, and a local server."""

import base64
import gzip
import http.server
import json
import threading
import zlib
from pathlib import Path

import pytest
import yaml

pytest.register_assert_rewrite("sdks")
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "cassettes"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    pass


def _header_name(loader, suffix, node):
    assert suffix.endswith(".istr"), suffix
    return loader.construct_sequence(node)[0]


_Loader.add_multi_constructor("tag:yaml.org,2002:python/object/apply:", _header_name)


def body_of(message):
    """Return the recorded bytes of a request or a response, whichever tool wrote it."""
    if "parsed_body" in message:
        parsed = message["parsed_body"]
        return parsed.encode() if isinstance(parsed, str) else json.dumps(parsed, ensure_ascii=False).encode()
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "base64_string" in body:
            return base64.b64decode(body["base64_string"])
        body = body["string"] if "string" in body else json.dumps(body, ensure_ascii=False)
    if body is None:
        return b""
    return body if isinstance(body, bytes) else body.encode()


def headers_of(message):
    """Return recorded headers as pairs of a lower-case name and one value."""
    pairs = []
    for name, values in (message.get("headers") or {}).items():
        listed = values if isinstance(values, list) else [values]
        pairs += [(str(name).lower(), one.decode("latin-1") if isinstance(one, bytes) else str(one)) for one in listed]
    return pairs


def plain(raw, headers):
    """Return the body without its content encoding, unless the header names one that it does not have."""
    encoding = next((value for name, value in headers if name == "content-encoding"), "")
    try:
        if "gzip" in encoding:
            return gzip.decompress(raw)
        if "deflate" in encoding:
            return zlib.decompress(raw)
    except (OSError, zlib.error):
        pass
    return raw


def manifest():
    """Return the rows of the manifest, or an empty list where the data is absent."""
    file = DATA / "MANIFEST.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def load(file):
    """Return the HTTP entries of a recorded file, each with its position in the file."""
    document = yaml.load((DATA / file).read_bytes(), Loader=_Loader) or {}
    return [(i, e) for i, e in enumerate(document.get("interactions") or []) if "request" in e and "response" in e]


@pytest.fixture(scope="session")
def traffic():
    """Return the functions above as one object; skip the test where the recorded traffic is absent."""
    if not DATA.exists():
        pytest.skip(f"no recorded traffic at {DATA}: only maintainers have it, next to their checkout")
    return __import__("types").SimpleNamespace(
        data=DATA, manifest=manifest(), load=load, body_of=body_of, headers_of=headers_of, plain=plain
    )


CHUNKS = [b"data: 1\n\n", b"data: 2", b"\n\n", b"data: [DONE]\n\n"]
CONVERSE = {
    "output": {"message": {"role": "assistant", "content": [{"text": "pong"}]}},
    "stopReason": "end_turn",
    "usage": {"inputTokens": 3, "outputTokens": 1, "totalTokens": 4},
    "metrics": {"latencyMs": 1},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.paths.append(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if b"stream" in body:
            return self.stream()
        raw = json.dumps(CONVERSE if "converse" in self.path else {"received": json.loads(body)}).encode()
        if self.server.failures:
            self.send_response(self.server.failures.pop())
        else:
            self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        return self.wfile.write(raw)

    def stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for chunk in CHUNKS:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads, made.paths, made.failures = True, [], []
    made.chunks, made.converse = CHUNKS, CONVERSE
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    made.url = f"http://127.0.0.1:{made.server_port}"
    yield made
    made.shutdown()
    made.server_close()
