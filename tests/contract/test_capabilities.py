"""Every provider, everything that a provider can do, both colours: the table in the summary, cell by cell."""

import json

import pytest
from capability_facts import (
    CANNOT,
    CLIENT_ARGUMENTS,
    COMMANDS,
    COUNTS,
    FORMATS,
    LISTS,
    NO_LIST,
    SENT,
    SENT_BY,
    SOME,
    STATUSES,
)
from capability_table import CAPABILITIES, written
from every_provider import BY_SDK, EVERY, GOOGLE, OVER_HTTP, Caller, client, sdk, variables
from pydantic import BaseModel

from llm_gateway import LLMClient, SyncLLMClient, Tool, list_providers
from llm_gateway.exceptions import ConfigError, ProviderError, StructuredOutputError
from llm_gateway.types import ImagePart, LLMMessage, ToolResult

COLOURS = pytest.mark.parametrize("colour", [SyncLLMClient, LLMClient], ids=["sync", "async"])
TOOL = Tool("weigh", "Weigh something", {"type": "object", "properties": {"what": {"type": "string"}}})
HERE, THERE = ImagePart(b"\x89PNG", "image/png"), ImagePart(url="https://example.com/a.png")


class Answer(BaseModel):
    answer: str


class Case:
    """One provider in one colour, and what it was asked."""

    def __init__(self, name, made, api, log):
        self.name, self.api, self.log = name, api, log
        self.format = FORMATS[name]
        self.ask = Caller(made)
        self.client = made

    @property
    def asked(self):
        """The bodies that arrived, or the arguments of each run of the command."""
        if self.format == "claude_cli":
            return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [body for _, _, body in self.api.asked]

    def model(self, capability):
        """Options that choose a model which can."""
        model = SOME.get(capability, {}).get(self.name)
        return {"model": model} if model else {}


def holds(body, wanted):
    """Whether *wanted* stands in *body*, whatever else does."""
    if isinstance(wanted, dict):
        return isinstance(body, dict) and all(name in body and holds(body[name], one) for name, one in wanted.items())
    if isinstance(wanted, list):
        return isinstance(body, list) and all(any(holds(here, one) for here in body) for one in wanted)
    return body == wanted


def refused(case, capability, *messages, **asked):
    """It is not offered: said before anything is sent, or by a provider of someone else's on the response."""
    before = len(case.asked)
    if case.format == "none":
        assert tuple(asked) == case.ask("chat", "hello", **asked).dropped_params
        return "-"
    with pytest.raises(ProviderError) as error:
        case.ask("chat", *(messages or ["hello"]), **asked)
    assert "unsupported_param" == error.value.kind
    assert CANNOT[case.format, capability] in str(error.value)
    assert before == len(case.asked)
    return "-"


def is_without(case, capability):
    return case.format == "none" or (case.format, capability) in CANNOT


def chat(case):
    """Text, usage and totals."""
    response = case.ask("chat", "hello")
    assert "HELLO" == response.content
    assert (11, 7) == (response.usage.input_tokens, response.usage.output_tokens)
    assert (18, 1) == (case.client.total_tokens, case.client.call_count)
    assert 1 == len(response.attempts)


def an_object(case):
    """Validated; asked again with what was wrong, both answers counted; one that was cut off has that as its cause."""
    assert Answer(answer="forty-two") == case.ask("complete", "hello", response_model=Answer).content
    if case.format == "none":
        return
    before = case.client.total_tokens
    with pytest.raises(StructuredOutputError, match="ended early: max_tokens") as error:
        case.ask("complete", "cut off", response_model=Answer)
    assert "raise max_tokens" in str(error.value)
    assert 18 == error.value.usage.total_tokens == case.client.total_tokens - before
    again = case.ask("complete", "wrong shape", response_model=Answer)
    assert Answer(answer="forty-two") == again.content
    assert 36 == again.usage.total_tokens
    assert "does not fit the schema: answer: Field required" in json.dumps(case.asked[-1])


def a_stream(case):
    """Deltas add up to the text; the response with its usage is there afterwards."""
    before = case.client.total_tokens
    texts, response = case.ask.stream("hello")
    assert "HELLO" == "".join(texts) == response.content
    assert 18 == response.usage.total_tokens == case.client.total_tokens - before


