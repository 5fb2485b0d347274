"""Lines come out whole, however they came in."""

import pytest

from llm_gateway.wire.framing.json_stream import LineParser


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_lines_are_put_together(size):
    """Empty ones too; what has no end yet waits."""
    data, parser = b"one\n\ntwo\nthree\nfo", LineParser()

    chunks = [data[at : at + size] for at in range(0, len(data), size)]

    assert [b"one", b"", b"two", b"three"] == [line for chunk in chunks for line in parser.feed(chunk)]
    assert [b"four"] == parser.feed(b"ur\n")
