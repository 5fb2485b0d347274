"""How many tokens a text is, estimated from the sorts of characters in it."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["SORTS", "sizes"]

_RUN = re.compile(r"[A-Za-z0-9+/=]{12,}")
_DIGIT = re.compile(r"[0-9]")
_SHORT = 5
_ASCII = (
    ("words", re.compile(r"[A-Z]?[a-z]+")),
    ("capitals", re.compile(r"[A-Z]{2,}")),
    ("digits", re.compile(r"[0-9]{1,3}")),
    ("marks", re.compile(r"[!-/:-@\[-`{-~]")),
    ("rare", re.compile(r"[jkqwxzJKQWXZ]")),
    ("lines", re.compile(r"[\r\n]+[ \t]*|\t+| {2,}")),
)
_BLOCKS = (
    ("latin", "\u0080-\u024f\u1e00-\u1eff"),
    ("cyrillic", "\u0370-\u052f"),
    ("semitic", "\u0530-\u08ff"),
    ("indic", "\u0900-\u0e7f"),
    ("scarce", "\u0e80-\u109f\u1200-\u1dff"),
    ("georgian", "\u10a0-\u11ff"),
    ("signs", "\u2000-\u2bff"),
    ("kana", "\u2c00-\u30ff"),
    ("han", "\u3100-\uabff\uf900-\ufaff"),
    ("hangul", "\uac00-\ud7ff"),
)
_OTHER = tuple((name, re.compile(f"[{block}]")) for name, block in _BLOCKS)
SORTS = (
    *(name for name, _ in _ASCII),
    *("coded", "long", "shouted", "accented"),
    *(name for name, _ in _OTHER),
    "rest",
)
"""The names of what `sizes` counts, in its order."""


def sizes(text: str) -> Sequence[int]:
    """
    Count what makes tokens in *text*, one number for each of `SORTS`.

    *coded* is characters of base64, hex and identifiers of machines, *rare* letters that English seldom has, *long*
    letters of words beyond the fifth, *shouted* letters of capitals beyond the second, *accented* words of letters
    that English has not.
    """
    coded = [run for run in _RUN.findall(text) if _is_coded(run)]
    plain = _RUN.sub(lambda run: " " if _is_coded(run[0]) else run[0], text) if coded else text
    found = {name: pattern.findall(plain) for name, pattern in _ASCII}
    counts = [len(found[name]) for name, _ in _ASCII]
    counts += [sum(map(len, coded)), sum(max(0, len(word) - _SHORT) for word in found["words"])]
    counts += [sum(len(word) - 2 for word in found["capitals"])]
    return [*counts, *([0] * (len(_OTHER) + 2) if plain.isascii() else _foreign(plain))]


def _is_coded(run: str) -> bool:
    return run.isupper() or (_DIGIT.search(run) is not None and not run.isdigit())


def _foreign(text: str) -> list[int]:
    letters = [len(pattern.findall(text)) for _, pattern in _OTHER]
    above = sum(1 for character in text if character > "\x7f")
    return [len(_WORD.findall(text)), *letters, above - sum(letters)]


_WORD = re.compile(r"[^\W\d_a-zA-Z]+")
