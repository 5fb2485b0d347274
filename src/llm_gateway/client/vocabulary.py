"""
Vocabularies of OpenAI's models, where tiktoken and their files are on this machine.

tiktoken ships without them, and downloads one when it first encodes a text. It is called here only if the right file is
in its cache: otherwise it would download it.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["sizer_of"]

_URL = "https://openaipublic.blob.core.windows.net/encodings/{}.tiktoken"
"""The address whose hash names a file in the cache."""
_SHA256 = {
    "cl100k_base": "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    "o200k_base": "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
}


@functools.cache
def sizer_of(model: str, folder: Path | None) -> Callable[[str], int] | None:
    """
    Return the function that counts a text in tokens of *model*; None where that needs the network.

    Args:
        model: As OpenAI names it.

        folder: Where tiktoken itself will look (see `llm_gateway.config.folder.vocabulary_folder`); None is nowhere.
    """
    if folder is None or importlib.util.find_spec("tiktoken") is None:
        return None
    tiktoken: Any = importlib.import_module("tiktoken")
    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return None
    if not _is_here(name, folder):
        return None
    encode = tiktoken.get_encoding(name).encode_ordinary
    return lambda text: len(encode(text))


def _is_here(name: str, folder: Path) -> bool:
    path = folder / hashlib.sha1(_URL.format(name).encode(), usedforsecurity=False).hexdigest()
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == _SHA256.get(name)
    except OSError:
        return False
