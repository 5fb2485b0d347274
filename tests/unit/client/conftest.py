"""What holds for all tests of flows."""

import pytest

from llm_gateway.cost import recorded


@pytest.fixture(autouse=True)
def nothing_noted():
    """A reply that an earlier test replayed left its cost for whoever asks next; a client takes that away itself."""
    recorded.take()
