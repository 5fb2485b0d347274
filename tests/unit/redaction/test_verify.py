"""Verification of a file that is about to be saved."""

import base64
import gzip

import pytest

from llm_gateway.redaction.scrub import Finding, find_secrets

TOKEN = "sk-ant-" + "api03-" + "A1b2" * 12


def test_kind_and_line_are_named_and_the_secret_is_masked():
    """Four characters of the start and two of the end are enough to know which one it is."""
    found = find_secrets(f"first\nsecond {TOKEN}\n", {})

    assert [Finding("Anthropic key", f"sk-a...{TOKEN[-2:]}", 2)] == found


def test_a_short_secret_shows_one_character():
    """Of eight characters, six would be most of it."""
    found = find_secrets("a hunter2hunter b", {"DB_PASSWORD": "hunter2hunter"})

    assert [Finding("value of DB_PASSWORD", "h...", 1)] == found


def test_everything_is_found_in_order():
    """One finding for each secret, by line; the same one twice in a line counts once."""
    env = {"MY_TOKEN": "abcdef123456"}
    text = f"{TOKEN} {TOKEN}\n\nabcdef123456\n{base64.b64encode(b'x-abcdef123456').decode()}\n"

    assert [("Anthropic key", 1), ("value of MY_TOKEN", 3), ("value of MY_TOKEN", 4)] == [
        (finding.kind, finding.line) for finding in find_secrets(text, env)
    ]


@pytest.mark.parametrize("pack", [bytes, lambda data: gzip.compress(data, mtime=0)], ids=["as it is", "compressed"])
def test_binary_bodies_are_looked_into(pack):
    """What YAML keeps as base64 is decoded first."""
    body = base64.b64encode(pack(b"\xff\xfe " + TOKEN.encode() + b" \xff")).decode()
    rows = "".join(f"      {body[start : start + 70]}\n" for start in range(0, len(body), 70))
    text = f"version: 1\nbody:\n  string: !!binary |\n{rows}end: 1\n"

    assert [Finding("Anthropic key", f"sk-a...{TOKEN[-2:]}", 3)] == find_secrets(text, {})


@pytest.mark.parametrize(
    ("row", "kinds"),
    [
        ("      authorization:\n      - Custom abc123def\n", ["credential header"]),
        ("      X-Api-Key: [abc123def]\n", []),
        ("      x-api-key:\n      - abc123def\n", ["credential header"]),
        ("      x-goog-api-key: abc123def\n", ["credential header"]),
        ("      authorization:\n      - '**REDACTED**'\n", []),
        ("      authorization:\n      - DUMMY\n", []),
        ("      x-api-key:\n      - [SECRET]\n", []),
        ("      set-cookie:\n      - a=b1c2d3e4f5\n", []),
    ],
)
def test_headers_of_other_tools_are_looked_at(row, kinds):
    """A file that another tool wrote may hold headers that ours never would; cookies are no credentials of a provider."""
    assert kinds == [finding.kind for finding in find_secrets(f"request:\n    headers:\n{row}", {})]


def binary(data):
    return f"!!binary |\n      {base64.b64encode(gzip.compress(data, mtime=0)).decode()}\n"


def test_values_in_binary_bodies_are_found_after_those_in_text():
    """Lines count from the start of the file, empty ones included."""
    env = {"MY_API_KEY": "pass\udcffword1-long-1"}
    text = f"\n{TOKEN}\n\na: {binary(b'pass' + bytes([255]) + b'word1-long-1')}b: {binary(b'nothing')}"

    assert [
        Finding("Anthropic key", f"sk-a...{TOKEN[-2:]}", 2),
        Finding("value of MY_API_KEY", "pass...-1", 4),
    ] == find_secrets(text, env)
    assert [Finding("value of MY_API_KEY", "pass...-1", 1)] == find_secrets(text[text.index("a:") :], env)


def test_sixteen_characters_are_long_enough_to_show_their_ends():
    """Six of sixteen are less than half."""
    env = {"A_KEY": "swordfish-for-lf", "B_KEY": "swordfish-for-1"}

    assert ["swor...lf", "s..."] == [one.masked for one in find_secrets("swordfish-for-lf\nswordfish-for-1", env)]


def test_text_with_lone_surrogates_is_searched():
    """Values of headers too; an unreadable character is shown as one."""
    assert [1] == [one.line for one in find_secrets(f"\udc80 {TOKEN}", {})]
    assert ["credential header"] == [one.kind for one in find_secrets("x-api-key: abc\udc80123def1\n", {})]
    assert ["p..."] == [one.masked for one in find_secrets(binary(b"pass\xffword1"), {"K_KEY": "pass\udcffword1"})]
