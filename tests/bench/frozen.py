"""What a stopped clock adds to each test, with the official SDKs loaded, beside freezegun's own start and stop."""

from __future__ import annotations

import importlib
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import freezegun
from row import Row

from llm_gateway.pytest_plugin.clock_freeze import Freeze

__all__ = ["stopped_clock"]

SDKS = ("anthropic", "openai", "openai.resources.responses", "boto3", "google.genai", "cohere", "mistralai")
AT = datetime(2025, 11, 21, 12, tzinfo=UTC)
ROUNDS = 9


def stopped_clock() -> Iterator[Row]:
    """The first test that asks for it pays for the search of all modules; the others do not."""
    for name in SDKS:
        importlib.import_module(name)
    freeze, theirs = Freeze(), freezegun.freeze_time(AT, real_asyncio=True)

    def ours() -> None:
        freeze.start(lambda: AT, timedelta(hours=9))
        freeze.stop()

    def plain() -> None:
        theirs.start()
        theirs.stop()

    first, first_plain = _cpu_ms(ours), _cpu_ms(plain)
    each, each_plain = (statistics.median(_cpu_ms(work) for _ in range(ROUNDS)) for work in (ours, plain))
    where = f"{len(sys.modules):,} modules loaded"
    yield Row(f"time frozen: added per test ({where})", "at most 15 ms", f"{each:.1f} ms CPU", each <= 15)
    yield Row(
        f"beside freezegun alone (first {first_plain:.0f} ms, then {each_plain:.1f} ms; ours first {first:.0f} ms)",
        "at least 5x less",
        f"{each_plain / each:.0f}x less",
        each_plain / each >= 5,
    )


def _cpu_ms(work: Callable[[], None]) -> float:
    start = time.process_time()
    work()
    return (time.process_time() - start) * 1000
