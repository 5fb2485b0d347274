"""Number of input tokens of a text or a request before it is sent. Internal."""

from llm_gateway.wire.tokens.estimate import Estimate, estimate_tokens, frame_tokens, framed_tokens, message_tokens

__all__ = ["Estimate", "estimate_tokens", "frame_tokens", "framed_tokens", "message_tokens"]
