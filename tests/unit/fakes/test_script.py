"""What scripts give for a call, and what they say when they cannot; every answer is read by the official SDKs."""

import re
import time
from decimal import Decimal

import anthropic
import httpx2
import openai
import pytest
from pydantic import BaseModel

from llm_gateway import SyncLLMClient, ToolCall
from llm_gateway.exceptions import FakeError, FakeMissError, FakeScriptError, FakeUnusedError, ProviderError
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import ImagePart, TextPart, ThinkingPart, TokenUsage

HERE = re.escape("test_script.py")


class Ticket(BaseModel):
    queue: str
    urgent: bool = False


def ask(gpt, text="hello", **options):
    return gpt.chat.completions.create(model="gpt-5", messages=[{"role": "user", "content": text}], **options)


def text_of(reply):
    return reply.choices[0].message.content


def test_answers_in_order(fake, gpt, claude):
    """The queue is one for all SDKs; each gets the next answer in its own format."""
    fake.reply("one").reply("two").reply(["three ", TextPart("parts")])

    message = claude.messages.create(model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "hi"}])

    assert "one" == message.content[0].text
    assert "two" == text_of(ask(gpt))
    assert "three parts" == text_of(ask(gpt))
    assert ["claude-x", "gpt-5", "gpt-5"] == [call.model for call in fake.calls]


def test_an_object_has_the_form_that_the_call_requests(fake, gpt, claude):
    """By the format's own schema, as the argument of the only tool, or as JSON text."""
    fake.reply(Ticket(queue="billing"), times=3)
    messages = [{"role": "user", "content": "hi"}]

    parsed = gpt.chat.completions.parse(model="gpt-5", messages=messages, response_format=Ticket)
    tool = {"name": "route", "input_schema": Ticket.model_json_schema()}
    forced = claude.messages.create(
        model="claude-x", max_tokens=9, messages=messages, tools=[tool], tool_choice={"type": "tool", "name": "route"}
    )

    assert Ticket(queue="billing") == parsed.choices[0].message.parsed
    assert {"queue": "billing", "urgent": False} == forced.content[0].input
    assert '{"queue": "billing", "urgent": false}' == text_of(ask(gpt))


def test_conditions_come_before_the_queue(fake, gpt):
    """A condition answers the calls it fits, as long as it has answers; others get the queue's."""
    fake.reply("anything", times=2)
    fake.on(contains="weather").reply("sunny")
    fake.on(model="gpt-*", match=lambda call: call.params.get("temperature") == 0).reply("cold")

    assert "anything" == text_of(ask(gpt))
    assert "sunny" == text_of(ask(gpt, "the weather?"))
    assert "cold" == text_of(ask(gpt, temperature=0))
    assert "anything" == text_of(ask(gpt, "the weather?"))


def test_the_client_waits_for_no_fake_and_pays_for_none(fake, monkeypatch):
    """A scripted error is tried again at once, as a recorded one is; a scripted answer costs nothing anywhere."""
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    fake.error(429, retry_after=20, then="at last")

    with SyncLLMClient(model="openai:gpt-5", api_key="k") as llm:
        reply = llm.chat("hi")

    assert 0 == sum(slept)
    assert ("at last", Decimal(0), Decimal(0)) == (reply.content, reply.cost_usd, llm.total_cost_usd)


def test_each_api_is_overloaded_in_its_own_way(fake, gpt, claude):
    """Only Anthropic has a status of its own for it; one that is named is given as it is named."""
    fake.overloaded(times=2).error(529)
    request = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}

    with pytest.raises(anthropic.APIStatusError) as theirs:
        claude.messages.create(**request)
    statuses = []
    for _ in range(2):
        with pytest.raises(openai.InternalServerError) as ours:
            ask(gpt)
        statuses.append(ours.value.status_code)

    assert 529 == theirs.value.status_code
    assert [503, 529] == statuses


