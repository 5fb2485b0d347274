"""Usage in the words of hosts that count in their own way."""

from llm_gateway.types import TokenUsage
from llm_gateway.wire.usage import chat_usage


def test_reasoning_that_is_left_out_of_the_completion_is_added():
    """As the total tells of xAI's; OpenAI's completion includes it."""
    details = {"completion_tokens_details": {"reasoning_tokens": 94}}
    xai = chat_usage({"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 135, **details})
    openai = chat_usage({"prompt_tokens": 32, "completion_tokens": 103, "total_tokens": 135, **details})

    assert TokenUsage(32, 103, reasoning_tokens=94) == xai == openai