def tools(case):
    """The model asks for a tool, also in a stream, and takes its result."""
    if is_without(case, "tools"):
        return refused(case, "tools", tools=[TOOL])
    turn = LLMMessage.user("weigh lead")
    asked = case.ask("chat", turn, tools=[TOOL], **case.model("tools"))
    assert [("weigh", {"what": "lead"})] == [(call.name, call.arguments) for call in asked.tool_calls]
    assert "tool_use" == asked.stop_reason
    _, streamed = case.ask.stream(turn, tools=[TOOL])
    assert asked.tool_calls == streamed.tool_calls
    result = LLMMessage.tool(asked.tool_calls[0].id, "1 kg")
    assert "done" == case.ask("chat", [turn, asked.to_message(), result], tools=[TOOL]).content
    return None


def parallel_tools(case):
    """Two calls at once, also in a stream, and both results."""
    if is_without(case, "tools"):
        return refused(case, "tools", tools=[TOOL])
    turn = LLMMessage.user("weigh feathers lead")
    asked = case.ask("chat", turn, tools=[TOOL])
    assert [{"what": "feathers"}, {"what": "lead"}] == [call.arguments for call in asked.tool_calls]
    _, streamed = case.ask.stream(turn, tools=[TOOL])
    assert asked.tool_calls == streamed.tool_calls
    results = [LLMMessage("tool", (ToolResult(call.id, "1 kg"),)) for call in asked.tool_calls]
    assert "done" == case.ask("chat", [turn, asked.to_message(), *results], tools=[TOOL]).content
    return None


def images(case):
    """As bytes; and by address, or else such an image is refused before anything is sent."""
    message, more = LLMMessage.user("look", HERE), LLMMessage.user("look", HERE, THERE)
    if case.format == "none":
        assert "LOOK" == case.ask("chat", [message]).content  # it is handed the image, and that is all that we know
        return "-"
    model = case.model("images")
    assert "1 images" == case.ask("chat", [message], **model).content
    if case.format != "bedrock.converse":
        assert "2 images" == case.ask("chat", [more], **model).content
        return None
    before = len(case.asked)
    with pytest.raises(ProviderError, match="bedrock takes no image by address: 'https://example") as error:
        case.ask("chat", [more], **model)
    assert "unsupported_param" == error.value.kind
    assert "fetch the image and give ImagePart(data=" in str(error.value)
    assert before == len(case.asked)
    return None


def an_option(capability):
    """A check that the option arrives in the provider's own words."""

    def check(case):
        asked = CLIENT_ARGUMENTS[capability]
        if is_without(case, capability) and capability != "system":
            return refused(case, capability, **asked)
        if (case.format, capability) == ("cohere.v2.chat", "effort"):
            asked = {"reasoning_effort": "none"}  # the one level that it has
        response = case.ask("chat", "hello", **asked, **case.model(capability))
        assert () == response.dropped_params
        if case.format != "none":  # such a one is handed the system prompt as a message
            wanted = SENT_BY.get((case.name, capability)) or SENT[case.format][capability]
            assert holds(case.asked[-1], wanted), (wanted, case.asked[-1])
        return None

    return check


def a_list(case):
    """The models that there are, fetched; without a list, how to say what there is."""
    if case.name in NO_LIST:
        with pytest.raises(ConfigError, match=f"(?i){case.name} has no list of models\n  it has no API") as error:
            case.ask("refresh_models")
        assert "register_model(" in str(error.value)
        return "-"
    case.api.lists |= LISTS[case.name]
    assert ["m"] == [model.id for model in case.ask("refresh_models")]
    return None


def a_count(case):
    """By the provider; else an estimate that says that it is one."""
    case.api.lists |= COUNTS.get(case.name, {})
    before = len(case.asked)
    estimate = case.ask("count_tokens", "hello", system="Be brief.", model=case.model("count").get("model"))
    if case.name in COUNTS:
        assert (42, "counted") == (estimate.tokens, estimate.method)
        return None
    assert ("estimated", before) == (estimate.method, len(case.asked))
    assert estimate.tokens > 0
    return "-"


def a_close(case):
    """The provider sees every connection end; clients that were handed in stay open for their owner."""
    case.ask("close")
    if case.name in BY_SDK:
        assert not sdk(case.client).is_closed()
    elif case.name in OVER_HTTP:
        assert case.api.is_left()
    elif case.name == "custom":
        assert case.client.provider.closed


def errors(case):
    """Each status has its kind, with the provider's own words, and no retry where the client allows none."""
    if case.format == "none":
        return errors_of_ones_own(case)
    if case.format == "claude_cli":
        return errors_of_a_command(case)
    for status, kinds in STATUSES.items():
        case.api.statuses = [status]
        before = len(case.asked)
        with pytest.raises(ProviderError, match=f"answered {status} for .*: ") as error:
            case.ask("chat", "hello")
        assert error.value.kind in kinds, (status, error.value.kind)
        assert status == error.value.status
        assert before + 1 == len(case.asked)
    return None