def test_params_are_all_options_that_were_set(fake, gpt):
    """An option has one name for all APIs; fields of a single API keep their names."""
    fake.reply("{}")
    ask(
        gpt,
        max_completion_tokens=9,
        temperature=0,
        top_p=0.5,
        seed=7,
        reasoning_effort="low",
        stop=["END"],
        tool_choice="auto",
        response_format={"type": "json_object"},
        presence_penalty=1,
    )

    assert {
        "max_tokens": 9,
        "temperature": 0,
        "top_p": 0.5,
        "seed": 7,
        "reasoning_effort": "low",
        "stop": ("END",),
        "tool_choice": "auto",
        "json_mode": True,
        "presence_penalty": 1,
    } == fake.last.params


def test_a_tool_call_and_its_result(fake, gpt):
    """The loop of an agent: the first answer calls a tool, and its result selects the next answer."""
    fake.reply(ToolCall("call_1", "look_up", {"city": "Oslo"}))
    fake.on(tool_result="12 degrees").reply("mild")
    tools = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]

    call = ask(gpt, tools=tools).choices[0].message.tool_calls[0]
    answer = gpt.chat.completions.create(
        model="gpt-5",
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "tool_calls": [call.model_dump()]},
            {"role": "tool", "tool_call_id": call.id, "content": "12 degrees"},
        ],
    )

    assert ("look_up", '{"city": "Oslo"}') == (call.function.name, call.function.arguments)
    assert "mild" == text_of(answer)
    assert {"call_1": "12 degrees"} == fake.last.tool_results


def test_a_function_sees_the_call(fake, gpt):
    """It may answer with anything that may be scripted."""
    fake.reply(lambda call: f"{call.model} got {call.text!r}")

    assert "gpt-5 got 'hello'" == text_of(ask(gpt))


def test_a_stream_is_cut_as_scripted(fake, gpt):
    """Each chunk is one event; usage comes at the end, if the request includes it."""
    fake.stream(["Hel", "lo"]).usage(input=10, output=5, cache_read=4).stream(["a", "b"])

    events = list(ask(gpt, stream=True, stream_options={"include_usage": True}))
    without = list(ask(gpt, stream=True))

    assert ["Hel", "lo"] == [
        one.choices[0].delta.content for one in events if one.choices and one.choices[0].delta.content
    ]
    assert (10, 5, 4) == (
        events[-1].usage.prompt_tokens,
        events[-1].usage.completion_tokens,
        events[-1].usage.prompt_tokens_details.cached_tokens,
    )
    assert {None} == {one.usage for one in without}


def test_usage_adds_up_when_it_is_not_scripted(fake, claude):
    """The same call always reports the same usage, and the total is the sum of its parts."""
    fake.reply([ThinkingPart("hmm, let me think", "sig"), "fine"], times=2)
    ask_claude = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}

    one, two = claude.messages.create(**ask_claude).usage, claude.messages.create(**ask_claude).usage

    assert one == two
    assert 0 < one.input_tokens
    assert 6 == one.output_tokens


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, openai.RateLimitError), (401, openai.AuthenticationError), (500, openai.InternalServerError)],
)
def test_errors_are_the_providers_own(fake, gpt, status, kind):
    """The SDK raises what it raises for the real thing, with the words and the wait that were scripted."""
    fake.error(status, "no, thanks", retry_after=1, then="now")

    with pytest.raises(kind, match="no, thanks") as caught:
        ask(gpt)

    assert "1" == caught.value.response.headers["retry-after"]
    assert "now" == text_of(ask(gpt))


def test_an_sdk_retries_by_itself(fake):
    """A rate limit, an overload and a timeout, then the answer."""
    fake.error(429, retry_after=0).overloaded().timeout(then="at last")

    assert "at last" == text_of(ask(openai.OpenAI(api_key="k", max_retries=3)))
    assert 4 == len(fake.calls)


def test_connections_break_where_scripted(fake, gpt):
    """Before a reply, in the middle of a stream, and in the middle of a body."""
    fake.disconnect().disconnect(after_chunks=2, content="a b c").malformed()

    with pytest.raises(openai.APIConnectionError):
        ask(gpt)
    stream = ask(gpt, stream=True)
    assert ["", "a "] == [next(stream).choices[0].delta.content for _ in range(2)]
    with pytest.raises((openai.APIConnectionError, httpx2.ReadError)):
        next(stream)
    with pytest.raises(ValueError, match=r"JSON|Expecting|delimiter"):
        ask(gpt)


