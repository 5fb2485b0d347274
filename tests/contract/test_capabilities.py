"""Every capability of every provider, sync and async: fills the table of the terminal summary."""

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

SYNC_AND_ASYNC = pytest.mark.parametrize("client_class", [SyncLLMClient, LLMClient], ids=["sync", "async"])
TOOL = Tool("weigh", "Weigh something", {"type": "object", "properties": {"what": {"type": "string"}}})
HERE, THERE = ImagePart(b"\x89PNG", "image/png"), ImagePart(url="https://example.com/a.png")


class Answer(BaseModel):
    answer: str


class Case:
    """One provider with a sync or async client, and the requests it received."""

    def __init__(self, name, made, api, log):
        self.name, self.api, self.log = name, api, log
        self.format = FORMATS[name]
        self.call = Caller(made)
        self.client = made

    @property
    def requests(self):
        """Return the bodies of the requests, or the arguments of each run of the command."""
        if self.format == "claude_cli":
            return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []
        return [body for _, _, body in self.api.requests]

    def model(self, capability):
        """Return the options that choose a model with this capability."""
        model = SOME.get(capability, {}).get(self.name)
        return {"model": model} if model else {}


def contains(body, wanted):
    """Return True if *body* has everything in *wanted*, whatever else it has."""
    if isinstance(wanted, dict):
        return isinstance(body, dict) and all(
            name in body and contains(body[name], one) for name, one in wanted.items()
        )
    if isinstance(wanted, list):
        return isinstance(body, list) and all(any(contains(here, one) for here in body) for one in wanted)
    return body == wanted


def check_unsupported(case, capability, *messages, **options):
    """Assert that an option is rejected before anything is sent; a custom provider reports it as dropped."""
    before = len(case.requests)
    if case.format == "none":
        assert tuple(options) == case.call("chat", "hello", **options).dropped_params
        return "-"
    with pytest.raises(ProviderError) as error:
        case.call("chat", *(messages or ["hello"]), **options)
    assert "unsupported_param" == error.value.kind
    assert CANNOT[case.format, capability] in str(error.value)
    assert before == len(case.requests)
    return "-"


def is_without(case, capability):
    return case.format == "none" or (case.format, capability) in CANNOT


def chat(case):
    """Check text, usage and totals."""
    response = case.call("chat", "hello")
    assert "HELLO" == response.content
    assert (11, 7) == (response.usage.input_tokens, response.usage.output_tokens)
    assert (18, 1) == (case.client.total_tokens, case.client.call_count)
    assert 1 == len(response.attempts)


def an_object(case):
    """Check that an object is validated, requested again with the validation error, and never cut off silently."""
    assert Answer(answer="forty-two") == case.call("complete", "hello", response_model=Answer).content
    if case.format == "none":
        return
    before = case.client.total_tokens
    with pytest.raises(StructuredOutputError, match="ended early: max_tokens") as error:
        case.call("complete", "cut off", response_model=Answer)
    assert "raise max_tokens" in str(error.value)
    assert 18 == error.value.usage.total_tokens == case.client.total_tokens - before
    again = case.call("complete", "wrong shape", response_model=Answer)
    assert Answer(answer="forty-two") == again.content
    assert 36 == again.usage.total_tokens
    assert "does not fit the schema: answer: Field required" in json.dumps(case.requests[-1])


def a_stream(case):
    """Check that the texts add up, and that the response with its usage is there afterwards."""
    before = case.client.total_tokens
    texts, response = case.call.stream("hello")
    assert "HELLO" == "".join(texts) == response.content
    assert 18 == response.usage.total_tokens == case.client.total_tokens - before


def tools(case):
    """Check that a tool call arrives, also in a stream, and that its result is sent."""
    if is_without(case, "tools"):
        return check_unsupported(case, "tools", tools=[TOOL])
    turn = LLMMessage.user("weigh lead")
    reply = case.call("chat", turn, tools=[TOOL], **case.model("tools"))
    assert [("weigh", {"what": "lead"})] == [(call.name, call.arguments) for call in reply.tool_calls]
    assert "tool_use" == reply.stop_reason
    _, streamed = case.call.stream(turn, tools=[TOOL])
    assert reply.tool_calls == streamed.tool_calls
    result = LLMMessage.tool(reply.tool_calls[0].id, "1 kg")
    assert "done" == case.call("chat", [turn, reply.to_message(), result], tools=[TOOL]).content
    return None


