"""Which addresses count as those of this machine."""

import pytest

from llm_gateway.interception.guard import is_local


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.8.8.8", "[::1]", "0.0.0.0", "169.254.169.254"],
)
def test_names_and_addresses_of_this_machine_are_local(host):
    """With any port and path."""
    assert is_local(f"http://{host}:8080/v1")


@pytest.mark.parametrize(
    "host",
    ["localhost.api.openai.com", "127.api.openai.com", "127.evil.example", "1270.0.0.1", "api.openai.com", "10.0.0.1"],
)
def test_hosts_that_merely_begin_like_local_ones_are_not_local(host):
    """The owner of their domain decides what they resolve to."""
    assert not is_local(f"https://{host}/v1")
