"""Bodies come back as the bytes they were, from any tool's file."""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cassettes.format import pretty, read_body, rebuild
from llm_gateway.wire.content_encoding import carries, decoded

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
SPACINGS = st.sampled_from([{"separators": (",", ":")}, {}, {"ensure_ascii": False}, {"indent": 1}])


@given(value=st.dictionaries(st.text(), JSON), spacing=SPACINGS)
def test_json_is_indented_only_if_its_bytes_can_be_restored(value, spacing):
    """`rebuild` gives back byte for byte what `pretty` wrote."""
    body = json.dumps(value, **spacing).encode("utf-8", "surrogatepass")
    shaped = pretty(body)

    assert shaped is None or body == rebuild(*shaped)
    assert shaped is not None or spacing == {"indent": 1} or json.loads(body) == value


def test_compact_json_is_indented():
    """Compact spacing, as providers send it, can be restored."""
    assert pretty(b'{"a":1}') == ('{\n  "a": 1\n}', "compact")
    assert pretty(b'{"a": 1}') == ('{\n  "a": 1\n}', "spaced")


@pytest.mark.parametrize("body", [b"", b"hello", b'{"a":1} ', b'{"a":1.0e5}', b'{"a":1,"a":2}', b"{"])
def test_other_bodies_are_stored_unchanged(body):
    """A body that could not be restored exactly is not indented."""
    assert pretty(body) is None


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ({"body": {"string": "é"}}, "é".encode()),
        ({"body": {"string": b"\x1f\x8b"}}, b"\x1f\x8b"),
        ({"body": {"base64_string": "aGk="}}, b"hi"),
        ({"body": "text"}, b"text"),
        ({"body": None}, b""),
        ({"body": ""}, b""),
        ({"body": {"model": "gpt-4o"}}, b'{"model": "gpt-4o"}'),
        ({"parsed_body": {"a": ["é"]}}, '{"a": ["é"]}'.encode()),
        ({"parsed_body": "plain"}, b"plain"),
        ({"content": "early httpx", "status_code": 200}, b"early httpx"),
        ({}, b""),
    ],
)
def test_every_form_of_recorded_body_is_read(message, body):
    """vcrpy, its early httpx support and pytest-recording's serialisers write bodies differently."""
    assert body == read_body(message)


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [(gzip.compress(b"hi", mtime=0), "gzip"), (zlib.compress(b"hi"), "deflate"), (b"\xcb\xc8\x04\x00", "deflate")],
)
def test_compressed_bodies_are_decompressed(raw, encoding):
    """Gzip and both kinds of deflate."""
    assert decoded(raw, encoding) == b"hi"
    assert carries(raw, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_a_plain_body_under_a_content_encoding_header_is_read(encoding):
    """Recordings often keep the header after decompressing the body."""
    assert not carries(b'{"a": 1}', encoding)
