"""The client of the `llm` fixture: sync, async, structured output."""

from pydantic import BaseModel


class Ticket(BaseModel):
    queue: str
    urgent: bool


def test_chat(llm):
    reply = llm.chat("Say hello to the support team in five words.")
    assert "hello" in reply.content.lower()


def test_structured(llm):
    reply = llm.complete("My card was charged twice, please help today!", response_model=Ticket)
    assert reply.content == Ticket(queue="billing", urgent=True)
    assert reply.usage.total_tokens < 500


async def test_async(llm):
    reply = await llm.chat([{"role": "user", "content": "Name one colour."}], max_tokens=10)
    assert reply.content
