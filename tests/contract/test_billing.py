"""Whether an attempt may have been billed is one rule, with a recorder and without."""

import contextlib
import socket

import pytest
from raw_server import STREAM, RawServer, reply

from llm_gateway import GatewayConfig, Mode, ProviderError, SyncLLMClient, use_cassette


def hang(connection):
    """Answer nothing; the client gives up."""


def junk(connection):
    connection.sendall(reply(b"<html>", content_type="text/html"))


def limited(connection):
    connection.sendall(reply(b'{"error": {"message": "slow down"}}', status="429 Too Many Requests"))


def hang_up(connection):
    return "close"


def broken_stream(connection):
    connection.sendall(STREAM)
    return "close"


@contextlib.contextmanager
def served(script):
    """Give the address of a server with *script*; None is an address where nothing listens."""
    if script is None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        yield f"http://127.0.0.1:{port}/v1"
        return
    server = RawServer(script)
    try:
        yield server.url
    finally:
        server.close()


def attempt_at(url, verb):
    """Return the one attempt of a call that fails."""
    config = GatewayConfig(api_key="k", base_url=url, max_retries=0, timeout_s=0.3)
    with SyncLLMClient(model="openai:gpt-4o-mini", config=config) as client:
        with pytest.raises(ProviderError):
            list(client.stream("hi")) if verb == "stream" else client.chat("hi")
        (attempt,) = client.cost_tracker.attempts
        return attempt, client.total_cost_usd


@pytest.mark.parametrize("is_recorded", [False, True], ids=["plain", "recorded"])
@pytest.mark.parametrize(
    ("script", "verb", "is_billed"),
    [
        (hang, "chat", True),
        (junk, "chat", True),
        (hang_up, "chat", True),
        (broken_stream, "stream", True),
        (limited, "chat", False),
        (None, "chat", False),
    ],
)
def test_a_failed_attempt_is_billed_as_its_recording_states(script, verb, is_billed, is_recorded, tmp_path):
    """A cost that may be owed is unknown; a rejected call, and one without a connection, cost nothing."""
    recorder = use_cassette(tmp_path / "a.yaml", Mode.LIVE) if is_recorded else contextlib.nullcontext()
    with served(script) as url, recorder:
        attempt, total = attempt_at(url, verb)

    assert is_billed == attempt.is_billed
    assert (None if is_billed else 0) == total
