"""Which requests match a recorded one, and which do not."""

import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cassettes.match import Index, canonical_body, key
from llm_gateway.types import WireRequest

URL = "https://api.example.com/v1/chat/completions"

FORM = [("content-type", "application/x-www-form-urlencoded")]


def post(body, url=URL, headers=(), method="POST"):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return WireRequest(method, url, tuple(headers), raw)


def parts_with_ids(prefix):
    """Return parts with every field that names a tool call; their ids begin with *prefix*."""
    kinds = ("tool_use", "function", "function_call", "tool_call", "custom_tool_call")
    names = ("tool_call_id", "tool_use_id", "toolUseId", "call_id")
    return [*({"type": kind, "id": prefix + kind} for kind in kinds), *({name: prefix + name} for name in names)]


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
        (post(b"b=2&a=1", headers=FORM), post(b"a=1&b=%32", headers=FORM)),
        (post(b"a=1&key=AIza1", headers=FORM), post(b"KEY=AIza2&a=1", headers=FORM)),
        (post(b"a=\xff", headers=FORM), post(b"a=%FF", headers=FORM)),
        (post({}, "https://h"), post({}, "https://h/")),
        (post({}, "http://h/"), post({}, "http://h:80/")),
        (post({}, "https://h/a%2Fb"), post({}, "https://h/a%2fb")),
        (post({}, "https://h/a?x=%20"), post({}, "https://h/a?x=+")),
        (
            post({"type": "function_call", "id": "a", "call_id": "b"}),
            post({"type": "function_call", "id": "c", "call_id": "d"}),
        ),
        (post({"toolUse": {"toolUseId": "a"}}), post({"toolUse": {"toolUseId": "b"}})),
        (post({"function": 1, "m": parts_with_ids("a")}), post({"m": parts_with_ids("b"), "function": 1})),
    ],
)
def test_requests_that_differ_only_in_form_share_a_key(left, right):
    """Encoding, credentials, signatures and ids of tool calls do not change what is requested."""
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
        (post({"m": [{"tool_call_id": "a"}], "text": "b"}), post({"m": [{"tool_call_id": "a"}], "text": "c"})),
        (post({"m": [{"tool_call_id": "a"}], "id": "b"}), post({"m": [{"tool_call_id": "a"}], "id": "c"})),
        (post({"tool_call_id": 1}), post({"tool_call_id": 2})),
        (post(b"a=1", headers=FORM), post(b"a=2", headers=FORM)),
        (post(b"a=1", headers=FORM), post(b"a=1&b=", headers=FORM)),
        (post(b"a=1&a=2", headers=FORM), post(b"a=1", headers=FORM)),
        (post(b"a=1&b=2"), post(b"b=2&a=1")),
        (post(b""), post(b"null")),
        (post(b""), post(b"", method="GET")),
        (post({}, "https://h/a%2Fb"), post({}, "https://h/a/b")),
        (post({}, "https://h/a%2Fb"), post({}, "https://h/a%252Fb/")),
        (post({}, "http://h/a"), post({}, "https://h/a")),
        (post({}, "https://h/a?x=1&x=2"), post({}, "https://h/a?x=1")),
        (post({}, "https://h/a?x="), post({}, "https://h/a")),
        (post({"a": 1}), post({"a": True})),
        (post({"a": 1}), post({"a": "1"})),
        (post({"a": 0.1}), post({"a": 0.2})),
    ],
)
def test_requests_with_different_content_have_different_keys(left, right):
    """A changed prompt is a miss, not a green test."""
    assert key(left) != key(right)


def test_a_url_with_a_lone_surrogate_has_a_key():
    """Python reads undecodable bytes of a command line so; it is compared like any other character."""
    left, right = post({}, "https://h/\udc80"), post({}, "https://h/\udc81")

    assert key(left) == key(left)
    assert key(left) != key(right)


def test_equal_requests_match_in_recorded_order_once_each():
    """One more than was recorded matches nothing."""
    index = Index([post({"n": 1}), post({"n": 2}), post({"n": 1})])

    assert [index.take(post({"n": n})) for n in (1, 1, 2, 1)] == [0, 2, 1, None]


def test_a_returned_recording_is_matched_again_before_its_equals():
    """A retry after an interrupted stream is replayed from the same recording."""
    index = Index([post({"n": 1}), post({"n": 2}), post({"n": 1})])
    first = index.take(post({"n": 1}))

    index.put_back(first, post({"n": 1}))

    assert [index.take(post({"n": n})) for n in (1, 1, 1, 2)] == [0, 2, None, 1]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**53, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def respelled(value):
    """Return *value* with the keys of its objects in the opposite order, and whole numbers as floats."""
    if isinstance(value, dict):
        return {name: respelled(item) for name, item in reversed(value.items())}
    if isinstance(value, list):
        return [respelled(item) for item in value]
    return value + 0.0 if type(value) in (int, float) else value


@given(JSON)
def test_equal_json_matches_however_it_is_serialised(value):
    """SDKs and languages differ in key order, spaces, escapes, and 1.0 for 1."""
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=True).encode()
    spaced = json.dumps(respelled(value), indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")

    assert canonical_body(post(compact)) == canonical_body(post(spaced))


@given(JSON, JSON)
def test_different_json_never_matches(left, right):
    """Two bodies match only when they are equal by value."""
    is_equal = json.dumps(respelled(left), sort_keys=True) == json.dumps(respelled(right), sort_keys=True)

    assert is_equal == (canonical_body(post(left)) == canonical_body(post(right)))


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_the_order_of_form_fields_does_not_matter(fields):
    """Libraries write the forms of token requests in their own order."""
    left, right = urlencode(fields), urlencode(dict(reversed(fields.items())))

    assert key(post(left.encode(), headers=FORM)) == key(post(right.encode(), headers=FORM))


def test_a_normalizer_is_applied_to_both_sides():
    """What it removes from a live request it removes from the recording too."""

    def without_date(request):
        return WireRequest(request.method, request.url, request.headers, request.body[:7])

    index = Index([post(b"date is 2025-01-01"[:7] + b" monday")], without_date)

    assert index.take(post(b"date is 2026-11-21")) == 0
