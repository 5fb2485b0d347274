"""Content encodings of HTTP bodies: gzip, deflate, zstd, brotli. Pure."""

from __future__ import annotations

import gzip
import zlib

__all__ = ["carries", "decoded", "plain"]

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


def decoded(body: bytes, encoding: str) -> bytes | None:
    """Return *body* without its content encoding; None when it does not have it or no library can decode it."""
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
    """Return *body* without its content encoding; unchanged without one, or when no library can decode it."""
    found = decoded(body, encoding) if encoding else None
    return body if found is None else found


def carries(body: bytes, encoding: str) -> bool:
    """Return True when *body* has the content encoding of its headers; recordings are often decoded already."""
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
