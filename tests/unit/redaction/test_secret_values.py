"""Secrets that are known because the environment holds them."""

import base64
import json
import re
from urllib.parse import quote, quote_plus, unquote, unquote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from llm_gateway.exchange import Chunk, HttpExchange
from llm_gateway.redaction.scrub import Scrubber, find_secrets
from llm_gateway.redaction.secret_values import secret_variables, sent_secrets
from llm_gateway.types import WireReply, WireRequest

SECRET = 'correct-horse/battery+"staple é'
ENV = {"MY_API_KEY": SECRET}
SPELLINGS = {
    "plain": (str, str),
    "query": (lambda text: quote(text, safe=""), unquote),
    "path": (quote, unquote),
    "form": (quote_plus, unquote_plus),
    "json": (json.dumps, json.loads),
    "readable json": (lambda text: json.dumps(text, ensure_ascii=False), json.loads),
    "json with escaped slashes": (lambda text: json.dumps(text).replace("/", "\\/"), json.loads),
    "query in lower case": (lambda text: re.sub("%..", lambda code: code[0].lower(), quote(text, safe="")), unquote),
    "json in json": (lambda text: json.dumps(json.dumps(text)), lambda text: json.loads(json.loads(text))),
}
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zs"]), min_size=8, max_size=40)


@pytest.mark.parametrize(("spell", "read"), SPELLINGS.values(), ids=SPELLINGS)
def test_values_go_in_every_spelling(spell, read):
    """A key without a known pattern is found by its value, and replaced by its name."""
    clean = Scrubber(ENV).text(f"a {spell(SECRET)} b")

    assert "[MY_API_KEY]" == read(clean.removeprefix("a ").removesuffix(" b"))
    assert [] == find_secrets(clean, ENV)


@given(
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    encode=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
    is_padded=st.booleans(),
    secret=values,
)
@example(before=b"user:", after=b"", encode=base64.b64encode, is_padded=True, secret=SECRET)
def test_values_go_inside_base64_and_the_rest_still_decodes(before, after, encode, is_padded, secret):
    """At any of the three alignments, in both alphabets, the bytes before and after stay."""
    env = {"MY_API_KEY": secret}
    assume("[MY_API_KEY]" == Scrubber(env).text(secret))
    assume((before + secret.encode() + after).count(secret.encode()) == 1)
    encoded = encode(before + secret.encode() + after).decode()
    encoded = encoded if is_padded else encoded.rstrip("=")
    clean = Scrubber(env).text(f'{{"data": "{encoded}"}}').removeprefix('{"data": "').removesuffix('"}')
    padded = clean.translate(str.maketrans("-_", "+/")) + "=" * (-len(clean) % 4)
    decoded = base64.b64decode(padded, validate=True)

    assert before == decoded[: len(before)]
    assert re.fullmatch(rb"\[MY_API_KEY\]_{0,2}", decoded[len(before) : len(decoded) - len(after)])
    assert after == decoded[len(decoded) - len(after) :]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOME", "/root/some/folder"),
        ("PWD", "/root/some/folder"),
        ("MAX_OUTPUT_TOKENS", "1234567890"),
        ("MAX_OUTPUT_TOKENS", "+1,234,567.50"),
        ("API_KEY", "short"),
        ("SSH_AUTH_SOCK", "/run/x/y/agent"),
        ("TOKENIZERS_PARALLELISM", "disabled-for-now"),
        ("MONKEYTYPE", "some-value-1"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/home/me/key.json"),
        ("AWS_SHARED_CREDENTIALS_FILE", "elsewhere/creds"),
        ("KEYRING_BACKEND", "keyring.backends.null"),
        ("OPENAI_API_KEY", "llm-gateway-replay-placeholder"),
        ("OPENAI_API_KEY", "your-api-key-here"),
        ("OPENAI_API_KEY", "test-api-key"),
        ("OPENAI_API_KEY", "xxxxxxxxxxxx"),
        ("OPENAI_API_KEY", "${REAL_API_KEY}"),
        ("DB_PASSWORD", "password"),
        ("LLM_KEY_PROVIDER", "anthropic"),
    ],
)
def test_values_that_are_no_secrets_stay(name, value):
    """Only variables with a secret's name, and values that can be one."""
    assert value == Scrubber({name: value}).text(value)
    assert [] == find_secrets(value, {name: value})


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "MYAPIKEY",
        "GITHUB_TOKEN",
        "service_secret",
        "DB_PASSWORD",
        "DB_PWD",
        "AWS_ACCESS_KEY_ID",
        "AZURE_CREDENTIAL",
        "BASIC_AUTH",
        "SIGNING_KEYS",
    ],
)
def test_values_of_secret_looking_names_go(name):
    """The name decides, whatever its case."""
    assert f"[{name}]" == Scrubber({name: "swordfish-for-life"}).text("swordfish-for-life")


