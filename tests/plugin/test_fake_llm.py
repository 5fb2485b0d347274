"""The fixture ``fake_llm``, in every mode of the plugin."""

import pytest

SUITE = """
import openai
import pytest

def ask(text="hi"):
    reply = openai.OpenAI(max_retries=0).chat.completions.create(
        model="gpt-5", messages=[{"role": "user", "content": text}]
    )
    return reply.choices[0].message.content

def test_by_an_sdk(fake_llm):
    fake_llm.reply("scripted")
    assert ask() == "scripted"

def test_by_the_client(llm, fake_llm):
    fake_llm.reply("scripted")
    assert llm.chat("hi").content == "scripted"

@pytest.mark.asyncio
async def test_by_the_async_client(llm, fake_llm):
    fake_llm.reply("scripted")
    assert (await llm.chat("hi")).content == "scripted"

@pytest.mark.llm_budget(max_tokens=100)
def test_counts_tokens(fake_llm):
    fake_llm.reply("scripted").usage(input=90, output=20)
    ask()

def test_swallows(fake_llm):
    try:
        ask()
    except openai.APIStatusError:
        pass

def test_leaves_some(fake_llm):
    fake_llm.reply("never")
"""


@pytest.mark.parametrize("mode", [(), ("--llm-record",), ("--llm-live",)])
def test_answers_in_every_mode(project, mode):
    """Nothing is sent, no cassette is written, and a mistake in a script fails the test."""
    project.makepyfile(test_fakes=SUITE)

    result = project.runpytest_subprocess(*mode)

    result.assert_outcomes(passed=4, failed=2, errors=1)
    result.stdout.fnmatch_lines(
        [
            "FakeUnusedError: 1 scripted answer was never used",
            "  test_fakes.py:35",
            "*110 tokens*",
            "FakeMissError: fake_llm has no answer for call #1 openai gpt-5 (openai.chat)",
            "    user: 'hi'",
            "fake    4 calls answered by a script",
        ]
    )
    assert not list(project.path.glob("cassettes/**/*.yaml"))


def test_an_injected_fault_comes_before_the_scripted_answer(project):
    """The answer is left for the next attempt."""
    project.makepyfile(
        test_both="""
        import openai

        def test_both(fake_llm, llm_cassette):
            fake_llm.reply("at last")
            llm_cassette.fault(status=429, retry_after=0)
            llm_cassette.timeout()
            request = {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]}
            reply = openai.OpenAI(max_retries=2).chat.completions.create(**request)
            assert reply.choices[0].message.content == "at last"
            assert [call.source for call in llm_cassette.calls] == ["fault", "fault", "fake"]
        """
    )

    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_lists_of_models_are_cached_for_one_test_only(project, monkeypatch):
    """A cached list would leave a recorded one unused, and a scripted list must not reach other tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(project.path / "mine"))
    project.makepyfile(
        test_lists="""
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        def test_lists(llm, fake_llm, number):
            assert llm.get_available_models()
            assert len(fake_llm.other_calls) == 1
        """
    )

    project.runpytest_subprocess().assert_outcomes(passed=2)
    assert not (project.path / "mine").exists()


def test_a_recording_and_a_script_for_the_same_host_are_an_error(project):
    """Neither takes precedence silently."""
    project.makepyfile(test_fakes=SUITE)
    folder = project.mkdir("cassettes") / "test_fakes"
    folder.mkdir()
    (folder / "test_by_an_sdk.yaml").write_text(
        "version: 1\ninteractions:\n- request: {method: POST, uri: 'https://api.openai.com/v1/chat/completions', "
        "headers: {}, body: '{}'}\n  response: {status: {code: 200, message: OK}, headers: {}, body: '{}'}\n"
    )

    result = project.runpytest_subprocess("-k", "test_by_an_sdk")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "FakeScriptError: both fake_llm and cassettes/test_fakes/test_by_an_sdk.yaml would answer POST *",
            "  the cassette holds recordings of that host, and fake_llm answers every model's calls",
            "  delete the cassette, or name who is faked: fake_llm.only('anthropic')",
        ]
    )
