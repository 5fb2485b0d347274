"""Draft an answer, streamed with the openai SDK."""

from collections.abc import Iterator

import openai


def draft(ticket: str) -> Iterator[str]:
    """Yield the answer to *ticket* in chunks, as they arrive."""
    stream = openai.OpenAI().chat.completions.create(
        model="gpt-5-mini",
        messages=[
            {"role": "system", "content": "Answer the customer in two sentences."},
            {"role": "user", "content": ticket},
        ],
        stream=True,
        stream_options={"include_usage": True},
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield chunk.choices[0].delta.content
