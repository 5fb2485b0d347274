"""Verification that a file that is about to be saved contains no secrets."""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from llm_gateway.redaction.edit import Edit, disjoint
from llm_gateway.redaction.placeholders import looks_secret
from llm_gateway.redaction.secret_patterns import pattern_edits
from llm_gateway.redaction.secret_values import SecretValues

__all__ = ["Finding", "find_secrets"]

_LONG_ENOUGH_TO_SHOW = 16
_BINARY = re.compile(rb"!!binary \|-?\n((?:[ \t]+[A-Za-z0-9+/=]+\n)+)")
_HEADER = re.compile(
    rb"(?im)^[ \t]*[\"']?(?:(?:proxy-)?authorization|(?:x-)?(?:goog-)?api-key|x-amz-security-token"
    rb"|ocp-apim-subscription-key)[\"']?:\s*(?:-\s+)?[\"']?(?P<secret>[^\s\"'\[][^\n\"']*)"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Possible secret: its *kind*, its text masked but for both ends, and the line (from 1) that it starts on."""

    kind: str
    masked: str
    line: int


def find_secrets(text: str, env: Mapping[str, str]) -> list[Finding]:
    """
    Return what still looks like a secret in the *text* of a cassette file, in order; binary bodies are decoded first.

    Args:
        text: The whole file.

        env: Environment variables; see `Scrubber`.
    """
    data, known = text.encode("utf-8", "surrogatepass"), SecretValues(env)
    found = [_finding(edit, data, 1) for edit in disjoint([*known.edits(data), *pattern_edits(data), *_headers(data)])]
    for match in _BINARY.finditer(data):
        inner, line = _unpacked(match[1]), data[: match.start()].count(b"\n") + 1
        edits = disjoint([*known.edits(inner), *pattern_edits(inner)])
        found += [Finding(edit.kind, _masked(inner[edit.start : edit.end]), line) for edit in edits]
    return sorted(dict.fromkeys(found), key=lambda finding: finding.line)


def _finding(edit: Edit, data: bytes, first_line: int) -> Finding:
    line = data[: edit.start].count(b"\n") + first_line
    return Finding(edit.kind, _masked(data[edit.start : edit.end]), line)


def _masked(secret: bytes) -> str:
    """Return the first four characters and the last two; of a short text, the first alone."""
    shown = secret.decode("utf-8", "replace")
    if len(shown) < _LONG_ENOUGH_TO_SHOW:
        return f"{shown[:1]}..."
    return f"{shown[:4]}...{shown[-2:]}"


def _headers(data: bytes) -> Iterator[Edit]:
    """Yield credentials in headers, which only recordings of other tools contain."""
    for match in _HEADER.finditer(data):
        *_, last = match["secret"].decode("utf-8", "replace").split()  # a scheme may come first
        if looks_secret(last):
            yield Edit(*match.span("secret"), b"", "credential header")


def _unpacked(encoded: bytes) -> bytes:
    plain = base64.b64decode(encoded)
    try:
        return zlib.decompressobj(zlib.MAX_WBITS + 32).decompress(plain)
    except zlib.error:
        return plain