def test_a_stream_contains_an_error(fake, gpt, claude):
    """After so many of its events, in the words that each SDK looks for."""
    fake.error(529, "too much", after_chunks=4).error(500, "went wrong", after_chunks=2)

    with (
        claude.messages.stream(model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "hi"}]) as stream,
        pytest.raises(anthropic.APIStatusError, match="too much"),
    ):
        assert "one " == next(stream.text_stream)
        stream.until_done()
    with pytest.raises(openai.APIError, match="went wrong"):
        list(ask(gpt, stream=True))


@pytest.mark.parametrize("dialect", ["anthropic", "openai", "openai_responses", "gemini", "bedrock"])
def test_every_client_raises_the_error_of_a_stream(fake, dialect, monkeypatch):
    """With its kind, and after what came before."""
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("LLM_MAX_RETRIES", "0")
    fake.error(503, "slow down, please", after_chunks=3)

    with SyncLLMClient(provider=dialect, api_key="k") as client, pytest.raises(ProviderError) as caught:
        list(client.stream("hi"))

    assert "slow down, please" in caught.value.message
    assert caught.value.kind in ("overloaded", "server")


def test_endings_other_than_the_usual(fake, claude):
    """Cut off by the limit, and refused."""
    fake.truncated("once upon").refusal()
    ask_claude = {"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}

    assert ["max_tokens", "refusal"] == [claude.messages.create(**ask_claude).stop_reason for _ in range(2)]


def test_set_response_is_for_every_sdk_and_the_client(fake, gpt):
    """Any number of calls gets the object of the class."""
    fake.set_response(Ticket, Ticket(queue="sales"))
    messages = [{"role": "user", "content": "hi"}]

    parsed = gpt.chat.completions.parse(model="gpt-5", messages=messages, response_format=Ticket)
    with SyncLLMClient(provider="anthropic", api_key="k") as client:
        own = client.complete("hi", response_model=Ticket)

    assert Ticket(queue="sales") == parsed.choices[0].message.parsed == own.content


def test_generates_an_object_of_the_schema(fake, gpt):
    """Where nothing is scripted, and only when the test wants that."""
    fake.generate()

    messages = [{"role": "user", "content": "hi"}]
    parsed = gpt.chat.completions.parse(model="gpt-5", messages=messages, response_format=Ticket)

    assert Ticket(queue="queue", urgent=False) == parsed.choices[0].message.parsed
    assert "generated" == text_of(ask(gpt))


def test_a_call_without_an_answer_shows_the_request(tmp_path, gpt):
    """And what is still waiting for another call."""
    fake = FakeLLM()
    with pytest.raises(FakeMissError) as caught, use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        fake.on(model="claude-*").reply("x")
        with pytest.raises(openai.APIStatusError, match="fake_llm has no answer"):
            ask(gpt)

    assert re.fullmatch(
        r"fake_llm has no answer for call #1 openai gpt-5 \(openai.chat\)\n"
        r"    user: 'hello'\n"
        rf"  .*{HERE}:\d+ waits for on\(model='claude-\*'\)\n"
        r'  to script it: fake_llm.reply\("..."\) before the call',
        str(caught.value),
    ), caught.value


def test_unused_answers_name_their_lines(tmp_path):
    """The error names the nearest model that was called instead of the one in the condition."""
    fake = FakeLLM()
    with pytest.raises(FakeUnusedError) as caught, use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        fake.on(model="gpt-5-mini").reply("x")
        fake.reply("y")
        ask(openai.OpenAI(api_key="k"))

    assert "1 scripted answer was never used" == caught.value.message
    assert re.search(rf"{HERE}:\d+ on\(model='gpt-5-mini'\); did you mean 'gpt-5'\?", str(caught.value))


def bad_object(fake, gpt):
    fake.reply({"queue": 3, "urgent": True})
    gpt.chat.completions.parse(model="gpt-5", messages=[{"role": "user", "content": "hi"}], response_format=Ticket)


def bad_part(fake, gpt):
    fake.reply(ThinkingPart("hm"))
    ask(gpt)


def bad_thing(fake, gpt):
    fake.reply(object)
    ask(gpt)


def given_part(fake, gpt):
    fake.reply(ImagePart(url="https://example.com/cat.png"))
    ask(gpt)


def bad_figure(fake, gpt):
    fake.reply("x").usage(input=9, output=5, cache_read=4)
    local = openai.OpenAI(api_key="k", base_url="http://localhost:11434", max_retries=0)
    local.post("/api/chat", cast_to=object, body={"model": "m", "messages": [], "stream": False})


def bad_late_error(fake, gpt):
    fake.error(529, after_chunks=99)
    list(ask(gpt, stream=True))


def bad_cut(fake, gpt):
    fake.disconnect(after_chunks=99)
    ask(gpt, stream=True)


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (bad_object, "the scripted object does not fit the requested schema: queue: 3 is not of type 'string'"),
        (bad_part, "openai.chat cannot answer with a ThinkingPart"),
        (
            given_part,
            "fake_llm cannot answer with ImagePart(data=None, media_type=None, url='https://example.com/cat.png')",
        ),
        (bad_figure, "ollama.chat cannot report usage(cache_read=4)"),
        (bad_thing, "fake_llm cannot answer with <class 'object'>"),
        (bad_cut, "disconnect(after_chunks=99) comes after the end: the answer has"),
        (bad_late_error, "error(529, after_chunks=99) comes after the end: the answer has"),
    ],
)
def test_an_answer_without_a_format_names_the_line_that_scripted_it(tmp_path, gpt, script, text):
    """The test fails with that, whatever the code under test makes of the answer."""
    fake = FakeLLM()
    with pytest.raises(FakeScriptError) as caught, use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        with pytest.raises(openai.APIStatusError):
            script(fake, gpt)

    assert caught.value.message.startswith(text)
    assert re.search(rf"it was scripted at .*{HERE}:\d+", str(caught.value))
    assert caught.value.fix


