"""Texts where a secret is expected: a secret, a placeholder for one, or an ordinary word."""

from __future__ import annotations

import re

from llm_gateway.catalog import PROVIDERS

__all__ = ["SHORTEST", "is_mixed", "is_placeholder", "looks_secret"]

SHORTEST = 8
"""Shorter values are not taken for secrets: they would be found by chance in any text."""

_WORDS = re.compile(r"[A-Za-z]+|[0-9]+")
_PROVIDER_WORDS = {
    word for one in PROVIDERS.values() for word in _WORDS.findall(f"{one.name} {one.display_name}".lower())
}
_PLACEHOLDER_WORDS = (
    frozenset(
        "your my the a an test testing tests dummy fake mock mocked stub example sample placeholder change me "
        "changeme replace insert enter put here api key keys apikey token secret password passwd auth access bearer "
        "client basic user username pass none null nil empty unset undefined redacted scrubbed masked removed hidden "
        "filtered not no needed required used unused set real valid invalid llm gateway replay sk ant proj google aws "
        "local localhost string value default provider production development staging disabled enabled optional "
        "environment variable env goes id with in this and".split()
    )
    | _PROVIDER_WORDS
)
_DECISIVE_WORDS = frozenset(
    "your test testing tests dummy fake mock mocked stub example sample placeholder change changeme replace "
    "insert enter put none null nil empty unset undefined redacted scrubbed masked removed hidden filtered not no "
    "needed unused invalid local localhost string value default".split()
)
_ORDINARY = frozenset(["password", "passw0rd", "username", "secret", "token"]) | (_PLACEHOLDER_WORDS - _DECISIVE_WORDS)
_TEMPLATE = re.compile(r"\$[\w{(].*|\{.*\}|<.*>|%\(?\w+\)?s?%?|\[[\w .:-]*\]|os\.environ.*|process\.env.*")
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey)[\s+]+", re.IGNORECASE)
_CLASSES = (r"[a-z]", r"(?<!^)[A-Z]", r"[0-9]", r"[^A-Za-z0-9_.\-]")


def is_placeholder(value: str) -> bool:
    """
    Return whether *value* is a placeholder: ``your-api-key``, ``xxxxxxxx``, ``${TOKEN}``, ``[SECRET]``.

    All its words have to be words of placeholders, and one of them decisive (``my-secret-token`` has none).
    """
    text = value.strip().strip("*\"'")
    if len(set(text)) <= 2 or _TEMPLATE.fullmatch(text):
        return True
    words = [word.lower() for word in _WORDS.findall(text)]
    if len(words) == 1 and words[0] in _ORDINARY:
        return True
    return not _DECISIVE_WORDS.isdisjoint(words) and all(
        word in _PLACEHOLDER_WORDS or set(word) == {"x"} for word in words
    )


def looks_secret(value: str) -> bool:
    """
    Return whether *value*, found where a secret is expected, is one: long enough, one word, and not a plain word.

    A scheme in front (``Bearer``) does not count. Only letters of one case, with dashes or not, read as a word.
    """
    text = _SCHEME.sub("", value.strip(), count=1)
    if len(text) < SHORTEST or re.search(r"\s", text) or is_placeholder(text):
        return False
    return is_mixed(text)


def is_mixed(text: str) -> bool:
    """Return whether *text* mixes two kinds of characters: small letters, capitals inside, digits, signs."""
    return sum(re.search(kind, text) is not None for kind in _CLASSES) > 1
