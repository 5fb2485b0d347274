"""Behaviour of the application while the provider is down."""

import openai
import pytest
import weather

from llm_gateway.fakes import FakeLLM


def test_sdk_retries_after_a_rate_limit(fake_llm: FakeLLM):
    fake_llm.error(429, retry_after=0).overloaded(then="Mild.")

    assert weather.ask("How is the weather in Oslo?") == "Mild."
    assert len(fake_llm.calls) == 3


@pytest.mark.parametrize("fault", ["error", "timeout", "disconnect"])
def test_stream_is_retried_before_its_first_chunk(fake_llm: FakeLLM, fault):
    if fault == "error":
        fake_llm.error(500)
    else:
        getattr(fake_llm, fault)()
    fake_llm.stream(["A short ", "summary."])

    assert "".join(weather.summary("a long text")) == "A short summary."


def test_stream_is_not_retried_after_its_first_chunk(fake_llm: FakeLLM):
    fake_llm.disconnect(after_chunks=3, content="This was to be a summary.")

    words = weather.summary("a long text")

    assert [next(words), next(words)] == ["This ", "was "]
    with pytest.raises(openai.APIConnectionError):
        next(words)
