"""Whether a text could be a secret at all, or is a stand-in for one, or an ordinary word."""

from __future__ import annotations

import re

__all__ = ["SHORTEST", "is_mixed", "is_stand_in", "looks_secret"]

SHORTEST = 8
"""Shorter values are not taken for secrets: they would be found by chance in any text."""

_WORDS = re.compile(r"[A-Za-z]+|[0-9]+")
_STAND_IN_WORDS = frozenset(
    "your my the a an test testing tests dummy fake mock mocked stub example sample placeholder change me "
    "changeme replace insert enter put here api key keys apikey token secret password passwd auth access bearer "
    "client basic user username pass none null nil empty unset undefined redacted scrubbed masked removed hidden "
    "filtered not no needed required used unused set real valid invalid llm gateway replay sk ant proj openai "
    "anthropic claude gemini google azure groq mistral cohere together bedrock aws ollama local localhost string "
    "value default provider production development staging disabled enabled optional environment variable env "
    "goes id with in this and".split()
)
_TELLING_WORDS = frozenset(
    "your test testing tests dummy fake mock mocked stub example sample placeholder change changeme replace "
    "insert enter put none null nil empty unset undefined redacted scrubbed masked removed hidden filtered not no "
    "needed unused invalid local localhost string value default".split()
)
_ORDINARY = frozenset(["password", "passw0rd", "username", "secret", "token"]) | (_STAND_IN_WORDS - _TELLING_WORDS)
_TEMPLATE = re.compile(r"\$[\w{(].*|\{.*\}|<.*>|%\(?\w+\)?s?%?|\[[\w .:-]*\]|os\.environ.*|process\.env.*")
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey)[\s+]+", re.IGNORECASE)
_CLASSES = (r"[a-z]", r"(?<!^)[A-Z]", r"[0-9]", r"[^A-Za-z0-9_.\-]")


def is_stand_in(value: str) -> bool:
    """
    Whether *value* only holds the place of a secret: ``your-api-key``, ``xxxxxxxx``, ``${TOKEN}``, ``[SECRET]``.

    A value counts when all its words are such words and one of them tells (``my-secret-token`` does not).
    """
    text = value.strip().strip("*\"'")
    if len(set(text)) <= 2 or _TEMPLATE.fullmatch(text):
        return True
    words = [word.lower() for word in _WORDS.findall(text)]
    if len(words) == 1 and words[0] in _ORDINARY:
        return True
    return not _TELLING_WORDS.isdisjoint(words) and all(word in _STAND_IN_WORDS or set(word) == {"x"} for word in words)


def looks_secret(value: str) -> bool:
    """
    Whether *value*, found in a place where secrets stand, is one: long enough, one word, and not a plain word.

    A scheme in front (``Bearer``) does not count. Only letters of one case, with dashes or not, read as a word.
    """
    text = _SCHEME.sub("", value.strip(), count=1)
    if len(text) < SHORTEST or re.search(r"\s", text) or is_stand_in(text):
        return False
    return is_mixed(text)


def is_mixed(text: str) -> bool:
    """Whether *text* mixes two sorts of characters: small letters, capitals inside, digits, signs."""
    return sum(re.search(kind, text) is not None for kind in _CLASSES) > 1
