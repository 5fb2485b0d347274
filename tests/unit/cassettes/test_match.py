"""What makes two requests equal, and what does not."""

import json

import pytest

from llm_gateway.cassettes.match import Index, key
from llm_gateway.types import WireRequest

URL = "https://api.example.com/v1/chat/completions"


def post(body, url=URL, headers=(), method="POST"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WireRequest(method, url, tuple(headers), raw)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (post(b'{"a": 1, "b": 2}'), post(b'{"b":2,"a":1}')),
        (post({}, "https://API.example.com:443/v1/chat/completions"), post({})),
        (post({}, URL + "?b=2&a=1"), post({}, URL + "?a=1&b=2")),
        (post({}, URL + "?key=AIza1"), post({}, URL + "?key=AIza2")),
        (post({}, "https://h/model/a%3Ab/converse"), post({}, "https://h/model/a:b/converse")),
        (post({}, method="post"), post({})),
        (post({}, headers=[("authorization", "Bearer a")]), post({}, headers=[("authorization", "Bearer b")])),
        (
            post({"messages": [{"tool_call_id": "call_x"}, {"tool_call_id": "call_y"}]}),
            post({"messages": [{"tool_call_id": "call_1"}, {"tool_call_id": "call_2"}]}),
        ),
        (
            post(
                {"content": [{"type": "tool_use", "id": "toolu_a"}, {"type": "tool_result", "tool_use_id": "toolu_a"}]}
            ),
            post(
                {"content": [{"type": "tool_use", "id": "toolu_b"}, {"type": "tool_result", "tool_use_id": "toolu_b"}]}
            ),
        ),
        (
            post(b"--x1\r\nhi\r\n--x1--", headers=[("content-type", "multipart/form-data; boundary=x1")]),
            post(b"--y2\r\nhi\r\n--y2--", headers=[("Content-Type", 'multipart/form-data; boundary="y2"')]),
        ),
    ],
)
def test_requests_that_ask_the_same_share_a_key(left, right):
    """Spelling, credentials, signing and call ids say nothing of what is asked."""
    assert key(left) == key(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (post({"messages": "Hello"}), post({"messages": "Helo"})),
        (post({"temperature": 0}), post({})),
        (post({"a": [1, 2]}), post({"a": [2, 1]})),
        (post({}), post({}, "https://other.example.com/v1/chat/completions")),
        (post({}), post({}, "https://api.example.com:8443/v1/chat/completions")),
        (post({}), post({}, method="GET")),
        (post({}, URL + "?alt=sse"), post({})),
        (post({"id": "a"}), post({"id": "b"})),
        (
            post({"m": [{"tool_call_id": "a"}, {"tool_call_id": "a"}]}),
            post({"m": [{"tool_call_id": "a"}, {"tool_call_id": "b"}]}),
        ),
    ],
)
def test_requests_that_ask_different_things_do_not(left, right):
    """A changed prompt is a miss, not a green test."""
    assert key(left) != key(right)


def test_equal_requests_are_given_out_in_recorded_order_once_each():
    """The third time an equal request comes, nothing is left for it."""
    index = Index([post({"n": 1}), post({"n": 2}), post({"n": 1})])

    assert [index.take(post({"n": n})) for n in (1, 1, 2, 1)] == [0, 2, 1, None]


def test_a_normalizer_is_applied_to_both_sides():
    """What it takes away on the live side is taken away from the recording too."""

    def without_date(request):
        return WireRequest(request.method, request.url, request.headers, request.body[:7])

    index = Index([post(b"date is 2025-01-01"[:7] + b" monday")], without_date)

    assert index.take(post(b"date is 2026-11-21")) == 0
