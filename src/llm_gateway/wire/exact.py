"""How many tokens a request of text is at OpenAI, given what cuts its texts: the frame that OpenAI puts around them."""

from __future__ import annotations

import re
from collections.abc import Callable

from llm_gateway.types import ChatRequest, TextPart

__all__ = ["framed_tokens"]

_MESSAGE = 4  # its role, and what stands before and after
_ANSWER = 3
_REASONING = re.compile(r"^(o\d|gpt-5)(?!.*-chat)")


def framed_tokens(request: ChatRequest, size: Callable[[str], int]) -> int | None:
    """
    The input of *request* as OpenAI counts it, or None where it is not text alone.

    Args:
        request: For a model of OpenAI's; how tools, schemas and images are written into the prompt is not published.

        size: How many tokens a text is, by the model's vocabulary.
    """
    if request.tools or request.response_schema is not None or request.extra:
        return None
    if any(not isinstance(part, TextPart) for message in request.messages for part in message.parts):
        return None
    # In recorded traffic the models that reason count one less, all others exactly this.
    answer = _ANSWER - bool(_REASONING.match(request.model))
    return answer + sum(_MESSAGE + size(message.text) for message in request.messages)
