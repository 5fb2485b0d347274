"""Events as the output format of a run has them: text, one object, an array, or lines."""

from __future__ import annotations

import json

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.claude.options import Options
from llm_gateway.fakes.http_reply import make_malformed
from llm_gateway.interception.script import Output
from llm_gateway.types import JsonObject
from llm_gateway.wire.claude_events import line

__all__ = ["Printer"]


class Printer:
    """What one run writes, and what a fault makes of it."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._said: list[Output] = []
        self._events: list[JsonObject] = []
        self._is_malformed = False
        self._most: int | None = None
        self._written = 0

    def take_output(self) -> list[Output]:
        """What was written since this was asked last."""
        taken, self._said = self._said, []
        return taken

    def error(self, text: str) -> None:
        """Write to the standard error."""
        self._said.append(Output("stderr", f"{text}\n".encode()))

    def print(self, text: str) -> None:
        """Write to the standard output what is no event."""
        self._said.append(Output("stdout", f"{text}\n".encode()))

    def malform_next(self) -> None:
        """Make the next thing that is written no JSON."""
        if self._options.output == "text":
            raise FakeScriptError(
                "malformed() means nothing to a run of claude that prints text",
                cause="any text is a good one; only JSON can be malformed",
                fix="run it with --output-format json, or script fake_llm.disconnect()",
            )
        self._is_malformed = True

    def stop_after(self, after_chunks: int) -> None:
        """Write no more than so many lines of a stream from here on, or bytes of other output."""
        self._most, self._written = after_chunks, 0

    def check_stopped(self) -> None:
        """
        The end of what was to be cut has come.

        Raises:
            FakeScriptError: There was less.
        """
        if self._most is not None and self._most >= self._written:
            raise FakeScriptError(
                f"disconnect(after_chunks={self._most}) comes after the end: the answer has {self._written} chunks",
                fix=f"disconnect(after_chunks={max(0, self._written - 1)}), or give a longer content=",
            )

    def event(self, event: JsonObject, wait_s: float = 0.0) -> None:
        """Write *event*, as far as the format shows it."""
        is_result = event["type"] == "result"
        match self._options.output:
            case "stream-json":
                self._write(line(event), 1, wait_s)
            case "json":
                self._events.append(event)
                if is_result:
                    shown = json.dumps(self._events if self._options.is_verbose else event, ensure_ascii=False)
                    self._write(f"{shown}\n".encode(), None, wait_s)
            case _ if is_result:
                self._write(_text(event), None, wait_s)

    def _write(self, data: bytes, lines: int | None, wait_s: float) -> None:
        data, self._is_malformed = (make_malformed(data) if self._is_malformed else data), False
        left = None if self._most is None else self._most - self._written
        self._written += lines or len(data)
        if left is not None:
            data = data[: max(0, left)] if lines is None else data * (left > 0)
        if data:
            self._said.append(Output("stdout", data, wait_s))


def _text(result: JsonObject) -> bytes:
    said = str(result.get("result", "; ".join(map(str, result.get("errors") or ()))))
    return (said if said.endswith("\n") else f"{said}\n").encode()
