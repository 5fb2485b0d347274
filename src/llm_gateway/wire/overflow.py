"""What a provider says when a prompt was too long: how many tokens it counted, and how many it allows."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Overflow", "read_overflow"]


@dataclass(frozen=True, slots=True)
class Overflow:
    """
    A refusal in numbers.

    Attributes:
        counted: Tokens of input.

        limit: Tokens of input that would have been taken.
    """

    counted: int
    limit: int


_N = r"(?P<{}>\d[\d,]*)"
_COUNTED, _LIMIT, _OUTPUT = (_N.format(name) for name in ("counted", "limit", "output"))
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.DOTALL)
    for form in (
        rf"context limit: {_COUNTED} \+ {_OUTPUT} > {_LIMIT}",  # anthropic, with max_tokens
        rf"{_COUNTED} tokens > {_LIMIT}",  # anthropic, also behind others
        rf"token count \(?{_COUNTED}\)? exceeds the maximum number of tokens allowed \(?{_LIMIT}",  # gemini
        rf"maximum context length is {_LIMIT}.*?\({_COUNTED} in (?:the messages|your prompt)[,;] {_OUTPUT} ",  # openai
        rf"maximum context length is {_LIMIT}.*?(?:resulted in|requested(?: about)?|has|contains) {_COUNTED}",
        rf"maximum prompt length is {_LIMIT} .*?contains {_COUNTED}",  # xai
        rf"contains {_COUNTED} tokens.*?too large for model with {_LIMIT}",  # mistral
        rf"exceeded model token limit: {_LIMIT} \(requested: {_COUNTED}\)",  # moonshot
    )
)


def read_overflow(message: str) -> Overflow | None:
    """Read the numbers of a refusal; None when it states none, or none that make sense."""
    for form in _FORMS:
        if found := form.search(message):
            numbers = {name: int(value.replace(",", "")) for name, value in found.groupdict().items()}
            overflow = Overflow(numbers["counted"], numbers["limit"] - numbers.get("output", 0))
            return overflow if 0 < overflow.limit < overflow.counted else None
    return None
