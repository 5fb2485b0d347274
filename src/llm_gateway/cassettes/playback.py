"""A cassette file that was read: its exchanges, found by request, each given out once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_gateway.cassettes import document
from llm_gateway.cassettes.diagnosis import Recorded, left_unused, missed, no_recording, summary
from llm_gateway.cassettes.format import is_http, recorded_times, reply_from, request_from
from llm_gateway.cassettes.match import Index, Normalize, place
from llm_gateway.cassettes.process_format import process_from
from llm_gateway.exceptions import CassetteMissError, CassetteReadError, CassetteUnusedError
from llm_gateway.exchange import HttpExchange, ProcessExchange
from llm_gateway.types import WireRequest

__all__ = ["Playback"]


class Playback:
    """
    The recorded exchanges of one file, each given out once. Its methods may be called from any thread.

    Requests are read at once, each reply when its exchange is taken.

    Args:
        path: The file; it need not exist.

        normalize: Applied to requests before they are compared, live and recorded ones alike.

        read: Returns the file's bytes, or None where there is no such file; a file of another revision is not on disk.

    Attributes:
        exists: Whether there is a file at all.

        content: The file's mapping as it was read, for a mode that adds to it.

    Raises:
        CassetteReadError: The file exists and cannot be read.
    """

    def __init__(
        self,
        path: Path,
        normalize: Normalize | None = None,
        *,
        read: Callable[[Path], bytes | None] = document.read,
    ) -> None:
        self.path = path
        self._normalize = normalize
        self._read = read
        raw = read(path)
        self.exists = raw is not None
        self.content: dict[str, Any] = {"interactions": []} if raw is None else document.parse(raw, path)
        self._entries = list(filter(is_http, self.content.get("interactions") or []))
        self.processes = self._read_each("processes", self.content.get("processes") or [], process_from)
        self._requests = self._read_each("interactions", self._entries, request_from)
        self._index = Index(self._requests, normalize)
        self._used = [False] * len(self._entries)
        self._processes_used = [False] * len(self.processes)
        self._places: set[tuple[str, str]] | None = None
        self._lock = threading.RLock()

    def _read_each(self, section: str, entries: Any, read: Any) -> list[Any]:
        done: list[Any] = []
        if not isinstance(entries, list):
            raise CassetteReadError(
                f"cannot read cassette {document.shown(self.path)}",
                cause=f"`{section}` is no list",
                fix="restore it from version control, or delete it and record again: pytest --llm-record",
            )
        for index, entry in enumerate(entries):
            try:
                done.append(read(entry))
            except (LookupError, TypeError, ValueError, StopIteration, AttributeError, ArithmeticError) as error:
                raise self._malformed_entry_error(section, index, error) from error
        return done

    def _malformed_entry_error(self, section: str, index: int, error: Exception) -> CassetteReadError:
        where = self.content.get(section) or []
        entries = [i for i, entry in enumerate(where) if section != "interactions" or is_http(entry)]
        line = document.line_of(self._read(self.path) or b"", section, entries[index])
        what = f"missing {error}" if isinstance(error, KeyError) else str(error)
        return CassetteReadError(
            f"cannot read cassette {document.shown(self.path)}, line {line}",
            cause=f"{section}[{entries[index]}] is not an exchange: {what}",
            fix="restore it from version control, or delete it and record again: pytest --llm-record",
        )

    def take(self, request: WireRequest) -> HttpExchange | None:
        """
        Return the next unused exchange for *request*, which is then used; None when there is none.

        Raises:
            CassetteReadError: The entry's reply is malformed.
        """
        with self._lock:
            position = self._index.take(request)
            if position is None:
                return None
            self._used[position] = True
        return self.exchange(position)

    def put_back(self, request: WireRequest) -> None:
        """Let the exchange of a recorded *request* be taken once more; it stays used."""
        position = next(at for at, one in enumerate(self._requests) if one is request)
        with self._lock:
            self._index.put_back(position, request)

    def exchange(self, position: int) -> HttpExchange:
        """
        Return the exchange at *position*, read whole.

        Raises:
            CassetteReadError: The entry's reply is malformed.
        """
        try:
            return reply_from(self._entries[position], self._requests[position])
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise self._malformed_entry_error("interactions", position, error) from error

    def knows(self, url: str) -> bool:
        """Return whether anything was recorded at the address of *url*."""
        if self._places is None:
            self._places = {place(request.url)[:2] for request in self._requests}
        return place(url)[:2] in self._places

    @property
    def places(self) -> list[int]:
        """The index of each exchange in the file's list, where other tools keep entries of other kinds as well."""
        return [index for index, entry in enumerate(self.content.get("interactions") or []) if is_http(entry)]

    def recorded(self) -> list[Recorded]:
        """Return every recorded request, for a diagnosis."""
        pairs = zip(self._requests, self._used, strict=True)
        return [Recorded(number, request, used) for number, (request, used) in enumerate(pairs, 1)]

    def missed(self, request: WireRequest, command: str) -> CassetteMissError:
        """Return the error for a *request* that is not recorded, with the nearest one; *command* would record it."""
        if not self.exists:
            return no_recording(request, f"there is no cassette {document.shown(self.path)} yet", command)
        return no_recording(request, missed(request, self.recorded(), self.path, self._normalize), command)

    def unused(self, command: str) -> CassetteUnusedError | None:
        """Return the error for exchanges that were not taken; None when all were. *command* would record again."""
        if all(self._used) and all(self._processes_used):
            return None
        left = [f"#{one.number} {summary(one.request)}" for one in self.recorded() if not one.is_used]
        left += [f"command {' '.join(run.argv)[:60]!r}" for run in self.processes_left()]
        return left_unused(self.path, left, len(self), command)

    def processes_left(self) -> list[ProcessExchange]:
        """Return the recorded runs of commands that were not used yet, in order."""
        return [run for run, used in zip(self.processes, self._processes_used, strict=True) if not used]

    def take_process(self, exchange: ProcessExchange) -> None:
        """Mark a recorded run of a command as used."""
        position = next(i for i, run in enumerate(self.processes) if run is exchange)
        self._processes_used[position] = True

    def recorded_times(self) -> list[datetime]:
        """Return when the exchanges were recorded; see `llm_gateway.cassettes.format.recorded_times`."""
        return recorded_times([*self._entries, *(self.content.get("processes") or [])])

    def __len__(self) -> int:
        return len(self._entries) + len(self.processes)
