"""What a turn does, as plain data: something is printed, or the host is asked. See `llm_gateway.flow`."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from llm_gateway.types import JsonObject

__all__ = ["Ask", "Damage", "Flow", "Say", "Step"]


@dataclass(frozen=True, slots=True)
class Say:
    """Print *event*, *wait_s* seconds after the one before."""

    event: JsonObject
    wait_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """Send *request* to the host and wait for its response, which the step comes to."""

    request: JsonObject


@dataclass(frozen=True, slots=True)
class Damage:
    """What is printed from here on is ``malformed``, or ends after so many chunks."""

    how: Literal["malformed", "disconnect"]
    after_chunks: int = 0


Step = Say | Ask | Damage
Flow: TypeAlias = Generator[Step, Any, Any]
