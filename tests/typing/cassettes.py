"""Public calls of the recording side, checked by mypy and pyright, never run."""

from pathlib import Path

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import FaultError
from llm_gateway.interception.cassette import Cassette
from llm_gateway.interception.settings import Settings
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import TokenUsage


def replay(path: Path) -> list[TokenUsage | None]:
    with use_cassette(path, Mode.REPLAY, settings=Settings(allow_unused=True)) as cassette:
        opened: Cassette = cassette
        return [call.usage for call in opened.calls]


def fail(cassette: Cassette) -> FaultError | None:
    cassette.fault(429, at=2, retry_after=1.5, message="slow down", kind="quota_exhausted")
    cassette.fault(status=529, at=range(1, 4))
    cassette.disconnect()
    cassette.timeout(at=[1, 2])
    cassette.cut(after_chunks=7, at=3)
    cassette.delay(0.5)
    cassette.speed(1.0)
    return cassette.unreached()
