"""Sort a ticket into a queue, with the anthropic SDK."""

import anthropic


def triage(ticket: str) -> str:
    """Return the queue that *ticket* belongs to: ``billing``, ``bug`` or ``other``."""
    reply = anthropic.Anthropic().messages.create(
        model="claude-haiku-5-5",
        max_tokens=20,
        system="Answer with one word: billing, bug or other.",
        messages=[{"role": "user", "content": ticket}],
    )
    return reply.content[0].text.strip().lower()
