"""Secrets by pattern: tokens with a known prefix, private keys, and values in places where credentials are."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from llm_gateway.catalog import PROVIDERS
from llm_gateway.redaction.edit import Edit
from llm_gateway.redaction.placeholders import is_mixed, is_placeholder, looks_secret

__all__ = ["QUERY", "REDACTED", "REDACTED_IN_URL", "pattern_edits"]

REDACTED = b"[SECRET]"
"""Replacement of a secret that was found by a pattern."""
REDACTED_IN_URL = b"SECRET"
"""Replacement in URLs, where brackets would be percent-encoded, or break the parsing of a host."""

QUERY = frozenset(
    "key api_key api-key apikey x-api-key x-goog-api-key access_token auth_token refresh_token id_token token jwt "
    "secret client_secret password authorization sig signature assertion client_assertion upload_id subscription-key "
    "x-amz-signature x-amz-credential x-amz-security-token x-goog-signature x-goog-credential".split()
)
"""Query and form parameters (lower-case) whose values are never kept."""

# A letter in front may belong to an escape: \n in JSON, %3D in a URL.
_START = rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
_ESCAPED_BREAK = rb"(?:\\{1,4}[rn]|[\r\n][ \t]*)"
_FIELDS = (
    b"api_key api-key apikey access_token accesstoken refresh_token refreshtoken id_token idtoken auth_token authtoken "
    b"client_secret clientsecret password passwd passphrase authorization secret secret_access_key secretaccesskey "
    b"session_token sessiontoken secret_key secretkey private_key privatekey authorization_token api_token apitoken "
    b"bearer_token bearertoken access_key accesskey signing_key client_key cookie"
).split()
_SIGNED = (
    b"sig signature api_key apikey api-key access_token client_secret token x-amz-signature x-amz-credential".split()
    + (b"x-amz-security-token x-goog-signature x-goog-credential".split())
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    """
    Pattern of one kind of secret: the group ``secret``, else the whole match, if *is_secret* accepts it.

    The pattern is tried only where one of *anchors* (lower-case) occurs: most texts hold none of them.
    """

    kind: str
    anchors: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    is_secret: Callable[[bytes], bool] | None = None
    new: bytes = REDACTED

    def edits(self, data: bytes) -> Iterator[Edit]:
        for match in self.pattern.finditer(data):
            group = "secret" if "secret" in self.pattern.groupindex else 0
            if self.is_secret is None or self.is_secret(match[group]):
                yield Edit(*match.span(group), self.new, self.kind)


def pattern_edits(data: bytes) -> list[Edit]:
    """Return the replacement of each match in *data*. Overlaps are possible."""
    lowered = data.lower()
    tried = (pattern for pattern in _PATTERNS if any(anchor in lowered for anchor in pattern.anchors))
    return [edit for pattern in tried for edit in pattern.edits(data)]


def _token(kind: str, anchors: str, pattern: bytes) -> _Pattern:
    return _Pattern(kind, tuple(anchors.lower().encode().split()), re.compile(_START + pattern))


def _is_likely(value: bytes) -> bool:
    return looks_secret(value.decode("utf-8", "replace"))


def _is_password(value: bytes) -> bool:
    """Return True for a password in a URL; it may be short, and prose is full of ``user:password@host``."""
    text = value.decode("utf-8", "replace")
    return is_mixed(text) and not is_placeholder(text)


def _is_login(value: bytes) -> bool:
    """Return True when a word after ``Basic`` is an encoded name and password, not prose."""
    try:
        name, colon, _ = base64.b64decode(value).partition(b":")
    except binascii.Error:
        return False
    return bool(colon) and name.isascii() and name.decode().isprintable()


_PROVIDER_KEYS = tuple(
    _token(kind, anchors, pattern.encode()) for one in PROVIDERS.values() for kind, anchors, pattern in one.key_patterns
)
_TOKENS = (
    _token("Langfuse key", "sk-lf-", rb"sk-lf-[A-Za-z0-9_-]{16,}"),
    _token("API key (sk-)", "sk-", rb"(?<![_-])sk-[A-Za-z0-9]{20,}(?![A-Za-z0-9])"),
    _token("Google access token", "ya29.", rb"ya29\.[A-Za-z0-9_.-]{16,}"),
    _token("Google refresh token", "1//0", rb"1//0[A-Za-z0-9_-]{30,}"),
    _token("Google client secret", "GOCSPX-", rb"GOCSPX-[A-Za-z0-9_-]{20,}"),
    _token("NVIDIA key", "nvapi-", rb"nvapi-[A-Za-z0-9_-]{30,}"),
    _token("AWS access key id", "AKIA ASIA ABIA ACCA", rb"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9+=_-])"),
    _token(
        "AWS session token",
        "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz",
        rb"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz)[A-Za-z0-9+/=%]{80,}",
    ),
    _Pattern("Azure key", (b"jqqj99",), re.compile(rb"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}")),
    _Pattern("Azure key", (b"accountkey=",), re.compile(rb"AccountKey=(?P<secret>[A-Za-z0-9+/]{40,}={0,2})")),
    _token("GitHub token", "ghp_ gho_ ghs_ ghu_ ghr_", rb"gh[opsur]_[A-Za-z0-9]{30,}"),
    _token("GitHub token", "github_pat_", rb"github_pat_[A-Za-z0-9_]{22,}"),
    _token("GitLab token", "glpat-", rb"glpat-[A-Za-z0-9_-]{20,}"),
    _token("npm token", "npm_", rb"npm_[A-Za-z0-9]{36}"),
    _token("PyPI token", "pypi-age", rb"pypi-AgE[A-Za-z0-9_-]{40,}"),
    _token("Slack token", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-", rb"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _token("Slack token", "xapp-", rb"xapp-\d-[A-Za-z0-9-]{20,}"),
    _token("Slack webhook", "hooks.slack.com/", rb"hooks\.slack\.com/services/(?P<secret>T[\w/]{20,})"),
    _token("Stripe key", "k_live_", rb"[rs]k_live_[A-Za-z0-9]{16,}"),
    _token("Stripe key", "k_test_", rb"[rs]k_test_[A-Za-z0-9]{16,}"),
    _token("SendGrid key", "sg.", rb"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    _token("JWT", "eyj", rb"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]*"),
)

_PEM = rb"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
_PLACES = (
    _Pattern(
        "private key",
        (b"private key",),
        re.compile(
            _PEM
            + rb"(?:(?:(?!-----BEGIN )[\s\S]){0,16000}?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|(?:"
            + _ESCAPED_BREAK
            + rb"|[A-Za-z0-9+/=]){40,})"
        ),
    ),
    _Pattern(
        "bearer token",
        (b"bearer",),
        re.compile(rb"(?i:\bbearer)(?:[ +]|%20|\\u0020)+(?P<secret>[A-Za-z0-9._~+/=-]{16,})"),
        _is_likely,
    ),
    _Pattern("basic login", (b"basic ",), re.compile(rb"(?i:\bbasic) +(?P<secret>[A-Za-z0-9+/]{8,}={0,2})"), _is_login),
    _Pattern(
        "login in a URL",
        (b"://",),
        re.compile(rb"://[^\s/\"'@:\\<>?#]*:(?P<secret>[^\s/\"'@\\<>?#]{3,})(?=@[A-Za-z0-9\[])"),
        _is_password,
        REDACTED_IN_URL,
    ),
    _Pattern(
        "JSON field",
        tuple(name + end for name in _FIELDS for end in (b'"', b"\\")),
        re.compile(
            rb"(?i:" + b"|".join(_FIELDS) + rb')(?P<quote>\\*")\s*:\s*(?P=quote)'
            rb'(?P<secret>(?:[^"\\]|\\+[/nrtbfu])+?)(?=(?P=quote))'
        ),
        _is_likely,
    ),
    _Pattern(
        "URL parameter",
        tuple(name + b"=" for name in _SIGNED),
        re.compile(
            rb"(?:[?&]|\\u0026|&amp;)(?i:" + b"|".join(_SIGNED) + rb")=(?P<secret>[A-Za-z0-9%._~+/=-]{12,})",
        ),
        _is_likely,
        REDACTED_IN_URL,
    ),
)
_PATTERNS = (*_PROVIDER_KEYS, *_TOKENS, *_PLACES)
