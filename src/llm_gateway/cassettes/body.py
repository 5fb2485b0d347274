"""Bodies as files hold them: ours, vcrpy's, pytest-recording's, and the content encodings that they came in."""

from __future__ import annotations

import base64
import gzip
import json
import re
import zlib
from typing import Any

__all__ = ["Form", "carries", "decoded", "plain", "pretty", "read_body", "readable", "rebuild"]

Form = str
"""How a JSON body was spaced before it was written readably: ``compact``, ``compact-ascii``, ``spaced`` ..."""

_FORMS: dict[Form, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "compact-ascii": {"separators": (",", ":")},
    "spaced": {"ensure_ascii": False},
    "spaced-ascii": {},
}
_LONE = re.compile("[\ud800-\udfff]")
_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def pretty(body: bytes) -> tuple[str, Form] | None:
    """
    *body* as indented JSON, and the form that `rebuild` needs to give back the same bytes.

    None when it is not a JSON object or array, or when no form gives back exactly these bytes.
    """
    if not body.startswith((b"{", b"[")):
        return None
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for form, options in _FORMS.items():
        if _encoded(value, options) == body:
            return readable(value), form
    return None


def readable(value: Any) -> str:
    """JSON for people to read; a half of a surrogate pair, which no file can hold, stays an escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if not _LONE.search(text) else json.dumps(value, indent=2)


def _encoded(value: Any, options: dict[str, Any]) -> bytes:
    return json.dumps(value, **options).encode("utf-8", "surrogatepass")


def rebuild(text: str, form: Form) -> bytes:
    """The bytes that `pretty` was given."""
    return _encoded(json.loads(text), _FORMS[form])


def read_body(message: dict[str, Any]) -> bytes:
    """
    The body of a recorded request or response, whichever tool wrote it.

    Reads ``body: {string: ...}``, ``body: {base64_string: ...}``, a bare string, a mapping that is the JSON itself,
    ``parsed_body`` and the early httpx form ``content``.
    """
    if "parsed_body" in message:
        return _from_parsed(message["parsed_body"])
    body = message.get("body", message.get("content"))
    if isinstance(body, dict):
        if "base64_string" in body:
            return base64.b64decode(body["base64_string"])
        if "string" not in body and body:
            return _from_parsed(body)
        body = body.get("string")
    return _as_bytes(body)


def _as_bytes(body: object) -> bytes:
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    return str(body).encode("utf-8", "surrogatepass")


def _from_parsed(parsed: object) -> bytes:
    if isinstance(parsed, str | bytes):
        return _as_bytes(parsed)
    return json.dumps(parsed, ensure_ascii=False, default=str).encode("utf-8", "surrogatepass")


def decoded(body: bytes, encoding: str) -> bytes | None:
    """*body* without its content encoding, or None when it does not carry it or nothing here can read it."""
    encoding = encoding.strip().lower()
    try:
        if encoding in ("gzip", "x-gzip"):
            return gzip.decompress(body) if body.startswith(_GZIP_MAGIC) else None
        if encoding == "deflate":
            return _inflate(body)
        if encoding == "zstd":
            return _unzstd(body) if body.startswith(_ZSTD_MAGIC) else None
        if encoding == "br":
            return _unbrotli(body)
    except (OSError, EOFError, zlib.error):
        return None
    return None


def plain(body: bytes, encoding: str | None) -> bytes:
    """*body* without its content encoding; as it is where it has none, or one that nothing here can read."""
    found = decoded(body, encoding) if encoding else None
    return body if found is None else found


def carries(body: bytes, encoding: str) -> bool:
    """Whether *body* really has the content encoding that its headers claim; recordings often lost it."""
    encoding = encoding.strip().lower()
    if encoding in ("gzip", "x-gzip"):
        return body.startswith(_GZIP_MAGIC)
    if encoding == "zstd":
        return body.startswith(_ZSTD_MAGIC)
    if encoding == "deflate":
        return decoded(body, encoding) is not None
    return encoding == "br" and body.lstrip()[:1] not in (b"{", b"[", b"e", b"d", b"<", b"")


def _inflate(body: bytes) -> bytes:
    try:
        return zlib.decompress(body)
    except zlib.error:
        return zlib.decompress(body, -zlib.MAX_WBITS)


def _unzstd(body: bytes) -> bytes | None:
    try:
        import zstandard
    except ImportError:
        return None
    try:
        return bytes(zstandard.ZstdDecompressor().decompressobj().decompress(body))
    except zstandard.ZstdError:
        return None


def _unbrotli(body: bytes) -> bytes | None:
    try:
        import brotli
    except ImportError:
        return None
    try:
        return bytes(brotli.decompress(body))
    except brotli.error:
        return None
