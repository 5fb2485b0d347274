"""CPU time that a frozen clock adds to a test, with the official SDKs loaded, compared with freezegun."""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import freezegun
from row import Row

from llm_gateway.pytest_plugin.clock import FrozenClock

__all__ = ["frozen_clock"]

SDKS = ("anthropic", "openai", "openai.resources.responses", "boto3", "google.genai", "cohere", "mistralai")
AT = datetime(2025, 11, 21, 12, tzinfo=timezone(timedelta(hours=9)))
ROUNDS = 9


def frozen_clock() -> Iterator[Row]:
    """Yield the CPU time for one test, and the ratio to freezegun's."""
    for name in SDKS:
        importlib.import_module(name)
    frozen, theirs = (
        FrozenClock(),
        freezegun.freeze_time(AT, real_asyncio=True, ignore=["cohere"]),
    )  # whose modules it breaks

    def ours() -> None:
        frozen.start(lambda: AT)
        frozen.stop()

    def plain() -> None:
        theirs.start()
        theirs.stop()

    first, first_plain = _cpu_ms(ours), _cpu_ms(plain)
    each, each_plain = (statistics.median(_cpu_ms(work) for _ in range(ROUNDS)) for work in (ours, plain))
    where = f"{len(sys.modules):,} modules loaded"
    yield Row(f"time frozen: added per test ({where})", "at most 1 ms", f"{each:.2f} ms CPU", each <= 1)
    yield Row(
        f"compared with freezegun alone (first {first_plain:.0f} ms, then {each_plain:.1f} ms; ours first {first:.0f} ms)",
        "at least 5x less",
        f"{each_plain / each:.0f}x less",
        each_plain / each >= 5,
    )


def _cpu_ms(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000
