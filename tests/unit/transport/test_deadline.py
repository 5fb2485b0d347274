"""Read timeouts that end at a time, and the connections that obey them."""

import time

import httpx
import httpx2
import pytest

from llm_gateway.exceptions import ConfigError
from llm_gateway.transport.deadline import Deadline, limit_reads


def test_a_read_may_take_what_is_left_until_the_end():
    """Which may be moved; a time in the past leaves the least that is still a timeout."""
    deadline = Deadline(None, time.monotonic() + 60)
    assert 59 < deadline.left_s() <= 60

    deadline.end += 60
    assert 119 < deadline.left_s() <= 120
    deadline.end = 0.0
    assert 0 < deadline.left_s() < 0.001


def test_a_timeout_of_single_reads_holds_as_well():
    """It is what code sees that knows no deadlines, spelled as it was given."""
    deadline = Deadline(5, time.monotonic() + 60)

    assert (5.0, "5", 5) == (deadline, str(deadline), deadline.left_s())


class Stream:
    """A connection that notes how long it was to wait."""

    def __init__(self, waits):
        self.waits = waits

    def read(self, max_bytes, timeout=None):
        self.waits.append(timeout)
        return b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"

    def write(self, buffer, timeout=None):
        pass

    def get_extra_info(self, name):
        return None

    def close(self):
        pass


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_connections_of_a_client_obey_the_deadline_of_the_request(library):
    """It travels with the request, as its read timeout; another request has its own."""
    waits = []

    class Backend:
        def connect_tcp(self, *args, **kwargs):
            return Stream(waits)

    with library.Client() as client:
        client._transport._pool._network_backend = Backend()
        limit_reads(client)
        for seconds in (60, 3600):
            deadline = Deadline(None, time.monotonic() + seconds)
            client.get("http://example.com/", extensions={"timeout": {"read": deadline}})
        client.get("http://example.com/", timeout=7)

    first, second, third = waits
    assert 50 < first <= 60
    assert 3500 < second <= 3600
    assert 7 == third


def test_a_client_without_a_pool_where_it_used_to_be_is_an_error():
    """Else a stream could hang for longer than its timeouts allow."""
    with httpx2.Client() as client:
        pool = client._transport._pool
        del client._transport._pool
        with pytest.raises(ConfigError) as caught:
            limit_reads(client)
        client._transport._pool = pool

    assert "timeouts of streams cannot be kept with this release of httpx2" == caught.value.message
    assert "HTTPTransport has no _pool._network_backend, where its connections are made" == caught.value.cause


def test_other_transports_keep_their_own_timeouts():
    """They need not have a pool."""
    with httpx2.Client(transport=httpx2.MockTransport(lambda _: httpx2.Response(200))) as client:
        limit_reads(client)

        assert 200 == client.get("http://example.com/").status_code
    limit_reads(None)
