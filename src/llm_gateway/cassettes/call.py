"""What the report and the budgets know of each call of a test: how it was served, and what it used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llm_gateway.cassettes.exchange import Metering

__all__ = ["Call", "Served"]

Served = Literal["replay", "record", "live", "miss", "refused"]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: *duration_s* is what the provider took, when that is known."""

    served: Served
    metering: Metering
    status: int | None
    duration_s: float | None
