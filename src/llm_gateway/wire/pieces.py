"""How providers cut what they stream: the arguments of a call come in several pieces, none of which is JSON."""

from __future__ import annotations

__all__ = ["cut"]

_MOST = 4


def cut(text: str) -> list[str]:
    """*text* in up to four pieces of a like length; nothing is one empty piece."""
    size = -(-len(text) // _MOST)
    return [text[at : at + size] for at in range(0, len(text), size)] if text else [""]