async def waits(call):
    return "x"


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (lambda: FakeLLM().reply(waits), "reply(waits) is async, and would never be awaited"),
        (lambda: FakeLLM().error(200), "error(200) is no error"),
        (lambda: FakeLLM().usage(input=1, output=1), "usage(...) belongs to an answer, and none is scripted yet"),
        (
            lambda: FakeLLM().reply("x").usage(input=1, output=1, cache_read=2),
            "usage(input=1, output=1, cache_read=2, cache_write=0, reasoning=0) does not add up",
        ),
        (lambda: FakeLLM().reply("x", times=0), "times=0 answers no call"),
    ],
)
def test_wrong_scripts_are_refused_at_once(script, text):
    """At the line that scripts them."""
    with pytest.raises(FakeScriptError) as caught:
        script()

    assert text == caught.value.message
    assert caught.value.fix


def test_counts_as_a_fake_that_cost_nothing(tmp_path, gpt):
    """Usage is what the answer reported."""
    fake = FakeLLM()
    with use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        fake.reply("x").usage(input=7, output=3)
        ask(gpt)

    (call,) = cassette.calls
    usage = TokenUsage(7, 3, 0, 0, None, 0, 0, 0, service_tier="default")
    assert ("fake", 0, usage) == (
        call.source,
        call.cost_usd,
        call.usage,
    )


def test_calls_read_well_in_a_failed_assert(fake, gpt):
    """With roles and texts, and without credentials."""
    fake.reply("x", times=2)
    ask(gpt, "first")
    ask(gpt, "second", stream=True)

    with pytest.raises(AssertionError) as caught:
        fake.assert_called_once()

    assert str(caught.value) == (
        "expected 1 call to the model, got 2 calls:\n"
        "  #1 openai gpt-5 (openai.chat)\n    user: 'first'\n"
        "  #2 openai gpt-5 (openai.chat, streamed)\n    user: 'second'"
    )
    assert "authorization" not in fake.last.headers
    assert 1 == len(fake.calls.of(contains="second"))


KEY = "sk-ant-api03-" + "abcDEF123" * 6


def raises(call):
    raise ValueError(f"bad key {KEY}")


