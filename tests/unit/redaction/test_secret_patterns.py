"""Secrets that are known by their looks, and the many things that only resemble them."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.redaction.scrub import Scrubber, find_secrets

MIXED = "a1B2c3D4" * 12
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\n" + (MIXED[:64] + "\n") * 3 + "-----END RSA PRIVATE KEY-----"
TOKENS = {
    "anthropic": "sk-ant-" + "api03-" + MIXED,
    "anthropic oauth": "sk-ant-" + "oat01-" + MIXED,
    "anthropic, dull": "sk-ant-" + "x" * 12,
    "openai project": "sk-proj-" + MIXED,
    "openai service": "sk-svcacct-" + MIXED,
    "openai": "sk-" + MIXED[:48],
    "openrouter": "sk-or-" + "v1-" + MIXED[:64],
    "google key": "AIza" + MIXED[:35],
    "google token": "ya29." + MIXED,
    "google client": "GOCSPX-" + MIXED[:28],
    "groq": "gsk_" + MIXED[:52],
    "hugging face": "hf_" + MIXED[:34],
    "xai": "xai-" + MIXED[:80],
    "replicate": "r8_" + MIXED[:37],
    "perplexity": "pplx-" + MIXED[:48],
    "cerebras": "csk-" + MIXED[:48],
    "fireworks": "fw_" + MIXED[:22],
    "together": "tgp_v1_" + MIXED[:43],
    "nvidia": "nvapi-" + MIXED[:64],
    "aws": "AKIA" + "ABCD1234" * 2,
    "aws temporary": "ASIA" + "ABCD1234" * 2,
    "aws session": "IQoJb3JpZ2lu" + "X2VjE" + MIXED,
    "bedrock": "ABSK" + MIXED,
    "azure": MIXED[:52] + "JQQJ99" + MIXED[:26],
    "github": "ghp_" + MIXED[:36],
    "github fine": "github_pat_" + MIXED[:82],
    "gitlab": "glpat-" + MIXED[:20],
    "npm": "npm_" + MIXED[:36],
    "pypi": "pypi-AgE" + MIXED,
    "slack": "xoxb-" + "123456789012-" + MIXED[:24],
    "stripe": "sk_live_" + MIXED[:24],
    "sendgrid": "SG." + MIXED[:22] + "." + MIXED[:43],
    "jwt": "eyJ" + "hbGciOiJIUzI1NiJ9." + "eyJ" + "zdWIiOiIxMjM0NTY3ODkwIn0." + MIXED[:43],
    "pem": PEM,
}
HARMLESS = [
    "toolu_01A09q90qw90lq917835lq9",
    "toolu_bdrk_01" + MIXED[:22],
    "call_" + MIXED[:24],
    "msg_01XFDUDYJgAACzvnptvVoYEL",
    "req_011CSHoEeqs5C35K2UUqR7Fy",
    "chatcmpl-" + MIXED[:29],
    "resp_" + "0f" * 24,
    "fc_" + "0f" * 24,
    "rs_" + "0f" * 24,
    "gen-1754424113-" + MIXED[:20],
    "fp_44709d6fcb",
    "550e8400-e29b-41d4-a716-446655440000",
    "d41d8cd98f00b204e9800998ecf8427e" * 2,
    "org-x task-ant-hill disk-proj-" + "a" * 30,
    "the key to a good password is its length; a Bearer token, or basic authentication",
    "Authorization: Bearer YOUR_API_KEY",
    "Authorization: Bearer <your-long-api-key-goes-here>",
    "curl -H 'Authorization: Bearer $OPENAI_API_KEY' https://api.openai.com/v1/models",
    "client = Client(api_key=os.environ['OPENAI_API_KEY'], password=load_password())",
    '{"usage": {"input_tokens": 12}, "max_tokens": 1024, "token": " hello", "stop_token": "x"}',
    '{"password": {"type": "string"}, "api_key": "your-api-key-here", "secret": "pineapple"}',
    '{"api_key": "${API_KEY}", "password": "the word is a secret", "id_token": ""}',
    "postgresql://user:password@localhost:5432/db",
    "https://example.com/a:b@c",
    "https://example.com/v1?api_key=YOUR_API_KEY&signature=&token=abc",
    "sk-learn is a library, sk-estimator-doc-link is a class, risk-adjusted is a word",
    "-----BEGIN PRIVATE KEY----- starts a private key",
    "-----BEGIN CERTIFICATE-----\n" + MIXED + "\n-----END CERTIFICATE-----",
    "[SECRET] [OPENAI_API_KEY] SECRET",
]


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
@pytest.mark.parametrize(
    "text", ["{}", "use {} please", "é{}", "a\n{}\nb", '"{}"', "key={}", "[{}]", "token: {}, next"], ids=range(8)
)
def test_known_tokens_are_removed_anywhere(text, token):
    """A token with a known pattern does not reach the file, and the text around it is kept."""
    spoken = text.format(token)

    assert text.format("[SECRET]") == Scrubber({}).text(spoken)
    assert text.format("[SECRET]") == json.loads(Scrubber({}).text(json.dumps(spoken)))


@pytest.mark.parametrize("token", TOKENS.values(), ids=TOKENS)
def test_tokens_in_json_inside_json_go(token):
    """Arguments of tools are JSON in a string of JSON; both still parse."""
    inner = json.dumps({"text": f"a {token}\nb"})
    clean = json.loads(Scrubber({}).text(json.dumps({"arguments": inner})))

    assert {"text": "a [SECRET]\nb"} == json.loads(clean["arguments"])


@pytest.mark.parametrize("broken", [str, lambda text: json.dumps(text)[1:-1]], ids=["lines", "escapes"])
def test_a_private_key_that_was_cut_off_goes(broken):
    """A stream may break off inside a key; the first part is a secret too."""
    assert "a [SECRET]" == Scrubber({}).text("a " + broken(PEM[:-40]))


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_left_alone(text):
    """Ids, hashes, examples and prose are no secrets."""
    assert text == Scrubber({}).text(text)
    assert json.dumps(text) == Scrubber({}).text(json.dumps(text))
    assert [] == find_secrets(text, {})


@given(st.binary(min_size=300, max_size=6000))
def test_pictures_are_left_alone(picture):
    """Base64 of anything, in either alphabet, is not taken for a token."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = f'{{"url": "data:image/png;base64,{encode(picture).decode()}"}}'

        assert text == Scrubber({}).text(text)


