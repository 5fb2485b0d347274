"""Validation of keys and URLs, before a library fails on them with a worse message."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from llm_gateway.exceptions import ConfigError

__all__ = ["validate_key", "validate_url"]

_ODD = re.compile(r"[^!-~]")  # anything but printable ASCII without spaces, which keys consist of
_NAMES = {"\n": "a line break", "\r": "a carriage return", " ": "a blank", "\t": "a tab"}


def validate_key(provider: str, key: str, origin: str) -> str:
    """
    Return *key*, which was set in *origin*.

    Raises:
        ConfigError: It contains a character that is invalid in a header. The message never shows the key.
    """
    odd = _ODD.search(key)
    if odd is None:
        return key
    what = _NAMES.get(odd[0], "not printable" if odd[0].isascii() else "no ASCII")
    raise ConfigError(
        f"the API key for {provider!r} cannot be sent",
        cause=f"character {odd.start() + 1} of {len(key)} in {origin} is {what}",
        fix=f"copy the key again, and set {origin} to nothing else",
    )


def validate_url(provider: str, address: str, origin: str) -> str:
    """
    Return *address*, which was set in *origin*, without a trailing slash.

    Raises:
        ConfigError: It is not a base URL. The message shows neither password nor query.
    """
    problem = _problem(address)
    if problem is None:
        return address.rstrip("/")
    shown = re.sub(r"\?.*", "?...", re.sub(r"//.*@", "//...@", address))
    right = "https://..." if "://" in address or " " in address else f"https://{shown}"
    raise ConfigError(
        f"{shown!r} is no address for {provider!r}",
        cause=problem,
        fix=f"set {origin} to {right}" if "." in origin else f"export {origin}={right}",
    )


def _problem(address: str) -> str | None:
    if not address.lower().startswith(("http://", "https://")):
        return f"its scheme is {address.partition('://')[0]!r}" if "://" in address else "it has no scheme"
    if odd := _ODD.search(address):
        return f"character {odd.start() + 1} is {_NAMES.get(odd[0], 'none that an address may have')}"
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if not host:
        return "it names no host"
    return "it ends with a query, and paths are added to it" if "?" in address or "#" in address else None
