"""A scripted provider for a client alone."""

import pytest
from pydantic import BaseModel

from llm_gateway import LLMClient, SyncLLMClient
from llm_gateway.exceptions import FakeMissError
from llm_gateway.fakes import FakeLLMProvider


class Answer(BaseModel):
    text: str


class Other(BaseModel):
    text: str


@pytest.mark.asyncio
async def test_answers_the_async_client():
    """With text, an object, and a stream; the calls are kept."""
    provider = FakeLLMProvider("hello")
    provider.set_response(Answer, Answer(text="forty-two"))

    async with LLMClient(provider_instance=provider) as client:
        assert "hello" == (await client.chat("hi")).content
        assert Answer(text="forty-two") == (await client.complete("what?", response_model=Answer)).content
        assert "hello" == "".join([delta.text async for delta in client.stream("hi")])

    assert ["hi", "what?", "hi"] == [call.text for call in provider.calls]


def test_answers_the_sync_client():
    """Usage adds up over the same call."""
    with SyncLLMClient(provider_instance=FakeLLMProvider("hello")) as client:
        one, two = client.chat("hi"), client.chat("hi")

    assert "hello" == one.content
    assert one.usage == two.usage
    assert one.usage.total_tokens > 0


def test_an_object_that_was_not_set():
    """The error lists the classes that are set, and what to type."""
    provider = FakeLLMProvider()
    provider.set_response(Answer, Answer(text="x"))

    with SyncLLMClient(provider_instance=provider) as client, pytest.raises(FakeMissError) as caught:
        client.complete("hi", response_model=Other)

    assert str(caught.value) == (
        "FakeLLMProvider has no Other for call #1 fake fake-model (fake)\n    user: 'hi'\n"
        "  responses are set for: Answer\n"
        "  provider.set_response(Other, Other(...))"
    )
