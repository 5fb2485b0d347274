"""Choose the messages of a conversation that are sent when all of them are too many."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, chain, takewhile
from typing import NoReturn

from llm_gateway.exceptions import ContextWindowError
from llm_gateway.types import ChatRequest, LLMMessage, ToolCall, ToolResult
from llm_gateway.wire.tokens import frame_tokens, message_tokens

__all__ = ["Block", "Strategy", "drop_oldest", "keep_first_and_last"]


@dataclass(frozen=True, slots=True)
class Block:
    """
    Messages that stay or go together: one message, or calls of tools with all their results.

    Attributes:
        messages: In their order.

        places: The position of each in the conversation.

        tokens: Their number of tokens, estimated.
    """

    messages: tuple[LLMMessage, ...]
    places: tuple[int, ...]
    tokens: int

    @property
    def is_question(self) -> bool:
        """Whether it begins with the user; APIs reject a conversation that begins otherwise."""
        first = self.messages[0]
        return first.role == "user" and not any(isinstance(part, ToolResult) for part in first.parts)


Strategy = Callable[[Sequence[Block], int], Sequence[Block]]
"""
A function that chooses the blocks to send, given the tokens left for them: in order, the last one included.

It returns no block when not even the last turn fits.
"""


def drop_oldest(blocks: Sequence[Block], room: int) -> Sequence[Block]:
    """Keep the newest turns; of a last turn that is too long, its question and the newest of what followed."""
    newest = _newest(blocks, room)
    first = next((place for place, block in enumerate(newest) if block.is_question), None)
    if first is not None:
        return newest[first:]
    question = next((place for place in reversed(range(len(blocks))) if blocks[place].is_question), None)
    if question is None:
        return newest
    followed = _newest(blocks[question + 1 :], room - blocks[question].tokens)
    return [blocks[question], *followed] if followed else []


def keep_first_and_last(blocks: Sequence[Block], room: int) -> Sequence[Block]:
    """Keep the user's first message, which often states the task, and the newest turns as `drop_oldest` does."""
    first = next((place for place, block in enumerate(blocks) if block.is_question), len(blocks))
    newest = drop_oldest(blocks[first + 1 :], room - sum(block.tokens for block in blocks[first : first + 1]))
    return [blocks[first], *newest] if newest else drop_oldest(blocks, room)


def _newest(blocks: Sequence[Block], room: int) -> Sequence[Block]:
    sums = accumulate(block.tokens for block in reversed(blocks))
    return blocks[len(blocks) - sum(1 for _ in takewhile(lambda total: total <= room, sums)) :]


def truncate_to_context(
    request: ChatRequest, most: int, strategy: Strategy = drop_oldest, ratio: float = 1.0
) -> ChatRequest:
    """
    Leave out messages of *request* until its input is at most *most* tokens; its system prompt and tools stay.

    Args:
        request: The request.

        most: Tokens of input that the estimate times *ratio* may have.

        strategy: Chooses the blocks that stay.

        ratio: How many tokens the provider counts for one estimated token.

    Raises:
        ContextWindowError: Not even the last turn fits.
    """
    blocks, fixed = _blocks(request), _fixed(request)
    room = int(most / ratio) - fixed
    if _sum(blocks) <= room:
        return request
    kept = strategy(blocks, room)
    if not kept or kept[-1] != blocks[-1] or _sum(kept) > room:
        last = blocks[-1].tokens if blocks else 0
        _raise_too_long(most, *(int(ratio * tokens) for tokens in (fixed + _sum(blocks), last, fixed)))
    stay = {place for block in kept for place in block.places}
    messages = tuple(m for place, m in enumerate(request.messages) if m.role == "system" or place in stay)
    return dataclasses.replace(request, messages=messages)


def _sum(blocks: Sequence[Block]) -> int:
    return sum(block.tokens for block in blocks)


def _fixed(request: ChatRequest) -> int:
    rules = [message for message in request.messages if message.role == "system"]
    return frame_tokens(request) + sum(message_tokens(message, request.model) for message in rules)


def _blocks(request: ChatRequest) -> list[Block]:
    groups: list[list[int]] = []
    called: dict[str, int] = {}
    for place, message in enumerate(request.messages):
        if message.role == "system":
            continue
        answered = [part.tool_call_id for part in message.parts if isinstance(part, ToolResult)]
        first = min((called[identity] for identity in answered if identity in called), default=len(groups))
        if first < len(groups) - 1:  # merged groups share their calls
            called = {identity: min(group, first) for identity, group in called.items()}
        groups[first:] = [[*chain.from_iterable(groups[first:]), place]]
        called.update({part.id: first for part in message.parts if isinstance(part, ToolCall)})
    return [_block(request, group) for group in groups]


def _block(request: ChatRequest, places: Sequence[int]) -> Block:
    messages = tuple(request.messages[place] for place in places)
    return Block(messages, tuple(places), sum(message_tokens(message, request.model) for message in messages))


def _raise_too_long(most: int, whole: int, last: int, fixed: int) -> NoReturn:
    raise ContextWindowError(
        f"the conversation has about {whole:,} tokens, and {most:,} are allowed",
        tokens=whole,
        limit=most,
        cause=f"its last turn does not fit: the last message has about {last:,}, system prompt and tools {fixed:,}",
        fix="shorten the last turn, or raise max_context_tokens or LLM_MAX_CONTEXT_TOKENS",
    )
