"""Every recorded exchange, sent again, gets the recorded bytes."""

import httpx
import httpx2
import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.interception.settings import Settings
from llm_gateway.interception.use_cassette import use_cassette

HOP = ("host", "content-length", "transfer-encoding", "connection", "content-encoding")


def send_all(library, traffic, row):
    """Send every request of a file again; return how many replies equal the recorded ones, and how many there are."""
    entries = traffic.load(row["file"])
    right = 0
    settings = Settings(allow_unused=True)
    with use_cassette(traffic.data / row["file"], Mode.REPLAY, settings=settings), library.Client() as client:
        for _, entry in entries:
            right += is_same(client, traffic, entry)
    return right, len(entries)


def is_same(client, traffic, entry):
    request, response = entry["request"], entry["response"]
    url = request["uri"] if "://" in request["uri"] else "https://" + request["uri"]
    sent = traffic.headers_of(request)
    headers = [(name, value) for name, value in sent if name not in HOP]
    body = traffic.plain(traffic.body_of(request), sent)
    reply = client.request(request["method"], url, headers=headers, content=body)
    status = response["status"]["code"] if "status" in response else response["status_code"]
    recorded = traffic.plain(traffic.body_of(response), traffic.headers_of(response))
    return status == reply.status_code and recorded == reply.content


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
def test_every_recorded_exchange_replays_byte_for_byte(library, traffic, record_property):
    """All recorded files are replayed through httpx and httpx2."""
    counts = [(row["file"], *send_all(library, traffic, row)) for row in traffic.manifest]
    right, total = sum(row[1] for row in counts), sum(row[2] for row in counts)
    record_property(f"counted replayed through {library.__name__}", f"{right} of {total}")

    assert [row for row in counts if row[1] != row[2]] == []
    assert len(counts) >= 190
