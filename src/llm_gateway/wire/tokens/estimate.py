"""Number of input tokens of a request before it is sent: an estimate on the safe side, or OpenAI's own count."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from llm_gateway.types import ChatRequest, ImagePart, LLMMessage, Part, TextPart, ThinkingPart, ToolCall, ToolResult
from llm_gateway.wire.tokens.families import Family, family_of
from llm_gateway.wire.tokens.text_size import sizes

__all__ = ["Estimate", "estimate_tokens", "frame_tokens", "framed_tokens", "message_tokens"]

_MESSAGE = 5
_TOOL = 25
_TOOL_TURN = 35
_JSON_MODE = 20  # the message that requests it
_IMAGE = 1_700  # the most that a large image costs at its usual detail
_SERVER_TOOL = 2_500  # the provider's own description of a tool that it runs; what the tool finds is not known yet


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    Number of input tokens, and its origin.

    Attributes:
        tokens: Of messages, system prompt, tools and schema together.

        method: ``estimated`` from the text, ``counted`` before the call by the provider or the model's vocabulary, or
            ``reported`` by the provider after.
    """

    tokens: int
    method: Literal["estimated", "counted", "reported"]


def estimate_tokens(content: ChatRequest | Sequence[LLMMessage], model: str = "") -> Estimate:
    """
    Estimate the input of a request, or of messages alone for *model*.

    It errs on the safe side, by a third for usual text, and is no upper bound. What the provider keeps (an earlier
    response, a file) is not in the request, and so not in the estimate.
    """
    request = content if isinstance(content, ChatRequest) else ChatRequest(model, tuple(content))
    messages = sum(message_tokens(message, request.model) for message in request.messages)
    return Estimate(frame_tokens(request) + messages, "estimated")


def frame_tokens(request: ChatRequest) -> int:
    """Estimate the tokens of *request* outside its messages: tools, schema, extra fields, the provider's own text."""
    family, total = family_of(request.model), family_of(request.model).base
    if request.tools:
        described = [[tool.name, tool.description, tool.parameters] for tool in request.tools]
        total += family.tools + _TOOL * len(described) + _tokens(_written(described), family)
    if request.json_mode:
        total += _JSON_MODE
    if request.response_schema is not None:
        total += family.schema + _tokens(_written(request.response_schema), family)
    if request.extra:
        total += _tokens(_written(request.extra), family) + _SERVER_TOOL * len(_listed(request.extra.get("tools")))
    return total


def message_tokens(message: LLMMessage, model: str) -> int:
    """Estimate one message, its frame included."""
    family = family_of(model)
    return _MESSAGE + sum(_part_tokens(part, family) for part in message.parts)


def _part_tokens(part: Part, family: Family) -> int:
    match part:
        case TextPart(text) | ThinkingPart(text):
            return _tokens(text, family)
        case ToolCall(_, name, arguments):
            return _TOOL_TURN + _tokens(name + _written(arguments), family)
        case ToolResult(_, content):
            return _TOOL_TURN + _tokens(content, family)
        case ImagePart():
            return _IMAGE


def _tokens(text: str, family: Family) -> int:
    weighed = sum(weight * size for weight, size in zip(family.weights, sizes(text), strict=True))
    return math.ceil(family.scale * weighed)


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_OPENAI_MESSAGE = 4  # the role and the marks around it
_OPENAI_ANSWER = 3
_REASONING = re.compile(r"^(o\d|gpt-5)(?!.*-chat)")


def framed_tokens(request: ChatRequest, size: Callable[[str], int]) -> int | None:
    """
    Return the input tokens of *request* as OpenAI counts them; None where it is not text alone.

    Args:
        request: For a model of OpenAI, which does not publish how tools, schemas and images are counted.

        size: Number of tokens of a text, by the model's vocabulary.
    """
    if request.tools or request.response_schema is not None or request.extra:
        return None
    if any(not isinstance(part, TextPart) for message in request.messages for part in message.parts):
        return None
    # In recorded traffic the models that reason count one less, all others exactly this.
    answer = _OPENAI_ANSWER - bool(_REASONING.match(request.model))
    return answer + sum(_OPENAI_MESSAGE + size(message.text) for message in request.messages)