def parallel_tools(case):
    """Check two tool calls in one reply, also in a stream, and both results."""
    if is_without(case, "tools"):
        return check_unsupported(case, "tools", tools=[TOOL])
    turn = LLMMessage.user("weigh feathers lead")
    reply = case.call("chat", turn, tools=[TOOL])
    assert [{"what": "feathers"}, {"what": "lead"}] == [call.arguments for call in reply.tool_calls]
    _, streamed = case.call.stream(turn, tools=[TOOL])
    assert reply.tool_calls == streamed.tool_calls
    results = [LLMMessage("tool", (ToolResult(call.id, "1 kg"),)) for call in reply.tool_calls]
    assert "done" == case.call("chat", [turn, reply.to_message(), *results], tools=[TOOL]).content
    return None


def images(case):
    """Check images as bytes and by URL; a provider without URLs rejects one before anything is sent."""
    message, more = LLMMessage.user("look", HERE), LLMMessage.user("look", HERE, THERE)
    if case.format == "none":
        assert (
            "LOOK" == case.call("chat", [message]).content
        )  # it receives the image; what it does with it is its own affair
        return "-"
    model = case.model("images")
    assert "1 images" == case.call("chat", [message], **model).content
    if case.format != "bedrock.converse":
        assert "2 images" == case.call("chat", [more], **model).content
        return None
    before = len(case.requests)
    with pytest.raises(ProviderError, match="bedrock takes no image by address: 'https://example") as error:
        case.call("chat", [more], **model)
    assert "unsupported_param" == error.value.kind
    assert "fetch the image and give ImagePart(data=" in str(error.value)
    assert before == len(case.requests)
    return None


def an_option(capability):
    """Return a check that an option arrives under the provider's own name."""

    def check(case):
        options = CLIENT_ARGUMENTS[capability]
        if is_without(case, capability) and capability != "system":
            return check_unsupported(case, capability, **options)
        if (case.format, capability) == ("cohere.v2.chat", "effort"):
            options = {"reasoning_effort": "none"}  # the only level that it has
        response = case.call("chat", "hello", **options, **case.model(capability))
        assert () == response.dropped_params
        if case.format != "none":  # a custom provider receives the system prompt as a message
            wanted = SENT_BY.get((case.name, capability)) or SENT[case.format][capability]
            assert contains(case.requests[-1], wanted), (wanted, case.requests[-1])
        return None

    return check


def a_list(case):
    """Check that models are listed; the error of a provider without a list names register_model()."""
    if case.name in NO_LIST:
        with pytest.raises(ConfigError, match=f"(?i){case.name} has no list of models\n  it has no API") as error:
            case.call("refresh_models")
        assert "register_model(" in str(error.value)
        return "-"
    case.api.lists |= LISTS[case.name]
    assert ["m"] == [model.id for model in case.call("refresh_models")]
    return None


def a_count(case):
    """Check that the provider counts tokens, or else that an estimate is marked as one."""
    case.api.lists |= COUNTS.get(case.name, {})
    before = len(case.requests)
    estimate = case.call("count_tokens", "hello", system="Be brief.", model=case.model("count").get("model"))
    if case.name in COUNTS:
        assert (42, "counted") == (estimate.tokens, estimate.method)
        return None
    assert ("estimated", before) == (estimate.method, len(case.requests))
    assert estimate.tokens > 0
    return "-"


def a_close(case):
    """Check that every connection is closed, except those of SDK clients, which belong to their owner."""
    case.call("close")
    if case.name in BY_SDK:
        assert not sdk(case.client).is_closed()
    elif case.name in OVER_HTTP:
        assert case.api.wait_until_disconnected()
    elif case.name == "custom":
        assert case.client.provider.closed


def errors(case):
    """Check that each status has its kind and the provider's message, and is not retried when retries are off."""
    if case.format == "none":
        return errors_of_custom_provider(case)
    if case.format == "claude_cli":
        return errors_of_a_command(case)
    for status, kinds in STATUSES.items():
        case.api.statuses = [status]
        before = len(case.requests)
        with pytest.raises(ProviderError, match=f"answered {status} for .*: ") as error:
            case.call("chat", "hello")
        assert error.value.kind in kinds, (status, error.value.kind)
        assert status == error.value.status
        assert before + 1 == len(case.requests)
    return None


def errors_of_custom_provider(case):
    """Check that the exception of a custom provider reaches the caller unchanged."""
    with pytest.raises(LookupError, match="its own words"):
        case.call("chat", "fail")
    return "-"


