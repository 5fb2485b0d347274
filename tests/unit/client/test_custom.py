"""Custom providers get the options that their signatures take."""

import pytest

from llm_gateway import LLMResponse, SyncLLMClient, Tool


class Least:
    """A provider with the signature of the protocol."""

    async def complete(self, messages, response_model=None):
        return LLMResponse(messages[-1].text, "least", "m")

    async def close(self):
        pass


class Some(Least):
    """A provider that names some options."""

    async def complete(self, messages, response_model=None, *, model, max_tokens=5, tools=()):
        return LLMResponse(f"{model} {max_tokens} {[tool.name for tool in tools]}", "some", "m")


class Every(Least):
    """A provider that takes all options."""

    async def complete(self, messages, response_model=None, **options):
        return LLMResponse(str(sorted(options)), "every", "m")


OPTIONS = {"tools": [Tool("weigh", "", {})], "temperature": 0.0, "seed": 0, "stop": "x", "json_mode": True}


@pytest.mark.parametrize(
    ("provider", "content", "dropped"),
    [
        (Least(), "hi", ("temperature", "seed", "stop", "tools", "json_mode")),
        (Some(), "big None ['weigh']", ("temperature", "seed", "stop", "json_mode")),
        (Every(), "['json_mode', 'model', 'seed', 'stop', 'temperature', 'tools']", ()),
    ],
)
def test_a_class_gets_what_it_takes(provider, content, dropped):
    """The options that it does not take are on the response."""
    with SyncLLMClient(provider_instance=provider, model="big") as llm:
        response = llm.chat("hi", **OPTIONS)
        streamed = list(llm.stream("hi", **OPTIONS))
    assert (content, dropped) == (response.content, response.dropped_params)
    assert [content] == [delta.text for delta in streamed]


def test_options_that_are_not_set_are_not_passed():
    """A class that takes anything gets the model alone."""
    with SyncLLMClient(provider_instance=Every(), model="big") as llm:
        assert "['model']" == llm.chat("hi").content
        assert () == llm.chat("hi").dropped_params
