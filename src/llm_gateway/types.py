"""What every layer speaks of: messages, tool calls, usage, replies and raw exchanges. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, Literal, TypeVar

from llm_gateway.record import CallRecord, RecordHolder
from llm_gateway.usage import TokenUsage

__all__ = [
    "Attempt",
    "CallRecord",
    "ChatReply",
    "ChatRequest",
    "ImagePart",
    "JsonObject",
    "LLMMessage",
    "LLMResponse",
    "Part",
    "ProcessReply",
    "ProcessRequest",
    "ReasoningEffort",
    "Role",
    "StopReason",
    "StreamDelta",
    "TextPart",
    "ThinkingPart",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "ToolResult",
    "WireReply",
    "WireRequest",
]

JsonObject = dict[str, Any]
Role = Literal["system", "user", "assistant", "tool"]
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How hard a model is to think before it answers; each API and model knows some of these."""
StopReason = Literal[
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "refusal",
    "content_filter",
    "pause_turn",
    "context_window",
    "error",
]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TextPart:
    """Plain text inside a message."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingPart:
    """A model's reasoning as the provider shows it; *signature* must go back unchanged with the next turn."""

    text: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image, either as bytes with its *media_type* (``image/png``) or as a *url* the provider fetches."""

    data: bytes | None = None
    media_type: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool by the model. *arguments* is the decoded JSON object."""

    id: str
    name: str
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool returned for the call *tool_call_id*."""

    tool_call_id: str
    content: str
    is_error: bool = False


Part = TextPart | ThinkingPart | ImagePart | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class LLMMessage:
    """One turn of a conversation: a role and its parts."""

    role: Role
    parts: tuple[Part, ...]

    @classmethod
    def system(cls, text: str) -> LLMMessage:
        """Return a system message: instructions for the model."""
        return cls("system", (TextPart(text),))

    @classmethod
    def user(cls, *content: str | Part) -> LLMMessage:
        """Return a user message of texts, images and other parts in their order."""
        return cls("user", _parts(content))

    @classmethod
    def assistant(cls, *content: str | Part) -> LLMMessage:
        """Return a message of the model: texts, tool calls and other parts in their order."""
        return cls("assistant", _parts(content))

    @classmethod
    def tool(cls, call_id: str, content: str, *, is_error: bool = False) -> LLMMessage:
        """Return the result of a tool for the call *call_id*; *is_error* marks a failure."""
        return cls("tool", (ToolResult(call_id, content, is_error),))

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))


def _parts(content: tuple[str | Part, ...]) -> tuple[Part, ...]:
    return tuple(TextPart(one) if isinstance(one, str) else one for one in content)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the model may call; *parameters* is a JSON schema of an object."""

    name: str
    description: str
    parameters: JsonObject


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A request to a model, in no provider's format. Wire dialects encode and decode it."""

    model: str
    messages: tuple[LLMMessage, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    reasoning_effort: ReasoningEffort | None = None
    stop: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    """``auto``, ``none``, ``required`` or a tool's name; None leaves it to the provider."""
    response_schema: JsonObject | None = None
    """JSON schema the answer must satisfy, for the provider's native structured output."""
    response_schema_name: str = "answer"
    json_mode: bool = False
    """Whether the answer is to be a JSON object, of any shape; a schema is stricter, and wins."""
    stream: bool = False
    extra: JsonObject = field(default_factory=dict)
    """Fields that this type does not have; they are merged into the body unchanged."""


@dataclass(frozen=True, slots=True)
class ChatReply:
    """What a model answered, in no provider's words. Wire dialects decode and encode it."""

    parts: tuple[Part, ...]
    model: str | None = None
    id: str | None = None
    stop_reason: StopReason | None = None
    usage: TokenUsage | None = None
    cost_usd: Decimal | None = None
    """Only where the provider itself states a cost, as the claude CLI does."""
    structured: Any = None
    """The structured answer where the format carries it apart from the text, as the claude CLI does."""

    @property
    def text(self) -> str:
        """All text parts, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls of the model, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True)
class StreamDelta:
    """An increment of a streamed answer: text, reasoning, or a tool call that is now complete."""

    text: str = ""
    thinking: str = ""
    tool_call: ToolCall | None = None


Attempt = CallRecord
"""One request that was sent for a call, whether it succeeded or not."""


@dataclass(frozen=True, slots=True)
class LLMResponse(Generic[T]):
    """
    The answer to a call: *content* is a ``str`` for ``chat`` and a validated object for ``complete``.

    *usage* and *cost_usd* cover every attempt that the call needed, by one rule: an unbilled attempt counts as
    nothing, and None means that it is not known of an attempt that may have been billed.
    """

    content: T
    provider: str
    model: str
    usage: TokenUsage | None = None
    cost_usd: Decimal | None = None
    stop_reason: StopReason | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    reply: ChatReply | None = None
    """The decoded reply of the last attempt, parts and all: append it to a conversation with ``to_message()``."""
    cached: bool = False
    """Whether it came from the client's cache; *usage* is then what it took when it was first given."""
    saved_cost_usd: Decimal | None = None
    """What the answers that came from the cache cost when they were first given; None when that is not known."""
    truncated: int = 0
    """How many messages were left out, the oldest first as a rule, so that the conversation fits."""
    dropped_params: tuple[str, ...] = ()
    """Options that were not sent, because the API or the model does not take them."""

    def to_message(self) -> LLMMessage:
        """Return the assistant turn that continues a conversation, tool calls and reasoning included."""
        parts = self.reply.parts if self.reply else ()
        return LLMMessage("assistant", parts)


Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WireRequest:
    """An HTTP request as it goes out. Header names keep their case; *body* is never compressed."""

    method: str
    url: str
    headers: Headers = field(default=(), repr=False)  # they hold keys
    body: bytes = b""
    provider: str | None = field(default=None, compare=False)
    """The provider whose prices apply, as the caller states it; None leaves it to the address."""


@dataclass(frozen=True, slots=True)
class WireReply:
    """
    An HTTP reply as it came in, whole.

    *holder* holds the record of the call, where it was recorded or replayed; None elsewhere.
    """

    status: int
    headers: Headers = ()
    body: bytes = b""
    holder: RecordHolder | None = field(default=None, compare=False, repr=False)

    def header(self, name: str) -> str | None:
        """Return the first value of header *name*, in any case, or None."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class ProcessRequest:
    """A command to run: *argv*, what goes to its standard input, and the environment that it adds."""

    argv: tuple[str, ...]
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessReply:
    """What a finished command left behind; *holder* is as in `WireReply`."""

    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""
    holder: RecordHolder | None = field(default=None, compare=False, repr=False)
