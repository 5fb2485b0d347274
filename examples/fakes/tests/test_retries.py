"""What the application does when the provider does not answer."""

import openai
import pytest
import weather

from llm_gateway.fakes import FakeLLM


def test_the_sdk_waits_and_tries_again(fake_llm: FakeLLM):
    fake_llm.error(429, retry_after=0).overloaded(then="Mild.")

    assert weather.ask("How is the weather in Oslo?") == "Mild."
    assert len(fake_llm.calls) == 3


@pytest.mark.parametrize("fault", ["error", "timeout", "disconnect"])
def test_a_stream_is_begun_again(fake_llm: FakeLLM, fault):
    if fault == "error":
        fake_llm.error(500)
    else:
        getattr(fake_llm, fault)()
    fake_llm.stream(["A short ", "summary."])

    assert "".join(weather.summary("a long text")) == "A short summary."


def test_a_stream_that_has_begun_is_not(fake_llm: FakeLLM):
    fake_llm.disconnect(after_chunks=3, content="This was to be a summary.")

    words = weather.summary("a long text")

    assert [next(words), next(words)] == ["This ", "was "]
    with pytest.raises(openai.APIConnectionError):
        next(words)