@given(st.text())
def test_any_text_survives(text):
    """No text makes the search fail, and other text is unchanged."""
    clean = Scrubber({}).text(text)

    assert clean == Scrubber({}).text(clean)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Authorization: Bearer Abc123Def456Ghi789", "Authorization: Bearer [SECRET]"),
        ("Authorization: Basic dXNlcjpodW50ZXIy", "Authorization: Basic [SECRET]"),
        ("postgresql://admin:hunter2@db:5432/x", "postgresql://admin:SECRET@db:5432/x"),
        ("https://h/x?sig=Abc123Def456%3D&se=1", "https://h/x?sig=SECRET&se=1"),
        (r"https://h/x?a=1\u0026X-Amz-Signature=0123456789abcdef", r"https://h/x?a=1\u0026X-Amz-Signature=SECRET"),
        ('{"openai_api_key": "9f8e7d6c5b4a"}', '{"openai_api_key": "[SECRET]"}'),
        ('{"clientSecret" : "Abcd-efGh"}', '{"clientSecret" : "[SECRET]"}'),
        ('{"password":"pa\\/ss\\nw0rd"}', '{"password":"[SECRET]"}'),
        ('{"authorization": "Token abcdef123"}', '{"authorization": "[SECRET]"}'),
        ('{"a": "{\\"api_key\\": \\"abc12345\\"}"}', '{"a": "{\\"api_key\\": \\"[SECRET]\\"}"}'),
        (
            "DefaultEndpointsProtocol=https;AccountKey=" + MIXED + "==",
            "DefaultEndpointsProtocol=https;AccountKey=[SECRET]",
        ),
        (
            "https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/" + MIXED[:24],
            "https://hooks.slack.com/services/[SECRET]",
        ),
    ],
)
def test_values_in_places_of_credentials_are_removed(text, expected):
    """Only the credential is replaced, in the spelling of its place."""
    assert expected == Scrubber({}).text(text)


def test_values_that_are_no_utf8_are_replaced_too():
    """A body may hold any bytes."""
    assert b'{"api_key": "[SECRET]"}' == Scrubber({}).scrub_bytes(b'{"api_key": "\xff\xfeA1b2c3d4e5"}')
    assert b"https://me:SECRET@h" == Scrubber({}).scrub_bytes(b"https://me:\xffPa55word@h")


@pytest.mark.parametrize(
    "text",
    [
        "https://me:correcthorse@h",
        "https://me:${PASSW0RD}@h",
        "Basic " + base64.b64encode(b"\x01me:hunter2").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:hunter2").decode(),
        "Basic " + base64.b64encode(b"just-some-text").decode(),
    ],
)
def test_words_and_binary_data_are_no_logins(text):
    """A password mixes kinds of characters, and a user name is printable ASCII."""
    assert text == Scrubber({}).text(text)


def test_the_password_of_a_basic_login_may_be_anything():
    """The name ends at the first colon."""
    login = base64.b64encode(b"me:\xff\xfe:x1y2").decode()

    assert "Basic [SECRET]" == Scrubber({}).text(f"Basic {login}")
