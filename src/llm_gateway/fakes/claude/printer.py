"""The output of a run in its format: text, one JSON object, an array, or JSON lines."""

from __future__ import annotations

import json

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.fakes.claude.options import Options
from llm_gateway.fakes.http_reply import make_malformed
from llm_gateway.interception.script import Output
from llm_gateway.types import JsonObject
from llm_gateway.wire.claude.events import line

__all__ = ["Printer"]


class Printer:
    """A writer of events to the output of one run, with scripted failures applied."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._outputs: list[Output] = []
        self._events: list[JsonObject] = []
        self._is_malformed = False
        self._limit: int | None = None
        self._written = 0

    def take_output(self) -> list[Output]:
        """Return the output written since the last call."""
        taken, self._outputs = self._outputs, []
        return taken

    def error(self, text: str) -> None:
        """Write *text* as a line to ``stderr``."""
        self._outputs.append(Output("stderr", f"{text}\n".encode()))

    def print(self, text: str) -> None:
        """Write *text*, which is no event, as a line to ``stdout``."""
        self._outputs.append(Output("stdout", f"{text}\n".encode()))

    def malform_next(self) -> None:
        """Let the next output be no JSON; raise FakeScriptError where the output is text."""
        if self._options.output == "text":
            raise FakeScriptError(
                "malformed() has no effect on a run of claude that prints text",
                cause="only JSON can be malformed",
                fix="run it with --output-format json, or script fake_llm.disconnect()",
            )
        self._is_malformed = True

    def stop_after(self, after_chunks: int) -> None:
        """Write only *after_chunks* more lines of ``stream-json``, or bytes of another format."""
        self._limit, self._written = after_chunks, 0

    def check_stopped(self) -> None:
        """
        Check at the end of an answer that the output was stopped before its end.

        Raises:
            FakeScriptError: The answer had fewer chunks.
        """
        if self._limit is not None and self._limit >= self._written:
            raise FakeScriptError(
                f"disconnect(after_chunks={self._limit}) comes after the end: the answer has {self._written} chunks",
                fix=f"disconnect(after_chunks={max(0, self._written - 1)}), or give a longer content=",
            )

    def event(self, event: JsonObject, wait_s: float = 0.0) -> None:
        """Write *event*, if the output format shows it, *wait_s* seconds after the previous output."""
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
        left = None if self._limit is None else self._limit - self._written
        self._written += lines or len(data)
        if left is not None:
            data = data[: max(0, left)] if lines is None else data * (left > 0)
        if data:
            self._outputs.append(Output("stdout", data, wait_s))


def _text(result: JsonObject) -> bytes:
    text = str(result.get("result", "; ".join(map(str, result.get("errors") or ()))))
    return (text if text.endswith("\n") else f"{text}\n").encode()
