"""Whether the parts of a message are what they have to be."""

from __future__ import annotations

from typing import Any, NoReturn, get_args

from llm_gateway.exceptions import ConfigError
from llm_gateway.types import ImagePart, LLMMessage, Part, TextPart

__all__ = ["checked"]

_PARTS = get_args(Part)


def checked(message: LLMMessage, place: str) -> LLMMessage:
    """
    *message* as it is.

    Raises:
        ConfigError: Something in it is no part, or none that can be sent; names *place*.
    """
    parts: Any = message.parts
    if isinstance(parts, str) or not isinstance(parts, tuple | list):
        _refuse(f"{place} has the parts {parts!r}", "parts are a tuple", f"LLMMessage.{message.role}({parts!r})")
    if not parts and message.role != "assistant":  # an answer may be empty, and stands in the conversation then
        _refuse(f"{place} is empty", f"a message of {message.role!r} says something", 'LLMMessage.user("Hello")')
    for index, part in enumerate(parts):
        _check(part, f"{place}.parts[{index}]")
    return message


def _check(part: object, place: str) -> None:
    if not isinstance(part, _PARTS):
        known = ", ".join(one.__name__ for one in _PARTS)
        _refuse(f"{place} is {part!r}", f"a part is one of {known}", 'for example: TextPart("Hello")')
    if isinstance(part, TextPart) and not _is(part.text, str):
        _refuse(f"{place} is {part!r}", "its text is no str", f"TextPart({str(part.text)!r})")
    if isinstance(part, ImagePart):
        _check_image(part, place)


def _check_image(image: ImagePart, place: str) -> None:
    data = image.data
    if data is None and not image.url:
        _refuse(f"{place} is an image without content", "it has neither data nor url", 'ImagePart(url="https://...")')
    if data is not None and not _is(data, bytes):
        what = f"{place} is an image whose data is a {type(data).__name__}"
        _refuse(what, "data are the bytes of the file", 'ImagePart(path.read_bytes(), "image/png")')
    if data is not None and not (image.media_type or "").startswith("image/"):
        what = f"{place} is an image of the media type {image.media_type!r}"
        _refuse(what, "providers have to be told which image it is", 'ImagePart(data, "image/png")')


def _is(value: object, kind: type) -> bool:
    """Whether a caller gave what the types ask for."""
    return isinstance(value, kind)


def _refuse(what: str, why: str, fix: str) -> NoReturn:
    raise ConfigError(what, cause=why, fix=fix)