def test_the_longest_value_wins():
    """A value that contains another is replaced whole."""
    env = {"A_KEY": "abcdefgh1", "B_KEY": "abcdefgh1-and-more"}

    assert "[B_KEY] [A_KEY]" == Scrubber(env).text("abcdefgh1-and-more abcdefgh1")


def test_secret_variables_are_ordered_by_length_then_by_name():
    """So that the longest value is replaced first, and equal values get the same name in each run."""
    env = {"Z_KEY": "abcdefgh1", "B_KEY": "abcdefgh1-and-more", "A_KEY": " zbcdefgh2\n", "HOME": "/root/some/folder"}

    assert [("B_KEY", "abcdefgh1-and-more"), ("A_KEY", "zbcdefgh2"), ("Z_KEY", "abcdefgh1")] == list(
        secret_variables(env).items()
    )


def test_credentials_of_a_request_are_secrets_of_its_own():
    """By the name of their header, without the scheme; other headers and placeholders are none."""
    headers = [
        ("Authorization", "Bearer  swordfish-for-life"),
        ("X-Api-Key", " correct-horse-1 "),
        ("proxy-authorization", "Basic dXNlcjpodW50ZXIy"),
        ("api-key", "your-api-key-here"),
        ("x-request-id", "swordfish-for-life-2"),
    ]

    assert {
        "PROXY_AUTHORIZATION_SECRET": "dXNlcjpodW50ZXIy",
        "AUTHORIZATION_SECRET": "swordfish-for-life",
        "X_API_KEY": "correct-horse-1",
    } == sent_secrets(headers)
    assert {} == sent_secrets([])


def test_a_value_that_is_no_utf8_is_found():
    """Variables may hold any bytes, which Python reads as lone surrogates."""
    env = {"MY_API_KEY": "pass\udcffword1"}

    assert b"a [MY_API_KEY] b" == Scrubber(env).scrub_bytes(b"a pass\xffword1 b")
    assert [("value of MY_API_KEY", 1)] == [(one.kind, one.line) for one in find_secrets("pass%FFword1", env)]


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize(
    ("before", "after"), [(b"\xff\xff\xff", b""), (b"", b"\xff\xff\xff\xff\xff"), (b"\xfb\xff\xfe", b"\xfe\xff\xff")]
)
def test_base64_keeps_its_alphabet(before, after, encode):
    """The signs before and after the value show which one it is."""
    value = b"swordfish1?"
    clean = Scrubber({"A_KEY": value.decode()}).scrub_bytes(b'"' + encode(before + value + after) + b'"')
    decoded = base64.b64decode(clean.translate(bytes.maketrans(b"-_", b"+/")))

    assert (before, after) == (decoded[: len(before)], decoded[len(decoded) - len(after) :])
    assert value not in decoded
    assert b"[A_KEY]" in decoded
    assert not re.search(rb"[-_]" if encode is base64.b64encode else rb"[+/]", clean)


