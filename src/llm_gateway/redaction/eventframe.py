"""Secrets out of AWS event streams: frames whose payload changes are made anew, lengths and checksums included."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator

from llm_gateway.redaction.edit import Edit
from llm_gateway.wire.framing.eventstream import frames

__all__ = ["frame_edits"]

_INNER = re.compile(rb'(?<="bytes":")[A-Za-z0-9+/]+={0,2}(?=")')


def frame_edits(data: bytes, clean: Callable[[bytes], bytes]) -> Iterator[Edit]:
    """One edit for each frame whose payload *clean* changes; ends where *data* is no whole frame with its checksum."""
    for frame in frames(data):
        changed = _INNER.sub(lambda match: _inner(match[0], clean), clean(frame.payload))
        if changed != frame.payload:
            yield Edit(frame.start, frame.end, frame.with_payload(changed), "event")


def _inner(encoded: bytes, clean: Callable[[bytes], bytes]) -> bytes:
    """A model's own event inside Bedrock's."""
    try:
        plain = base64.b64decode(encoded, validate=True)
    except ValueError:
        return encoded
    changed = clean(plain)
    return encoded if changed == plain else base64.b64encode(changed)