@pytest.mark.parametrize("script", [lambda fake: fake, lambda fake: fake.reply(raises)], ids=["miss", "function"])
def test_no_failure_shows_a_key(tmp_path, gpt, script):
    """Neither from the prompt nor from what a function raised, in the test's failure and in the SDK's error."""
    fake = FakeLLM()
    with pytest.raises(FakeError) as caught, use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(fake)
        script(fake)
        with pytest.raises(openai.APIStatusError) as shown:
            ask(gpt, f"my key is {KEY}" if not fake.entries else "hi")

    assert KEY not in caught.value.report + str(shown.value) + str(shown.value.body)
    assert "key" in caught.value.report


def test_never_lets_a_call_out(fake):
    """An API that no format describes is refused as well."""
    with pytest.raises(openai.APIStatusError, match=r"fake_llm cannot answer POST api.openai.com/v1/audio/speech"):
        openai.OpenAI(api_key="k", max_retries=0).audio.speech.create(model="tts-1", voice="alloy", input="hi")


def test_only_some_providers(fake, gpt):
    """Others are the cassette's business."""
    fake.only("anthropic")

    with pytest.raises(openai.APIStatusError, match="no recording matches"):
        ask(gpt)
    assert not fake.calls


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (lambda fake: fake.stream(["a"], gap_s=-1), "gap_s=-1 is no wait\n  it is a number of seconds, 0 or more"),
        (lambda fake: fake.stream(["a"], gap_s=float("nan")), "gap_s=nan is no wait\n"),
        (lambda fake: fake.stream(["a", 5]), "stream(...) got 5\n  its chunks are texts"),
        (
            lambda fake: fake.disconnect(after_chunks=-2),
            "disconnect(after_chunks=-2) is before the call\n  chunks are counted from 0",
        ),
    ],
)
def test_numbers_that_cannot_be(fake, script, text):
    """They fail at the line that scripts them, before any call."""
    with pytest.raises(FakeScriptError, match=re.escape(text)) as caught:
        script(fake)

    assert re.search(rf"it was scripted at .*{HERE}:\d+", str(caught.value))


@pytest.mark.parametrize("is_condition", [False, True])
def test_a_function_that_calls_the_model_forever(fake, gpt, is_condition):
    """Ends soon, with what to script."""

    def again(_):
        return text_of(ask(gpt, "again"))

    script = fake.on(match=again).reply("never") if is_condition else fake.reply(again, times=None)
    with pytest.raises(openai.APIStatusError, match="its own call was refused"):
        ask(gpt)

    first, second = fake.cassette.outcome.failures()
    assert (
        "FakeScriptError: 8 answers of fake_llm wait for each other\n"
        "  a function that answers, or that is a condition, calls the model itself, again and again\n"
        '  script the inner call first: fake_llm.on(contains="...").reply("...")'
    ) == first.report
    assert "a function of the script failed: APIStatusError: its own call was refused" == second.message
    script.entries.clear()


def test_a_function_that_calls_the_model(fake, gpt):
    """Is answered itself."""
    fake.on(contains="outer").reply(lambda _: f"outer and {text_of(ask(gpt, 'inner'))}").reply("again")
    fake.on(contains="inner").reply("inner")

    assert "outer and inner" == text_of(ask(gpt, "outer"))
    assert "again" == text_of(ask(gpt, "outer"))


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            lambda fake: fake.only("openai", "antropic"),
            "only(...) names 'antropic', which is no provider\n  did you mean",
        ),
        (
            lambda fake: fake.on(provider="opnai"),
            "on(provider=...) names 'opnai', which is no provider\n  did you mean",
        ),
        (lambda fake: fake.only(""), "only(...) names '', which is no provider\n  it was scripted at"),
    ],
)
def test_a_provider_that_is_not_known(fake, script, text):
    """Is refused at its line, with the names that are."""
    with pytest.raises(FakeScriptError, match=re.escape(text)) as caught:
        script(fake)

    assert re.search(rf"it was scripted at .*{HERE}:\d+", str(caught.value))
    assert "\n  known providers: alephalpha, anthropic, " in str(caught.value)


def test_providers_that_are_known(fake):
    """By an address, or by a command."""
    fake.only("azure", "bedrock", "ollama", "local_claude")

    assert fake.wants_runs()


def message_of(error):
    """Return the message of the reply behind an SDK's error, whatever text the SDK makes of it."""
    return error.response.json()["message"]


