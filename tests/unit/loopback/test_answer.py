"""Requests to the loopback server are answered from a cassette, forwarded to a provider, or rejected."""

import contextlib
import gzip
import http.client
import json
import threading
import time

import pytest
import yaml
from raw_server import STREAM, RawServer, reply

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import CassetteMissError
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.pytest_plugin.server import serving

BODY = json.dumps({"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]})
PATH = "/openai/v1/chat/completions"
HANG_S = 60
"""How long the tests wait for an event that always comes."""


def send(server, path=PATH, method="POST", **headers):
    """Return status and body, as a client without this package gets them."""
    with contextlib.closing(http.client.HTTPConnection(server.url[7:], timeout=HANG_S)) as connection:
        connection.request(method, path, BODY, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()


def read_error(server, path, method="POST", **headers):
    status, body = send(server, path, method, **headers)
    return status, json.loads(body)["error"]["message"].splitlines()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "one.yaml"


@pytest.fixture
def upstream(monkeypatch):
    """Yield a provider that answers by its ``script``."""
    made = RawServer(None)
    monkeypatch.setenv("OPENAI_BASE_URL", made.url)
    yield made
    made.close()


def recorded(path):
    return yaml.safe_load(path.read_text())["interactions"][0]


def test_a_stream_is_recorded_while_it_is_forwarded(path, upstream):
    """The first chunk arrives before the provider has sent the second; a replay sends the same chunks."""
    has_arrived = threading.Event()

    def answer(connection):
        connection.sendall(STREAM + b'data: {"a":1}\n\n')
        has_arrived.wait(HANG_S)
        connection.sendall(b"data: [DONE]\n\n")
        return "close"

    upstream.script = answer
    with use_cassette(path, Mode.RECORD) as cassette, serving(cassette) as server:
        connection = http.client.HTTPConnection(server.url[7:], timeout=HANG_S)
        connection.request("POST", PATH, BODY, {"content-type": "application/json"})
        response = connection.getresponse()
        first = response.read1()
        has_arrived.set()
        assert b'data: {"a":1}\n\n' == first
        assert b"data: [DONE]\n\n" == response.read()
        connection.close()

    assert f"{upstream.url}/chat/completions" == recorded(path)["request"]["uri"]
    with use_cassette(path) as cassette, serving(cassette) as server:
        assert (200, b'data: {"a":1}\n\ndata: [DONE]\n\n') == send(server)


def test_a_compressed_reply_is_forwarded_compressed(path, upstream):
    """It is recorded decompressed, so that the cassette is readable."""
    packed = gzip.compress(b'{"plain": true}')
    upstream.script = lambda connection: connection.sendall(reply(packed, content_encoding="gzip"))
    with use_cassette(path, Mode.RECORD) as cassette, serving(cassette) as server:
        assert (200, packed) == send(server)

    assert '"plain": true' in path.read_text()


def test_a_reply_that_the_provider_interrupts_is_interrupted_for_the_client(path, upstream):
    """And recorded as interrupted."""

    def answer(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{")
        return "close"

    upstream.script = answer
    with (
        use_cassette(path, Mode.RECORD) as cassette,
        serving(cassette) as server,
        pytest.raises(http.client.IncompleteRead) as raised,
    ):
        send(server)

    assert b"{" == raised.value.partial
    assert "error" == recorded(path)["llm"]["end"]


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD])
def test_a_disconnect_fault_reaches_other_processes(path, upstream, mode):
    """In every mode, without a call to the provider."""
    with use_cassette(path, mode) as cassette, serving(cassette) as server:
        cassette.disconnect()
        with pytest.raises(http.client.RemoteDisconnected):
            send(server)

    assert [] == upstream.requests


@pytest.mark.parametrize("mode", [Mode.REPLAY, Mode.RECORD])
def test_a_timeout_fault_reaches_other_processes(path, upstream, mode):
    """In every mode, without a call to the provider; the client's own timeout ends the wait."""
    with use_cassette(path, mode) as cassette, serving(cassette) as server:
        cassette.timeout()
        with contextlib.closing(http.client.HTTPConnection(server.url[7:])) as connection:
            connection.request("POST", PATH, BODY)
            while not cassette.calls:
                time.sleep(0.01)
            connection.sock.settimeout(0.1)
            with pytest.raises(TimeoutError):
                connection.getresponse()

    assert [] == upstream.requests


@pytest.mark.parametrize(
    ("target", "headers", "lines"),
    [
        (
            "/bedrock/model/m/converse",
            {"authorization": "AWS4-HMAC-SHA256 Credential=A/1/eu-west-1/bedrock/x"},
            [
                "  it is signed for the server's own address, which AWS would refuse",
                "  to record it: export AWS_BEARER_TOKEN_BEDROCK=..., which is no signature; or call it in the test itself",
            ],
        ),
        (
            "/azure/openai/v1/responses",
            {},
            [
                "  whose resource is meant is not known: AZURE_OPENAI_ENDPOINT was not set before the test",
                "  to record it: AZURE_OPENAI_ENDPOINT=https://<resource>.openai.azure.com pytest --llm-record",
            ],
        ),
    ],
)
def test_a_request_that_the_provider_would_reject_is_not_forwarded(path, monkeypatch, target, headers, lines):
    """The client gets the reason, and the test fails with it."""
    monkeypatch.delenv("AZURE_OPENAI_ENDPOINT", raising=False)
    with (
        pytest.raises(CassetteMissError) as raised,
        use_cassette(path, Mode.RECORD) as cassette,
        serving(cassette) as server,
    ):
        status, text = read_error(server, target, **headers)

    assert (470, [f"llm_server cannot pass on POST {target}", *lines]) == (status, text)
    assert ["CassetteMissError: " + text[0], *lines] == raised.value.report.splitlines()


PROVIDERS = (
    "anthropic, openai, azure, gemini, vertex, bedrock, cohere, ollama, groq, mistral, together, openrouter, deepseek, "
    "xai, fireworks, cerebras, perplexity"
)
NAMED = f"  a path begins with the name of a provider: {PROVIDERS}"


@pytest.mark.parametrize(
    ("method", "path", "lines"),
    [
        (
            "POST",
            "/v1/messages?beta=true",
            [NAMED, "  ask for /anthropic/v1/messages, as the variables in llm_server.env do"],
        ),
        ("GET", "/opnai/v1/models", [NAMED, "  ask for /openai/v1/models, as the variables in llm_server.env do"]),
        ("GET", "/", [NAMED, "  ask for /openai/v1/chat/completions, as the variables in llm_server.env do"]),
        (
            "OPTIONS",
            PATH,
            ["  it answers what SDKs ask", "  ask for it with POST, or GET: /openai/v1/chat/completions"],
        ),
    ],
)
def test_an_unknown_path_or_method_is_not_found(path, method, lines, tmp_path):
    """The client gets the path to use; the request is no call, and the test goes on."""
    with use_cassette(tmp_path / "none.yaml") as cassette, serving(cassette) as server:
        status, text = read_error(server, path, method)

    assert 404 == status
    assert [f"llm_server has nothing at {method} {path.partition('?')[0]}", *lines] == text
    assert [] == cassette.calls


def test_a_head_request_gets_no_body(tmp_path):
    """Status 404 without content."""
    with use_cassette(tmp_path / "none.yaml") as cassette, serving(cassette) as server:
        assert (404, b"") == send(server, PATH, "HEAD")