def errors_of_ones_own(case):
    """They have no kinds here: what is raised reaches the caller as it is."""
    with pytest.raises(LookupError, match="its own words"):
        case.ask("chat", "fail")
    return "-"


def errors_of_a_command(case):
    """What it says and how it ended; chat and stream say the same."""
    for behaviour, (words, kind) in COMMANDS.items():
        case.behave(behaviour)
        for verb in (case.ask.stream, lambda asked: case.ask("chat", asked)):
            with pytest.raises(ProviderError) as error:
                verb("hello")
            assert words in str(error.value)
            assert kind == error.value.kind


def broken(case):
    """Replies that end early, fail midway or are something else: never taken for an answer."""
    if case.format == "none":
        return errors_of_ones_own(case)
    if case.format == "claude_cli":
        case.behave("junk")
        for verb in (case.ask.stream, lambda asked: case.ask("chat", asked)):
            with pytest.raises(ProviderError, match="not json at all"):
                verb("hello")
        return None
    case.api.behave()
    case.api.error_after = 1 if case.name in GOOGLE else 5 if case.format == "openai.responses" else 4
    with pytest.raises(ProviderError, match=r"stream broke after .* characters: overloaded") as error:
        case.ask.stream("hello")
    assert ("server" if case.name == "cohere" else "overloaded") == error.value.kind  # Cohere has no word for it
    return None if case.name == "litellm" else broken_bytes(case)


def broken_bytes(case):
    """What holds where the bytes of replies are read here; litellm takes what it gets for an answer, or says so."""
    case.api.behave()
    case.api.cut_after = 2 if case.name in GOOGLE else 4
    with pytest.raises(ProviderError, match="stream"):
        case.ask.stream("hello")
    case.api.behave()
    case.api.junk = b'data: {"choices": 5, "type": 7\n\n'
    with pytest.raises(ProviderError, match=r"its format does not know|stream broke"):
        case.ask.stream("hello")
    case.api.behave()
    case.api.statuses = [b"<html>"]
    with pytest.raises(ProviderError, match="something that is no JSON\n  <html>"):
        case.ask("chat", "hello")
    case.api.behave()


CHECKS = {
    "chat": chat,
    "object": an_object,
    "stream": a_stream,
    "tools": tools,
    "parallel": parallel_tools,
    "images": images,
    **{capability: an_option(capability) for capability in CLIENT_ARGUMENTS},
    "list": a_list,
    "count": a_count,
    "errors": errors,
    "broken": broken,
    "close": a_close,
}


def test_the_table_is_whole():
    """It has every provider that there is, and a check of every column."""
    assert set(list_providers()) <= set(EVERY)
    assert sorted(CAPABILITIES) == sorted(CHECKS)
    assert set(CANNOT) <= {(form, capability) for form in FORMATS.values() for capability in CHECKS}
    used = [(form, one) for form in set(FORMATS.values()) - {"none"} for one in CLIENT_ARGUMENTS]
    assert [] == [cell for cell in used if (cell in CANNOT) == (cell[1] in SENT[cell[0]])]


def test_a_cell_that_is_not_green_shows():
    """One that failed, one that ran in one colour alone, and one that never ran."""
    parts = [("azure", {"chat": "s", "tools": "-"}), ("azure", {"chat": "a", "tools": "-"}), ("groq", {"chat": "s"})]
    table = written([*parts, ("ollama", {"chat": "s", "tools": "!"}), ("ollama", {"recorded": "3"})]).splitlines()

    assert ["       chat tools recorded", "azure  sa   -", "groq   s    ?", "ollama s    !     3"] == table[:4]
    assert "1 cells passed sync and async, 1 not offered, 4 open" == table[-1]


@COLOURS
@pytest.mark.parametrize("name", EVERY)
def test_a_provider_can(name, colour, api, claude, tmp_path, record_property):
    """Each cell of its row passes, or is refused for the reason that stands above; one that fails hides no other."""
    for variable, value in {**variables(name), "LLM_MODELS_CACHE": str(tmp_path)}.items():
        claude.setenv(variable, value)
    case = Case(name, client(name, api.url, colour), api, tmp_path / "asked.jsonl")
    case.behave = lambda behaviour: claude.setenv("STAND_IN", behaviour)
    marks, failures = {}, []
    with case.ask:
        for capability, check in CHECKS.items():
            try:
                marks[capability] = check(case) or ("s" if colour is SyncLLMClient else "a")
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  every cell is tried
                error.add_note(f"{name}, {capability}, {colour.__name__}")
                marks[capability] = "!"
                failures.append(error)
    record_property("row providers", [name, marks])
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} of {len(CHECKS)} cells", failures)