def test_a_condition_without_an_answer(fake, gpt):
    """Is named, as a verb was forgotten there."""
    fake.on(model="gpt-*")
    with pytest.raises(openai.APIStatusError) as caught:
        ask(gpt)

    assert re.search(rf"\n  .*{HERE}:\d+ scripts no answer for on\(model='gpt-\*'\)\n", message_of(caught.value))


@pytest.mark.parametrize(("times", "text"), [(1, "the one scripted answer was"), (2, "all 2 scripted answers were")])
def test_all_is_given(fake, gpt, times, text):
    """The error of a call without an answer names it."""
    fake.reply("hi", times=times)
    for _ in range(times):
        ask(gpt)

    with pytest.raises(openai.APIStatusError) as caught:
        ask(gpt)

    assert f"\n  {text} given before\n" in message_of(caught.value)


def test_a_kind_of_error(fake, gpt):
    """Where one status has several."""
    fake.error(429, kind="quota_exhausted")
    with pytest.raises(openai.RateLimitError) as caught:
        ask(gpt)

    assert "insufficient_quota" == caught.value.code


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            lambda fake: fake.error("429"),
            "error('429') is no error\n  errors have a status from 400 to 599, a number; ",
        ),
        (lambda fake: fake.error(429, kind="quota"), "error(429, kind='quota') is no error\n  kinds are auth, "),
    ],
)
def test_errors_that_cannot_be(fake, script, text):
    """Are refused at their line, with what is one."""
    with pytest.raises(FakeScriptError, match=re.escape(text)) as caught:
        script(fake)

    assert re.search(rf"it was scripted at .*{HERE}:\d+\n", str(caught.value))


def _no_bob(call):
    assert "Bob" in call.text, "no Bob"
    return "ok"


@pytest.mark.parametrize("is_condition", [False, True])
def test_a_function_that_fails(fake, is_condition):
    """Fails the test at once, by an SDK that would try again after any exception too."""
    script = fake.on(match=_no_bob).reply("never") if is_condition else fake.reply(_no_bob)
    with pytest.raises(anthropic.APIStatusError, match="no Bob"):
        anthropic.Anthropic(api_key="k", max_retries=2).messages.create(
            model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
        )

    [problem] = fake.cassette.outcome.failures()
    line = _no_bob.__code__.co_firstlineno
    assert problem.message.startswith("a function of the script failed: AssertionError: no Bob")
    assert re.fullmatch(rf"it was scripted at .*{HERE}:\d+\nit failed at .*{HERE}:{line + 1}", problem.cause)
    assert isinstance(problem.__cause__, AssertionError)
    script.entries.clear()


def test_a_function_that_takes_no_call(fake, gpt):
    """The error names the line that scripted it, because no line of the function failed."""
    fake.reply(lambda: "hi")
    with pytest.raises(openai.APIStatusError, match=r"TypeError: .* takes 0 positional arguments") as caught:
        ask(gpt)

    assert "it failed at" not in str(caught.value)


def test_a_function_that_skips(fake, gpt):
    """Skips the test."""
    fake.reply(lambda _: pytest.skip("no Bob today"))
    with pytest.raises(pytest.skip.Exception, match="no Bob today"):
        ask(gpt)


def test_keys_in_an_address(fake):
    """Calls show where they were sent without them."""
    fake.reply("hi")
    host = "https://me:hunter2@generativelanguage.googleapis.com/v1beta/models"
    httpx2.post(f"{host}/gemini-2.5-flash:generateContent?key=s3cret", json={"contents": [{"parts": [{"text": "hi"}]}]})
    httpx2.get(f"{host}?key=s3cret")

    text = repr([*fake.calls, *fake.other_calls])
    assert "gemini-2.5-flash:generateContent?key=" in text
    assert "s3cret" not in text
    assert "hunter2" not in text


def test_a_body_that_is_nested_too_deep(fake):
    """Is no request of any API."""
    reply = httpx2.post("https://api.openai.com/v1/chat/completions", content=b"[" * 100_000)

    assert "FakeMissError: fake_llm cannot read what was sent to POST api.openai.com" in reply.text