@pytest.mark.parametrize(("prefix", "sign"), [(b"____", b"-"), (b"////", b"+"), (b"+_+_", b"+"), (b"", b"+")])
def test_a_name_in_base64_has_the_alphabet_of_what_comes_before(prefix, sign):
    """Where both were used or neither, it is the standard one; other text does not count."""
    data = b'/ "%s%s" a-b_c/d' % (prefix, base64.b64encode(b"swordfish-for-l"))
    clean = Scrubber({"MY_KEY~~~": "swordfish-for-l"}).scrub_bytes(data)

    assert b'/ "%s%s" a-b_c/d' % (prefix, base64.b64encode(b"[MY_KEY~~~]_").replace(b"+", sign)) == clean


@pytest.mark.parametrize("data", [b"%s", b"%sQUJD", b"%s "])
def test_base64_at_the_start_of_the_data_still_decodes(data):
    """Nothing has to come before it."""
    clean = Scrubber({"A_KEY": "swordfish-1 "}).scrub_bytes(data % base64.b64encode(b"swordfish-1"))

    assert data % base64.b64encode(b"[A_KEY]_") == clean


@pytest.mark.parametrize("before", [b"", b'"', b'""', b'"""""'])
def test_base64_that_lost_its_beginning_is_replaced_as_text(before):
    """It cannot be decoded any more, and the value still has to go."""
    env = {"A_KEY": "swordfish-1" * 2}
    data = before + base64.b64encode(b"x" + b"swordfish-1" * 2)[2:]

    assert before + b"[A_KEY]" == Scrubber(env).scrub_bytes(data)[: len(before) + 7]
    assert ["value of A_KEY"] == [one.kind for one in find_secrets(data.decode(), env)]


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("12345678", True),
        ("[ 12345678]", True),
        ('{"a":\n      12345678}', True),
        ("PIN  12345678", False),
        ("PIN\t\t12345678", False),
        ('"12345678"', False),
    ],
)
def test_digits_are_a_number_after_the_signs_of_json_alone(text, is_kept):
    """Any blanks may come between; text before them makes the digits a secret."""
    clean = Scrubber({"PIN_SECRET": "12345678"}).text(text)

    assert (text if is_kept else text.replace("12345678", "[PIN_SECRET]")) == clean


def test_a_number_stays_where_it_may_be_a_json_number():
    """A PIN goes from a text; the same digits as a number stay, so that the body still parses."""
    env = {"PIN_SECRET": "12345678"}
    body = '{"created": 12345678, "list": [12345678,12345678], "pin": "12345678", "text": "it is 12345678"}'

    assert {
        "created": 12345678,
        "list": [12345678, 12345678],
        "pin": "[PIN_SECRET]",
        "text": "it is [PIN_SECRET]",
    } == json.loads(Scrubber(env).text(body))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just(SECRET) | st.just(f"a{SECRET}b"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(value=json_values, is_ascii=st.booleans(), sizes=st.lists(st.integers(0, 30), max_size=10))
def test_a_json_reply_stays_json_and_its_chunks_add_up(value, is_ascii, sizes):
    """For any position of the secret and any chunks: it is gone, the body parses, the chunks add up to the body."""
    body = json.dumps(value, ensure_ascii=is_ascii).encode()
    lengths = []
    for size in [*sizes, len(body)]:
        lengths.append(min(size, len(body) - sum(lengths)))
    given_ = HttpExchange(
        WireRequest("POST", "https://h/", (), body),
        WireReply(200, (("content-length", str(len(body))),), body),
        chunks=tuple(Chunk(length, 0.0) for length in lengths),
    )
    clean = Scrubber(ENV).scrub(given_)

    assert json.dumps(value).replace(json.dumps(SECRET)[1:-1], "[MY_API_KEY]") == json.dumps(
        json.loads(clean.reply.body)
    )
    assert len(clean.reply.body) == sum(chunk.length for chunk in clean.chunks)
    assert (("content-length", str(len(clean.reply.body))),) == clean.reply.headers
