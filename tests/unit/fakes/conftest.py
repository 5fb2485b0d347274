"""A fake that answers every call of this process."""

import anthropic
import openai
import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette


@pytest.fixture
def fake(tmp_path):
    """A fake of the test; scripted answers that no call used fail the test, other errors are asserted where raised."""
    made = FakeLLM()
    with use_cassette(tmp_path / "none.yaml", Mode.REPLAY) as cassette:
        cassette.answer_by(made)
        made.cassette = cassette
        yield made
        cassette.outcome._failures.clear()


@pytest.fixture
def claude():
    return anthropic.Anthropic(api_key="k", max_retries=0)


@pytest.fixture
def gpt():
    return openai.OpenAI(api_key="k", max_retries=0)
