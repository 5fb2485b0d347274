"""A recorded conversation as a script that can be edited."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import overload

from llm_gateway.cassettes.document import shown
from llm_gateway.cassettes.playback import Playback
from llm_gateway.exceptions import CassetteReadError, FakeError, FakeScriptError
from llm_gateway.exchange import HttpExchange
from llm_gateway.fakes.asked import FakeCall, read
from llm_gateway.fakes.outcome import Outcome, Played, Scripted
from llm_gateway.fakes.script import Script

__all__ = ["Conversation", "Turn"]


class Turn(Script):
    """
    One recorded exchange. The first verb used on it takes the place of what was recorded, others come after.

    Attributes:
        asked: What was asked when it was recorded.

        recorded: What was answered; ``turn.error(429, then=turn.recorded)`` gives it after an error.
    """

    def __init__(self, exchange: HttpExchange, number: int, where: str) -> None:
        super().__init__()
        self.asked: FakeCall = read(number, exchange.request)
        self.recorded = Played(exchange, self.asked.api, self.asked.is_streaming)
        self._is_edited = False
        self.entries.append(Scripted(self.recorded, where))

    def _add(self, outcome: Outcome, times: int | None, then: object = None) -> Turn:
        if not self._is_edited:
            self._is_edited = True
            self.entries.clear()
        return super()._add(outcome, times, then)


class Conversation(Sequence[Turn]):
    """The exchanges of the cassette *path*, in their order."""

    def __init__(self, path: str | Path) -> None:
        path = Path(path)
        playback = Playback(path)
        if not playback.exists:
            raise CassetteReadError(
                f"there is no cassette {shown(path)}",
                cause="from_cassette takes the path from the folder in which pytest was started",
                fix="llm-gateway cassettes ls",
            )
        self._turns = [_turn(playback.exchange(at), at + 1, shown(path)) for at in range(len(playback.places))]
        if playback.processes or not self._turns:
            raise FakeScriptError(
                f"{shown(path)} is no conversation that could be played",
                cause="it holds runs of a command" if playback.processes else "it is empty",
                fix="replay it as it is: @pytest.mark.llm(cassette=...)",
            )

    @overload
    def __getitem__(self, index: int) -> Turn: ...
    @overload
    def __getitem__(self, index: slice) -> list[Turn]: ...
    def __getitem__(self, index: int | slice) -> Turn | list[Turn]:
        """One turn, or some of them."""
        return self._turns[index]

    def __len__(self) -> int:
        return len(self._turns)

    def __iter__(self) -> Iterator[Turn]:
        return iter(self._turns)


def _turn(exchange: HttpExchange, number: int, path: str) -> Turn:
    try:
        return Turn(exchange, number, f"{path}, exchange {number}")
    except FakeError as error:
        raise FakeScriptError(
            f"exchange {number} of {path} is no chat: {exchange.request.method} {exchange.request.url}",
            cause=error.cause,
            fix="take it out of a copy of the file, or replay it as it is: @pytest.mark.llm(cassette=...)",
        ) from None
