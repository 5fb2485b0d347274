"""Secrets by value: values of environment variables with secret-looking names, in every encoding of a body."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import chain, count
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from llm_gateway.catalog import PROVIDERS
from llm_gateway.redaction.edit import Edit
from llm_gateway.redaction.placeholders import SHORTEST, is_placeholder

__all__ = ["SecretValues", "secret_variables", "sent_secrets"]

_NAME = re.compile(
    r"(?<!MON)(?<!TUR)KEYS?(?![A-Z])|TOKENS?(?![A-Z])|SECRETS?(?![A-Z])|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?(?![A-Z])"
    r"|(?<![A-Z])(?:PASS|PAT|JWT|AUTH|COOKIE|BEARER|SIGNATURE)(?![A-Z])|_PWD$|ACCESS_KEY_ID"
)
_SETTING = re.compile(
    r"_(?:FILE|PATH|DIR|HOME|URL|URI|HOST|PORT|ENDPOINT|NAME|TYPE|MODE|METHOD|HEADER|HELPER|STORE|BACKEND|PROVIDER|MODEL|REGION"
    r"|PREFIX|TTL|EXPIRY|TIMEOUT|LIMIT|VERSION|ALGORITHM|FORMAT|ENABLED|LENGTH|SIZE|SOCK|ISSUER|AUDIENCE)$"
)
_FILE = re.compile(r"(?:~|\.{0,2}|[A-Za-z]:)[/\\](?:.*[/\\])?(?:[\w-]*\.\w{1,8}|credentials|config)")
_SENT = frozenset({"authorization", "x-api-key", "api-key", "x-goog-api-key", "proxy-authorization"})
_NUMBER = re.compile(r"[0-9.,+-]+")
_NEAR, _LONGEST_RUN = 64, 4096
"""Bytes before a value that are searched for the start of a JSON number, and of base64."""
_BASE64 = rb"[A-Za-z0-9+/_-]"
_RUN_BEFORE, _RUN_AFTER = re.compile(_BASE64 + rb"*\Z"), re.compile(_BASE64 + rb"*")


def secret_variables(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *env* with a secret-looking name and a value that can be a secret; longest first."""
    found = {name: value.strip() for name, value in env.items() if _holds_secret(name.upper(), value.strip())}
    return dict(sorted(found.items(), key=lambda item: (-len(item[1]), item[0])))


