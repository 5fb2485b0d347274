"""The clock of a test while it replays: real, or as it was when the test was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest

from llm_gateway.pytest_plugin.marker import TIMES, marked, nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from llm_gateway.interception.cassette import Cassette
    from llm_gateway.pytest_plugin.clock_freeze import Freeze

__all__ = ["Clock"]


class Clock:
    """
    What the tests of a run see of the time.

    Raises:
        pytest.UsageError: The ini file names a clock that is not known.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._default = _checked(config.getini("llm_time"))
        self._freeze: Freeze | None = None

    def start(self, item: pytest.Item, cassette: Cassette) -> None:
        """
        Stop the clock for *item* if it asks for that and replays.

        Raises:
            pytest.fail.Exception: Its marker asks for a time that no file says.
        """
        own = marked(item, "time")
        if (own or self._default) != "recorded" or cassette.mode.connects:
            return
        times = cassette.moments()
        if not times:
            if own or cassette.exists:
                _refuse(cassette, is_faked="fake_llm" in getattr(item, "fixturenames", ()))
            return
        offset = times[0].utcoffset()
        assert offset is not None
        self._made().start(_moving(cassette, times), offset)

    def _made(self) -> Freeze:
        if self._freeze is None:
            from llm_gateway.pytest_plugin.clock_freeze import Freeze

            self._freeze = Freeze()
        return self._freeze

    def stop(self) -> None:
        """Let it run again."""
        if self._freeze is not None:
            self._freeze.stop()


def _checked(name: str) -> str:
    if name not in TIMES:
        raise pytest.UsageError(
            f"llm_time = {name!r} is not known\n"
            f"  it takes {', '.join(TIMES)}\n"
            f"  set it in the pytest section of your ini file, for example: llm_time = {nearest(name, TIMES)}"
        )
    return name


def _moving(cassette: Cassette, times: list[datetime]) -> Callable[[], datetime]:
    """Before the n-th call the clock shows when the n-th was recorded; after the last, when that one was over."""
    calls = cassette.calls

    def read() -> datetime:
        used = sum(call.served == "replay" for call in calls)
        return times[min(used, len(times) - 1)]

    return read


def _refuse(cassette: Cassette, *, is_faked: bool) -> NoReturn:
    from llm_gateway.cassettes.document import shown
    from llm_gateway.exceptions import CassetteReadError

    path = shown(cassette.path)
    cause = f"no exchange in {path} says when it was made" if cassette.exists else f"there is no cassette {path} yet"
    to_record = "to record it"
    if is_faked and not cassette.exists:
        cause += ", and what fake_llm answers is written to none"
        to_record = "to record calls that fake_llm.only(...) leaves to it"
    error = CassetteReadError(
        "time='recorded' asks for the time of a recording, and it is not known",
        cause=cause,
        fix=f'{to_record}: {cassette.record_command()}\nto keep the real clock: @pytest.mark.llm(time="real")',
    )
    raise pytest.fail.Exception(error.report, pytrace=False)
