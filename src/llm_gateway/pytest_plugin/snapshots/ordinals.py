"""Ids become ordinals: each run makes new ones, and what counts is which of them are the same."""

from __future__ import annotations

import re
from typing import Any

from llm_gateway.pytest_plugin.snapshots.mark import Mark

__all__ = ["Ordinals", "is_id_name", "looks_like_id"]

_MADE = re.compile(
    r"(?:msg|toolu|srvtoolu|call|chatcmpl|cmpl|resp|req|fc|ctc|rs|ws|run|step|asst|thread|gen|batch|msgbatch)"
    r"[_-](?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{6,}"
)
_NAME = re.compile(r"id|.*_id|.*[a-z]Id")


def looks_like_id(value: Any) -> bool:
    """Whether *value* is an id as providers make them: a known prefix and something random with a digit in it."""
    return isinstance(value, str) and _MADE.fullmatch(value) is not None


def is_id_name(name: Any) -> bool:
    """Whether a member of this name of a provider's object holds an id."""
    return isinstance(name, str) and _NAME.fullmatch(name) is not None


class Ordinals:
    """The ids of one snapshot, numbered from 1 in the order in which they stand in it."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def mark(self, value: str) -> Mark:
        """``<id N>``; the same id has the same N."""
        return Mark(f"<id {self._numbers.setdefault(value, len(self._numbers) + 1)}>")
