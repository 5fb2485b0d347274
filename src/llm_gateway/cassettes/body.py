"""Bodies as files hold them: ours, vcrpy's and pytest-recording's."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

__all__ = ["Form", "pretty", "read_body", "readable", "rebuild"]

Form = str
"""How a JSON body was spaced before it was written readably: ``compact``, ``compact-ascii``, ``spaced`` ..."""

_FORMS: dict[Form, dict[str, Any]] = {
    "compact": {"separators": (",", ":"), "ensure_ascii": False},
    "compact-ascii": {"separators": (",", ":")},
    "spaced": {"ensure_ascii": False},
    "spaced-ascii": {},
}
_LONE = re.compile("[\ud800-\udfff]")


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