def sent_secrets(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the credentials in a request's headers; a server may repeat them in its reply."""
    found: dict[str, str] = {}
    for name, value in headers:
        if name.lower() in _SENT:
            label = name.upper().replace("-", "_")
            found[label if label.endswith("KEY") else f"{label}_SECRET"] = value.strip().rpartition(" ")[2]
    return secret_variables(found)


def _holds_secret(name: str, value: str) -> bool:
    is_secret = name in _key_variables() or (_NAME.search(name) and not _SETTING.search(name))
    if len(value) < SHORTEST or not is_secret:
        return False
    if "TOKENS" in name and _NUMBER.fullmatch(value):  # LLM_MAX_TOKENS and its like
        return False
    return not _FILE.fullmatch(value) and not is_placeholder(value)


@cache
def _key_variables() -> frozenset[str]:
    """Return the variables that hold keys of providers, whatever their names look like."""
    every = ((*one.key_variables, *one.placeholder_variables) for one in PROVIDERS.values())
    return frozenset(chain.from_iterable(every))


class _Spelling(NamedTuple):
    """Encoding of a value; *offset* is its position in a base64 group of three bytes, None outside base64."""

    text: bytes
    offset: int | None


class _Secret(NamedTuple):
    name: str
    value: bytes
    spellings: tuple[_Spelling, ...]

    @property
    def new(self) -> bytes:
        return b"[%s]" % self.name.encode("utf-8", "replace")


class SecretValues:
    """
    Values of secret-looking variables: plain, in base64 at any alignment, URL-encoded and JSON-escaped.

    A value of digits alone is kept where it could be a JSON number.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        self._secrets = [
            _Secret(name, value.encode("utf-8", "surrogateescape"), tuple(_spellings(value)))
            for name, value in secret_variables(env).items()
        ]

    def edits(self, data: bytes) -> Iterator[Edit]:
        """Yield an edit for each value in *data*: its replacement is ``[NAME]``, encoded like the value."""
        for secret in self._secrets:
            kind = f"value of {secret.name}"
            for spelling in secret.spellings:
                for start in _positions(data, spelling.text):
                    end = start + len(spelling.text)
                    if spelling.offset is not None:
                        yield _in_base64(data, start, end, spelling.offset, secret)
                    elif not _may_be_number(data, start, spelling.text):
                        yield Edit(start, end, secret.new, kind)


def _positions(data: bytes, text: bytes) -> Iterator[int]:
    position = data.find(text)
    while position >= 0:
        yield position
        position = data.find(text, position + len(text))


def _may_be_number(data: bytes, start: int, text: bytes) -> bool:
    return text.isdigit() and data[max(0, start - _NEAR) : start].rstrip()[-1:] in (b"", b":", b",", b"[")


def _spellings(value: str) -> Iterator[_Spelling]:
    raw = value.encode("utf-8", "surrogateescape")
    once = json.dumps(value)[1:-1]
    escaped = (once, json.dumps(value, ensure_ascii=False)[1:-1], once.replace("/", "\\/"), json.dumps(once)[1:-1])
    quoted = (quote(raw, safe=""), quote(raw), quote_plus(raw))
    lowered = (re.sub("%..", lambda hexadecimal: hexadecimal[0].lower(), text) for text in quoted)
    plain = (raw, *(text.encode("utf-8", "surrogateescape") for text in (*escaped, *quoted, *lowered)))
    yield from (_Spelling(text, None) for text in dict.fromkeys(plain))
    aligned = dict.fromkeys(spelling for offset in range(3) for spelling in _aligned(raw, offset))
    yield from aligned


def _aligned(raw: bytes, offset: int) -> Iterator[_Spelling]:
    """Yield the base64 characters that depend on *raw* alone, with *offset* bytes before it in its group of three."""
    first = (0, 2, 3)[offset]
    last = (offset + len(raw)) * 8 // 6
    padded = b"\0" * offset + raw
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield _Spelling(encode(padded)[first:last], offset)


def _in_base64(data: bytes, start: int, end: int, offset: int, secret: _Secret) -> Edit:
    """
    Return the edit inside base64 after which all of it still decodes, and nothing else changes.

    The new text has the old one's length modulo three, so that what follows keeps its alignment.
    """
    kind = f"value of {secret.name}"
    group = start - (0, 2, 3)[offset]
    after = _RUN_AFTER.match(data, end)
    tail = after.end() if after else end
    stop = min(tail, group + (end - group + 3) // 4 * 4)
    encoded = data[max(group, 0) : stop]
    new = secret.new + b"_" * next(n for n in count() if (len(secret.new) + n - len(secret.value)) % 3 == 0)
    try:
        plain = base64.b64decode(encoded.translate(bytes.maketrans(b"-_", b"+/")) + b"==")
    except ValueError:
        plain = b""
    if group < 0 or plain[offset : offset + len(secret.value)] != secret.value:
        return Edit(start, end, secret.new, kind)
    changed = plain[:offset] + new + plain[offset + len(secret.value) :]
    encode = base64.urlsafe_b64encode if _is_urlsafe(data, group, tail) else base64.b64encode
    return Edit(group, stop, encode(changed).rstrip(b"="), kind)


def _is_urlsafe(data: bytes, start: int, end: int) -> bool:
    before = _RUN_BEFORE.search(data, max(0, start - _LONGEST_RUN), start)
    run = (before[0] if before else b"") + data[start:end]
    return re.search(rb"[_-]", run) is not None and re.search(rb"[+/]", run) is None
