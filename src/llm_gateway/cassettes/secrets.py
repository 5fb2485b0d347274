"""What a secret looks like: the shapes of known tokens, and the values of secret-looking environment variables."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

__all__ = ["PLACEHOLDER", "Finding", "environment_values", "find_secrets", "token_shapes"]

PLACEHOLDER = "[SECRET]"
_SECRET_NAME = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH", re.IGNORECASE)
_HARMLESS_NAME = re.compile(
    r"PUBLIC|_PATH$|_FILE$|_DIR$|KEYBOARD|KEYMAP|TOKENIZERS|MAX_.*TOKENS|SSH_AUTH_SOCK|_SOCK$", re.IGNORECASE
)
_SHORTEST = 8
_NOT_SECRET = re.compile(r"placeholder|^(true|false|none|null|test|dummy|changeme)+$|^[/~.]", re.IGNORECASE)
_EDGE = r"(?<![A-Za-z0-9_-])"
_SHAPES: tuple[tuple[str, str], ...] = (
    ("Anthropic key", _EDGE + r"sk-ant-[A-Za-z0-9]{2,8}-[A-Za-z0-9_-]{20,}"),
    ("OpenAI key", _EDGE + r"sk-(?:proj-|svcacct-|admin-|or-v1-)[A-Za-z0-9_-]{20,}"),
    ("API key", _EDGE + r"sk-[A-Za-z0-9]{32,}"),
    ("Google key", _EDGE + r"AIza[A-Za-z0-9_-]{35}"),
    ("Google token", _EDGE + r"ya29\.[A-Za-z0-9_-]{20,}"),
    ("Groq key", _EDGE + r"gsk_[A-Za-z0-9]{32,}"),
    ("Hugging Face token", _EDGE + r"hf_[A-Za-z0-9]{30,}"),
    ("xAI key", _EDGE + r"xai-[A-Za-z0-9]{40,}"),
    ("Replicate token", _EDGE + r"r8_[A-Za-z0-9]{30,}"),
    ("AWS key id", _EDGE + r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("GitHub token", _EDGE + r"(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{40,})"),
    ("Slack token", _EDGE + r"xox[abprs]-[A-Za-z0-9-]{20,}"),
    ("JSON web token", _EDGE + r"eyJ[A-Za-z0-9_-]{15,}\.eyJ[A-Za-z0-9_-]{15,}\.[A-Za-z0-9_-]{10,}"),
    (
        "private key",
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----(?:[^-]|-(?!----END))*(?:-----END (?:[A-Z]+ )*PRIVATE KEY-----)?",
    ),
    ("bearer token", r"(?<=Bearer )[A-Za-z0-9._~+/=-]{20,}"),
    ("password in a URL", r"(?<=://)[^\s/@:\"'\[\]]+:[^\s/@\"'\[\]]+(?=@)"),
)
_TOKEN = re.compile("|".join(f"(?P<s{number}>{shape})" for number, (_, shape) in enumerate(_SHAPES)))
_MEMBER = re.compile(
    r"(?P<lead>\\?\"(?:api[_-]?key|access_?token|refresh_?token|id_?token|client_?secret|password|authorization|"
    r"aws_?secret_?access_?key|secret_?access_?key|session_?token|private_?key)\\?\"\s*:\s*\\?\")"
    r"(?P<value>[^\"\\\[\]]{8,})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that looks like a secret: its kind, its first and last characters, and its line."""

    kind: str
    masked: str
    line: int


def token_shapes(text: str) -> str:
    """*text* with every known token shape, and every member with a secret's name, replaced."""
    text = _TOKEN.sub(PLACEHOLDER, text)
    return _MEMBER.sub(lambda found: found["lead"] + PLACEHOLDER, text)


def environment_values(environ: Mapping[str, str]) -> dict[str, str]:
    """Each spelling of each secret in *environ*, with the placeholder ``[NAME]`` that stands for it; longest first."""
    spellings: dict[str, str] = {}
    for name, value in environ.items():
        if not _SECRET_NAME.search(name) or _HARMLESS_NAME.search(name):
            continue
        if len(value) >= _SHORTEST and not _NOT_SECRET.search(value):
            spellings.update(dict.fromkeys(_spellings(value), f"[{name}]"))
    return dict(sorted(spellings.items(), key=lambda row: -len(row[0])))


def _spellings(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for shift in range(3):  # a secret inside a longer text starts at any of three places
            coded = encode(b"\0" * shift + value.encode()).decode()
            start, spare = (shift * 8 + 5) // 6, (shift + len(value.encode())) % 3
            inner = coded[start : len(coded) - (4 if spare else 0)]
            if len(inner) >= _SHORTEST:
                yield inner


def find_secrets(text: str, environ: Mapping[str, str]) -> list[Finding]:
    """The last look over a file: whatever in *text* still looks like a secret."""
    found = [(match.start(), _SHAPES[int(str(match.lastgroup)[1:])][0], match[0]) for match in _TOKEN.finditer(text)]
    found += [(match.start(), "secret member", match["value"]) for match in _MEMBER.finditer(text)]
    for spelling, placeholder in environment_values(environ).items():
        start = text.find(spelling)
        if start >= 0:
            found.append((start, f"value of {placeholder[1:-1]}", spelling))
    return [Finding(kind, _masked(value), text.count("\n", 0, start) + 1) for start, kind, value in sorted(found)]


def _masked(value: str) -> str:
    return f"{value[:4]}...{value[-2:]}"
