"""Whether a key and an address can be what they are set to be: told here, before a library stumbles over them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from llm_gateway.exceptions import ConfigError

__all__ = ["sound_address", "sound_key"]

_ODD = re.compile(r"[^!-~]")  # what is printed and no blank: all that a key is made of
_NAMES = {"\n": "a line break", "\r": "a carriage return", " ": "a blank", "\t": "a tab"}


def sound_key(provider: str, key: str, origin: str) -> str:
    """
    *key*, which *origin* holds.

    Raises:
        ConfigError: It holds what no header may hold. The text never shows it.
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


def sound_address(provider: str, address: str, origin: str) -> str:
    """
    *address*, which *origin* holds, without a trailing slash.

    Raises:
        ConfigError: It is none, or holds more than one. The text shows neither password nor query.
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
