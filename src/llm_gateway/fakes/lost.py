"""What of a scripted reply its format has no place for, so that no real model could have sent it."""

from __future__ import annotations

from llm_gateway.exceptions import FakeScriptError
from llm_gateway.types import ChatReply, Part, TokenUsage
from llm_gateway.wire.base import Dialect

__all__ = ["refuse_lost"]

_SCRIPTED_AS = {
    "cache_read_tokens": "cache_read",
    "cache_write_tokens": "cache_write",
    "reasoning_tokens": "reasoning",
}


def refuse_lost(reply: ChatReply, usage: TokenUsage | None, dialect: Dialect) -> None:
    """
    Look for parts of *reply*, and figures of the *usage* that was scripted, which the format cannot say.

    Raises:
        FakeScriptError: There is one.
    """
    kept = dialect.decode_reply(dialect.encode_reply(reply))
    kinds = [type(part) for part in kept.parts]
    if parts := [part for part in reply.parts if type(part) not in kinds and not _is_empty(part)]:
        raise FakeScriptError(
            f"{dialect.name} cannot answer with a {type(parts[0]).__name__}",
            cause="its format has no place for one, so that no real model could have sent it",
            fix="leave it out of the reply, or script it for another provider: fake_llm.on(provider=...).reply(...)",
        )
    if figures := [name for name in _SCRIPTED_AS if getattr(usage, name, None) and getattr(kept.usage, name) is None]:
        name = _SCRIPTED_AS[figures[0]]
        raise FakeScriptError(
            f"{dialect.name} cannot tell usage({name}={getattr(usage, figures[0])})",
            cause="its format has no place for that figure, so that no real reply could have told it",
            fix=f"leave {name}= out of usage(...), or script it for another provider: fake_llm.on(provider=...)",
        )


def _is_empty(part: Part) -> bool:
    return getattr(part, "text", None) == ""
