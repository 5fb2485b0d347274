"""The agent's loop, turn by turn, with the real anthropic SDK and fake replies."""

import pytest
import weather

from llm_gateway import ToolCall


def test_runs_the_tool_that_the_model_calls(fake_llm):
    fake_llm.reply(["Let me look.", ToolCall("call_1", "look_up", {"city": "Oslo"})])
    fake_llm.on(tool_result="12").reply("It is mild in Oslo.")

    assert weather.ask("How is the weather in Oslo?") == "It is mild in Oslo."
    assert fake_llm.last.tool_results == {"call_1": '{"city": "Oslo", "degrees": 12}'}


def test_runs_two_tools_of_one_reply(fake_llm):
    fake_llm.reply([ToolCall("call_1", "look_up", {"city": "Oslo"}), ToolCall("call_2", "look_up", {"city": "Rome"})])
    fake_llm.reply(lambda call: f"{len(call.tool_results)} cities")

    assert weather.ask("Oslo or Rome?") == "2 cities"


def test_sends_tool_errors_to_the_model(fake_llm):
    fake_llm.reply(ToolCall("call_1", "look_up", {"city": "Atlantis"}))
    fake_llm.on(tool_result="KeyError('Atlantis')").reply("I do not know that city.")

    assert weather.ask("How is the weather in Atlantis?") == "I do not know that city."


def test_gives_up_when_the_model_only_calls_tools(fake_llm):
    fake_llm.reply(ToolCall("call_1", "look_up", {"city": "Oslo"}), times=weather.MOST_TURNS)

    with pytest.raises(weather.GaveUpError):
        weather.ask("How is the weather in Oslo?")


@pytest.mark.llm_budget(max_calls=2, max_tokens=1_000)
def test_stays_within_its_budget(fake_llm):
    fake_llm.reply(ToolCall("call_1", "look_up", {"city": "Oslo"})).usage(input=300, output=40)
    fake_llm.reply("Mild.").usage(input=380, output=5, cache_read=300)

    weather.ask("How is the weather in Oslo?")