def errors_of_a_command(case):
    """Check that the command's output and exit code are reported, by chat and stream alike."""
    for behaviour, (words, kind) in COMMANDS.items():
        case.set_behaviour(behaviour)
        for verb in (case.call.stream, lambda prompt: case.call("chat", prompt)):
            with pytest.raises(ProviderError) as error:
                verb("hello")
            assert words in str(error.value)
            assert kind == error.value.kind


def broken_replies(case):
    """Check that replies which end early, fail midway or are no reply at all raise an error."""
    if case.format == "none":
        return errors_of_custom_provider(case)
    if case.format == "claude_cli":
        case.set_behaviour("junk")
        for verb in (case.call.stream, lambda prompt: case.call("chat", prompt)):
            with pytest.raises(ProviderError, match="not json at all"):
                verb("hello")
        return None
    case.api.reset()
    case.api.error_after = 1 if case.name in GOOGLE else 5 if case.format == "openai.responses" else 4
    with pytest.raises(ProviderError, match=r"stream broke after .* characters: overloaded") as error:
        case.call.stream("hello")
    assert ("server" if case.name == "cohere" else "overloaded") == error.value.kind  # Cohere names no kind of error
    return None if case.name == "litellm" else broken_bytes(case)


def broken_bytes(case):
    """Check bytes that are no reply, for all providers but litellm, which reads replies itself."""
    case.api.reset()
    case.api.cut_after = 2 if case.name in GOOGLE else 4
    with pytest.raises(ProviderError, match="stream"):
        case.call.stream("hello")
    case.api.reset()
    case.api.junk = b'data: {"choices": 5, "type": 7\n\n'
    with pytest.raises(ProviderError, match=r"its format does not know|stream broke"):
        case.call.stream("hello")
    case.api.reset()
    case.api.statuses = [b"<html>"]
    with pytest.raises(ProviderError, match="something that is no JSON\n  <html>"):
        case.call("chat", "hello")
    case.api.reset()


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
    "broken": broken_replies,
    "close": a_close,
}


def test_table_has_every_provider_and_a_check_for_every_column():
    """Every option is either sent by a format or listed as unsupported, not both."""
    assert set(list_providers()) <= set(EVERY)
    assert sorted(CAPABILITIES) == sorted(CHECKS)
    assert set(CANNOT) <= {(form, capability) for form in FORMATS.values() for capability in CHECKS}
    used = [(form, one) for form in set(FORMATS.values()) - {"none"} for one in CLIENT_ARGUMENTS]
    assert [] == [cell for cell in used if (cell in CANNOT) == (cell[1] in SENT[cell[0]])]


def test_table_shows_failed_and_missing_cells():
    """A cell that failed, one that ran only sync or async, and one that never ran are marked."""
    parts = [("azure", {"chat": "s", "tools": "-"}), ("azure", {"chat": "a", "tools": "-"}), ("groq", {"chat": "s"})]
    table = written([*parts, ("ollama", {"chat": "s", "tools": "!"}), ("ollama", {"recorded": "3"})]).splitlines()

    assert ["       chat tools recorded", "azure  sa   -", "groq   s    ?", "ollama s    !     3"] == table[:4]
    assert "1 cells passed sync and async, 1 not offered, 4 open" == table[-1]


@SYNC_AND_ASYNC
@pytest.mark.parametrize("name", EVERY)
def test_provider_capabilities(name, client_class, api, claude, tmp_path, record_property):
    """Each capability of a provider works or is rejected as listed; one failure hides no other."""
    for variable, value in {**variables(name), "LLM_MODELS_CACHE": str(tmp_path)}.items():
        claude.setenv(variable, value)
    case = Case(name, client(name, api.url, client_class), api, tmp_path / "runs.jsonl")
    case.set_behaviour = lambda behaviour: claude.setenv("STUB_CLAUDE", behaviour)
    marks, failures = {}, []
    with case.call:
        for capability, check in CHECKS.items():
            try:
                marks[capability] = check(case) or ("s" if client_class is SyncLLMClient else "a")
            except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  every cell is tried
                error.add_note(f"{name}, {capability}, {client_class.__name__}")
                marks[capability] = "!"
                failures.append(error)
    record_property("row providers", [name, marks])
    if failures:
        raise BaseExceptionGroup(f"{len(failures)} of {len(CHECKS)} cells", failures)
