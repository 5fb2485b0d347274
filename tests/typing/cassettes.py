"""Public calls of the recording side, checked by mypy and pyright, never run."""

from pathlib import Path

from llm_gateway.cassettes.cassette import Cassette, Settings
from llm_gateway.cassettes.modes import Mode
from llm_gateway.cassettes.session import use_cassette
from llm_gateway.types import TokenUsage


def replay(path: Path) -> list[TokenUsage | None]:
    with use_cassette(path, Mode.REPLAY, settings=Settings(allow_unused=True)) as cassette:
        opened: Cassette = cassette
        return [call.metering.usage for call in opened.calls]
