"""Error replies that are not in a provider's own format."""

import pytest

from llm_gateway.wire.parts.errors import error_facts, retry_after_s

SENT = ("Date", "Wed, 21 Oct 2026 07:28:00 GMT")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((("Retry-After", "2"),), 2.0),
        ((("Retry-After", "2"), ("retry-after-ms", "150")), 0.15),
        ((("Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT"), SENT), 30.0),
        ((("Retry-After", "Wed, 21 Oct 2026 07:27:00 GMT"), SENT), 0.0),
        ((("Retry-After", "Wed, 21 Oct 2026 07:28:30 GMT"),), None),
        ((("Retry-After", "Wed, 21 Oct 2026 07:28:30"), SENT), None),
        ((("Retry-After", "soon"), SENT), None),
        ((("Retry-After", "nan"),), None),
        ((("Retry-After", "inf"),), None),
        ((("Retry-After", "-1"),), None),
        ((), None),
    ],
)
def test_reads_the_requested_wait(headers, expected):
    """A date counts from the reply's own date, so that no clock is needed and none can be wrong."""
    assert expected == retry_after_s(headers)


NGINX = b"""<html>\r
<head><title>502 Bad Gateway</title></head>\r
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>"""
STYLED = (
    b"<!DOCTYPE html><style>p {margin: 0}</style><!-- x --><p>We&rsquo;ll be\n <b>back</b>.</p>" + b"<p>x</p>" * 9999
)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (NGINX, "502 Bad Gateway"),
        (STYLED.partition(b"<p>x")[0], "We\u2019ll be back ."),
        (b"<html></html>", "<html></html>"),
        (b"upstream connect error", "upstream connect error"),
        (b'{"detail": [{"loc": ["body"]}]}', "[{'loc': ['body']}]"),
        (b"", "status 502"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_reads_the_text_of_a_proxys_page(body, expected):
    """Short, and without markup."""
    facts = error_facts(502, (), body)

    assert (expected, "server") == (facts.message, facts.kind)


@pytest.mark.parametrize(
    "body", [STYLED, b"<" * 10_000_000, b"<!--" * 1_000_000, b'{"message": "%s"}' % (b"x" * 10_000_000)]
)
def test_a_page_of_megabytes_is_cut(body):
    """Neither the message nor the time grows with it."""
    assert len(error_facts(502, (), body).message) <= 2000
