"""
The ``claude`` command line as a wire format, both directions: arguments and JSON lines in, JSON lines out.

Source: runs of version 2.1.329. A request goes in as one line of ``stream-json`` marked ``client_composed``: text on
the command line is limited to 128 KiB and may be taken for an option, and in any other text ``@path`` reads a file and
a leading ``/`` is a command.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, get_args

from llm_gateway.exceptions import ErrorKind, ProviderError
from llm_gateway.types import (
    ChatReply,
    ChatRequest,
    JsonObject,
    LLMMessage,
    Part,
    ProcessReply,
    ReasoningEffort,
    StopReason,
    StreamDelta,
    TextPart,
    ThinkingPart,
    TokenUsage,
)
from llm_gateway.wire.anthropic import decode_content, encode_content
from llm_gateway.wire.base import ErrorFacts
from llm_gateway.wire.claude.arguments import flag, is_set, prompt
from llm_gateway.wire.claude.errors import TIMED_OUT, api_error_result
from llm_gateway.wire.claude.events import Events, blocks, line
from llm_gateway.wire.claude.result import NOTHING, Spent
from llm_gateway.wire.framing.json_stream import LineParser
from llm_gateway.wire.parts.errors import kind_of
from llm_gateway.wire.parts.request_body import json_mode_as_message
from llm_gateway.wire.usage import anthropic_usage, dollars, number

__all__ = ["DIALECT", "last_result", "stated_cost", "stated_usage"]

_BARE = (
    "--tools",
    "",
    "--setting-sources",
    "",
    "--strict-mcp-config",
    "--disable-slash-commands",
    "--no-session-persistence",
)
"""Without these the run sends some 12,000 tokens of its own tools and reads the settings of the current folder."""
_LINES = ("--input-format", "stream-json", "--output-format", "stream-json", "--verbose")
_DEFAULT_SYSTEM = "You are a helpful assistant."
_STOPS: dict[str, StopReason] = {
    "end_turn": "end_turn",
    "stop_sequence": "stop_sequence",
    "tool_use": "end_turn",  # the tool is the command line's own, for structured output
    "refusal": "refusal",
    "max_tokens": "max_tokens",
}
_EFFORTS: dict[str | None, ReasoningEffort] = {level: level for level in get_args(ReasoningEffort)}
_ANSWERED_ANYWAY: dict[str, StopReason] = {"refusal": "refusal", "max_output_tokens": "max_tokens"}


class ClaudeCli:
    """Dialect of the command line; see `llm_gateway.wire.base.ProcessDialect`."""

    name = "claude_cli"

    def encode_request(self, request: ChatRequest) -> tuple[tuple[str, ...], bytes, dict[str, str]]:
        """
        Write arguments, input and added environment.

        The command line takes one turn: earlier ones go in front of the last as a transcript.

        Raises:
            ProviderError: (``unsupported_param``) The request holds a setting that the command line has no option for.
        """
        _reject_unsupported(request)
        request = json_mode_as_message(request)
        system = "\n".join(message.text for message in request.messages if message.role == "system")
        argv = ["claude", "-p", *_LINES, "--model", request.model, "--system-prompt", system or _DEFAULT_SYSTEM, *_BARE]
        if request.response_schema is not None:
            argv += ["--json-schema", json.dumps(request.response_schema, separators=(",", ":"))]
        if request.reasoning_effort not in (None, "none"):
            argv += ["--effort", "low" if request.reasoning_effort == "minimal" else request.reasoning_effort]
        if request.stream:
            argv += ["--include-partial-messages"]
        content = encode_content(_one_turn([one for one in request.messages if one.role != "system"]))
        line = {
            "type": "user",
            "message": {"role": "user", "content": content},
            "parent_tool_use_id": None,
            "session_id": "",
            "client_composed": True,
        }
        limit = {} if request.max_tokens is None else {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(request.max_tokens)}
        quick = {"CLAUDE_CODE_DISABLE_THINKING": "1"} if request.reasoning_effort == "none" else {}
        return tuple(argv), json.dumps(line, ensure_ascii=False).encode() + b"\n", limit | quick

    def decode_request(self, argv: tuple[str, ...], stdin: bytes) -> ChatRequest:
        """Read the request of any caller: from its arguments, from text, or from JSON lines."""
        system, schema = flag(argv, "--system-prompt"), flag(argv, "--json-schema")
        prompts = _prompts(argv, stdin)
        return ChatRequest(
            model=flag(argv, "--model") or "",
            messages=(*((LLMMessage("system", (TextPart(system),)),) if system else ()), *prompts),
            reasoning_effort=_EFFORTS.get(flag(argv, "--effort")),
            response_schema=json.loads(schema) if schema else None,
            stream=is_set(argv, "--include-partial-messages"),
        )

    def encode_reply(self, reply: ChatReply) -> bytes:
        """Write the output of the command line for *reply*, as JSON lines."""
        return b"".join([*_assistant(reply), _result_of(reply)])

    def decode_reply(self, stdout: bytes) -> ChatReply:
        """Read the whole output of a run: one JSON object, an array of events, or JSON lines."""
        stream = ClaudeStream()
        stream.feed(stdout + b"\n")
        return stream.reply()

    def encode_stream(self, reply: ChatReply, *, chunks: Iterable[str] | None = None) -> Iterator[bytes]:
        """Yield the events of the streamed reply; *chunks* is its text, one item for each event."""
        for chunk in chunks or [reply.text]:
            delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": chunk}}
            yield line({"type": "stream_event", "event": delta})
        yield from _assistant(reply)
        yield _result_of(reply)

    def stream_decoder(self) -> ClaudeStream:
        """Start reading one run."""
        return ClaudeStream()

    def decode_error(self, exit_code: int, stdout: bytes, stderr: bytes) -> ErrorFacts | None:
        """Return the error of a finished run; None when it answered."""
        result = last_result(stdout)
        if result is None:
            output = (stderr or stdout).decode("utf-8", "replace").strip()
            return ErrorFacts("process", output[:500] or f"it ended with exit code {exit_code} and printed nothing")
        facts = _facts(result)
        if facts is None and exit_code != 0 and _stop_anyway(result) is None:
            facts = ErrorFacts("process", f"it ended with exit code {exit_code} after it had answered")
        return facts

    def encode_error(self, argv: tuple[str, ...], status: int | None, facts: ErrorFacts) -> ProcessReply:
        """Write the output of a run whose request failed; *status* is None where there was no reply."""
        text = f"API Error: {facts.message}"
        if flag(argv, "--output-format") not in ("json", "stream-json"):
            return ProcessReply(1, f"{text}\n".encode())
        why = {"api_error_type": facts.type} if status else {"api_error": "connection_failed"}
        events = Events("injected", itertools.repeat(""), "")
        return ProcessReply(1, line(events.result(api_error_result(text, status, **why), Spent(NOTHING))))


DIALECT = ClaudeCli()


def _reject_unsupported(request: ChatRequest) -> None:
    given = {
        "tools": request.tools,
        "tool_choice": request.tool_choice,
        "temperature": request.temperature is not None,
        "top_p": request.top_p is not None,
        "seed": request.seed is not None,
        "stop": request.stop,
        **dict.fromkeys(request.extra, True),
    }
    named = [name for name, value in given.items() if value]
    if named:
        raise ProviderError(
            f"the claude command line takes no {', '.join(named)}",
            kind="unsupported_param",
            provider="local_claude",
            cause="it has no option for that",
            fix="leave it out, or use the provider 'anthropic'",
        )


def _one_turn(messages: list[LLMMessage]) -> tuple[Part, ...]:
    *earlier, last = messages or [LLMMessage("user", (TextPart(""),))]
    if not earlier:
        return last.parts
    if any(not isinstance(part, TextPart | ThinkingPart) for message in earlier for part in message.parts):
        raise ProviderError(
            "the claude command line takes no images or tool results in earlier turns",
            kind="unsupported_param",
            provider="local_claude",
            cause="earlier turns go to it as a transcript, which is text",
            fix="put them into the last message, or use the provider 'anthropic'",
        )
    transcript = "\n\n".join(f"{message.role}: {message.text}" for message in earlier)
    return (TextPart(f"<conversation>\n{transcript}\n</conversation>\n\n"), *last.parts)


def _prompts(argv: tuple[str, ...], stdin: bytes) -> Iterator[LLMMessage]:
    if flag(argv, "--input-format") == "stream-json":
        for event in _events(stdin):
            if event.get("type") == "user":
                yield LLMMessage("user", decode_content((event.get("message") or {}).get("content")))
        return
    words = [prompt(argv), stdin.decode("utf-8", "replace")]
    yield LLMMessage("user", (TextPart("\n".join(word for word in words if word)),))


def _events(output: bytes) -> Iterator[JsonObject]:
    for one in output.splitlines():
        if one.lstrip().startswith((b"{", b"[")):
            yield from _decode_events(one)


def _decode_events(line: bytes) -> Iterator[JsonObject]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return
    yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


def last_result(stdout: bytes) -> JsonObject | None:
    """Return the last result that a run printed: alone, in an array of events, or as a line of a stream."""
    results = [event for event in _events(stdout) if event.get("type") == "result"]
    return results[-1] if results else None


def stated_usage(result: JsonObject) -> TokenUsage | None:
    """Return the sum of ``modelUsage``, else ``usage``, which counts retries twice and is zero after a budget stop."""
    models = result.get("modelUsage")
    if not isinstance(models, dict) or not models:
        return anthropic_usage(result.get("usage"))
    total: TokenUsage | None = None
    for row in models.values():
        read, written = number(row, "cacheReadInputTokens"), number(row, "cacheCreationInputTokens")
        fresh = number(row, "inputTokens")
        one = TokenUsage(
            input_tokens=None if fresh is None else fresh + (read or 0) + (written or 0),
            output_tokens=number(row, "outputTokens"),
            cache_read_tokens=read,
            cache_write_tokens=written,
            cache_write_1h_tokens=number(row, "cacheCreationEphemeral1hInputTokens"),
            reasoning_tokens=number(row, "thinkingTokens"),
        )
        total = one if total is None else total + one
    return total


def stated_cost(result: JsonObject) -> Decimal | None:
    """Return the cost in US dollars in a result; None without one."""
    return dollars(result.get("total_cost_usd"))


def _facts(result: JsonObject) -> ErrorFacts | None:
    if _stop_anyway(result) is not None:
        return None
    if not result.get("is_error"):
        return None if result.get("num_turns", 1) else ErrorFacts("process", "it answered without calling the model")
    message = str(result.get("result") or "; ".join(map(str, result.get("errors") or ())) or result.get("subtype"))
    return ErrorFacts(_kind(result, message), message, result.get("api_error_type") or result.get("subtype"))


def _kind(result: JsonObject, message: str) -> ErrorKind:
    status = result.get("api_error_status")
    if result.get("terminal_reason") == "prompt_too_long":
        return "context_window"
    if "/login" in message:
        return "auth"
    if isinstance(status, int):
        return kind_of(status, result.get("api_error_type"), message=message)
    if result.get("api_error") == "connection_failed":
        return "connection"
    if message.startswith(TIMED_OUT):
        return "timeout"
    return "process"


def _stop_anyway(result: JsonObject) -> StopReason | None:
    """Return the stop reason of a refusal or of truncated output: errors to the command line, answers elsewhere."""
    return _ANSWERED_ANYWAY.get(str(result.get("stop_reason"))) or _ANSWERED_ANYWAY.get(str(result.get("api_error")))


def _assistant(reply: ChatReply) -> Iterator[bytes]:
    shown = [part for part in reply.parts if isinstance(part, TextPart | ThinkingPart)]
    yield from (line(_events_of(reply).assistant(reply, block, None)) for block in blocks(shown))


def _result_of(reply: ChatReply) -> bytes:
    cost_usd = None if reply.cost_usd is None else float(reply.cost_usd)
    spent = Spent(reply.usage, {str(reply.model): reply.usage} if reply.usage else {}, cost_usd)
    structured = {} if reply.structured is None else {"structured_output": reply.structured}
    is_error = reply.stop_reason == "refusal"
    fields = {"is_error": is_error, "result": reply.text, "stop_reason": reply.stop_reason, **structured}
    return line(_events_of(reply).result(fields, spent))


def _events_of(reply: ChatReply) -> Events:
    """Return a writer of events without times and ids, which a reply alone does not have."""
    return Events(reply.id, itertools.repeat(""), "")


class ClaudeStream:
    """Decoder of the output of one run; see `llm_gateway.wire.base.StreamDecoder`."""

    def __init__(self) -> None:
        self.is_finished = False
        self.error: ErrorFacts | None = None
        self._lines = LineParser()
        self._parts: list[Part] = []
        self._partial: list[str] = []
        self._message: JsonObject = {}
        self._result: JsonObject = {}

    def feed(self, data: bytes) -> list[StreamDelta]:
        """Take the next bytes and return what they complete."""
        events = [event for line in self._lines.feed(data) for event in _events(line)]
        return [delta for event in events if (delta := self._take(event)) is not None]

    def _take(self, event: JsonObject) -> StreamDelta | None:
        if event.get("parent_tool_use_id"):
            return None
        match event.get("type"):
            case "stream_event":
                return self._delta((event.get("event") or {}).get("delta") or {})
            case "assistant":
                self._message = event.get("message") or {}
                self._parts += [
                    part
                    for part in decode_content(self._message.get("content"))
                    if isinstance(part, TextPart | ThinkingPart)
                ]
                self._partial.clear()
            case "result":
                self._result, self.is_finished, self.error = event, True, _facts(event)
        return None

    def _delta(self, delta: JsonObject) -> StreamDelta | None:
        if delta.get("type") == "text_delta":
            self._partial.append(delta["text"])
            return StreamDelta(text=delta["text"])
        return StreamDelta(thinking=delta["thinking"]) if delta.get("type") == "thinking_delta" else None

    def reply(self) -> ChatReply:
        """Return everything received so far as one reply."""
        models: Any = self._result.get("modelUsage")
        served = list(models) if isinstance(models, dict) else []
        stop = _stop_anyway(self._result) or _STOPS.get(str(self._result.get("stop_reason")))
        return ChatReply(
            parts=self._all_parts(),
            model=served[0] if len(served) == 1 else self._message.get("model"),
            id=self._message.get("id") or self._result.get("session_id"),
            stop_reason=stop,
            usage=stated_usage(self._result) if self._result else None,
            cost_usd=stated_cost(self._result),
            structured=self._result.get("structured_output"),
        )

    def _all_parts(self) -> tuple[Part, ...]:
        if self._parts or self._partial:
            rest = "".join(self._partial)
            return (*self._parts, *((TextPart(rest),) if rest else ()))
        text = self._result.get("result")  # the plain JSON output has no events, only its last text
        return (TextPart(text),) if isinstance(text, str) and text else ()
