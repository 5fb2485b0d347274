"""Nothing secret is written, and nothing else is touched."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.cassettes.exchange import Chunk, Frame, HttpExchange, ProcessExchange
from llm_gateway.cassettes.scrub import Scrubber, find_secrets
from llm_gateway.types import WireReply, WireRequest

ANTHROPIC = "sk-ant-api03-" + "A1b2" * 12
TOKENS = {
    "anthropic": ANTHROPIC,
    "openai": "sk-proj-" + "a1B2" * 10,
    "old openai": "sk-" + "a1B2" * 12,
    "google": "AIza" + "a1B2c" * 7,
    "groq": "gsk_" + "a1B2" * 13,
    "aws": "AKIA" + "ABCD1234" * 2,
    "github": "ghp_" + "a1B2" * 9,
    "jwt": "eyJ" + "hbGciOiJIUzI1" + "Ni9." + "eyJ" + "zdWIiOiIxMjM0NTY3" + "." + "s" * 43,
    "pem": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----",
}
HARMLESS = [
    "toolu_01A09q90qw90lq917835lq9",
    "call_" + "a1B2" * 6,
    "msg_01XFDUDYJgAACzvnptvVoYEL",
    "chatcmpl-" + "a1B2" * 7,
    "resp_" + "0f" * 24,
    "550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e" * 2,
    base64.b64encode(bytes(range(256))).decode(),
    "the key to a good password is its length",
    '{"usage": {"input_tokens": 12}, "max_tokens": 1024, "stop_token": "x"}',
    "https://example.com/a:b@c",
    "sk-learn is a library",
]


def exchange(text, *, headers=(), url="https://api.example.com/v1/x", chunks=()):
    request = WireRequest("POST", url, (("authorization", "Bearer x"), ("content-type", "application/json")), text)
    return HttpExchange(request, WireReply(200, tuple(headers), text), chunks=chunks)


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_known_tokens_are_taken_out_of_bodies(token):
    """Whatever the variable was called, a known shape does not reach the file."""
    clean = Scrubber({}).scrub(exchange(json.dumps({"text": f"use {token} please"}).encode()))

    assert json.loads(clean.reply.body)["text"] == "use [SECRET] please"
    assert clean.request.body == clean.reply.body


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_left_alone(text):
    """Ids, hashes, pictures and prose are no secrets."""
    assert text == Scrubber({}).text(text)
    assert find_secrets(text, {}) == []


@pytest.mark.parametrize(
    "spell",
    [
        str,
        lambda value: quote(value, safe=""),
        lambda value: base64.b64encode(value.encode()).decode(),
        lambda value: base64.b64encode(b"user:" + value.encode()).decode(),
        lambda value: base64.b64encode(b"x" + value.encode() + b"yz").decode(),
        json.dumps,
    ],
    ids=["plain", "url", "base64", "basic auth", "inside base64", "json"],
)
def test_values_of_secret_variables_are_taken_out_in_any_encoding(spell):
    """A key of no known shape is found by its value."""
    secret = 'correct-horse/battery+"staple'
    clean = Scrubber({"MY_API_KEY": secret}).text(f"a {spell(secret)} b")

    assert "[MY_API_KEY]" in clean
    assert secret not in clean
    assert find_secrets(clean, {"MY_API_KEY": secret}) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME", "/root/some/folder"),
        ("MAX_OUTPUT_TOKENS", "1234567890"),
        ("API_KEY", "short"),
        ("SSH_AUTH_SOCK", "/run/x/y"),
    ],
)
def test_values_that_are_no_secrets_stay(name, value):
    """Only variables with a secret's name, and values long enough to be one."""
    assert value == Scrubber({name: value}).text(value)


def test_headers_are_kept_by_name():
    """Credentials, cookies and organisation ids go; what replay and usage need stays."""
    headers = [("Set-Cookie", "a=b"), ("openai-organization", "org"), ("Retry-After", "3"), ("x-ratelimit-limit", "9")]
    clean = Scrubber({}).scrub(exchange(b"{}", headers=headers))

    assert clean.request.headers == (("content-type", "application/json"),)
    assert clean.reply.headers == (("Retry-After", "3"), ("x-ratelimit-limit", "9"))


def test_secret_query_parameters_are_hidden():
    """Gemini takes its key in the query."""
    clean = Scrubber({}).scrub(exchange(b"", url="https://h/v1?alt=sse&key=whatever&x=1"))

    assert clean.request.url == "https://h/v1?alt=sse&key=SECRET&x=1"


@given(
    before=st.binary(max_size=40),
    after=st.binary(max_size=40),
    cuts=st.lists(st.integers(1, 30), min_size=1, max_size=12),
)
def test_cuts_still_cover_the_body_when_a_secret_across_them_is_gone(before, after, cuts):
    """However the stream was cut, the pieces add up to the scrubbed body."""
    body = before + b" " + ANTHROPIC.encode() + b" " + after
    lengths = [*cuts, max(len(body) - sum(cuts), 0)]
    chunks, left = [], len(body)
    for length in lengths:
        chunks.append(Chunk(min(length, left), 0.0))
        left -= chunks[-1].length
    clean = Scrubber({}).scrub(exchange(body, chunks=tuple(chunks)))

    assert ANTHROPIC.encode() not in clean.reply.body
    assert len(clean.reply.body) == sum(chunk.length for chunk in clean.chunks)


def test_commands_are_scrubbed_in_arguments_and_frames():
    """A key on a command line, or in what the command printed, does not reach the file."""
    run = ProcessExchange(("claude", "--key", ANTHROPIC), (Frame("stdout", f"key {ANTHROPIC}\n".encode(), 0.1),))
    clean = Scrubber({}).scrub(run)

    assert clean.argv == ("claude", "--key", "[SECRET]")
    assert clean.channel("stdout") == b"key [SECRET]\n"


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_the_last_look_finds_what_is_left_and_masks_it(token):
    """Kind and line are named; the secret itself is not shown."""
    finding = find_secrets(f"first\nsecond {token}\n", {})[0]

    assert finding.line == 2
    assert f"{token[:4]}...{token[-2:]}" == finding.masked
    assert token not in repr(finding)
