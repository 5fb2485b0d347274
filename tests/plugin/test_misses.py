"""Calls without a recording, recordings without a call, and blocked calls."""

import re


def lines(result):
    return result.stdout.str().splitlines()


def test_a_changed_prompt_fails_with_the_nearest_recording(recorded):
    """The message has the request, the file, the difference and the command to type."""
    source = recorded.path / "test_app.py"
    source.write_text(source.read_text().replace('"ping"', '"pingg"'))
    result = recorded.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    shown = re.sub(r"127\.0\.0\.1:\d+", "HOST", result.stdout.str())
    assert (
        "CassetteMissError: no recording matches POST HOST/v1/messages\n"
        "  in cassettes/test_app/test_greets.yaml (1 recorded, 0 already used)\n"
        "  nearest: #1, differs in messages[0].content: 'pingg' != 'ping'\n"
        "  to record it: pytest --llm-record test_app.py::test_greets\n"
    ) in shown
    result.stdout.fnmatch_lines(["miss    1 call found no answer"])


def test_a_miss_fails_the_test_even_if_the_error_is_caught(recorded):
    """Whatever the code under test makes of it."""
    recorded.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        def test_greets():
            try:
                app.ask("another")
            except Exception:
                pass
        """
    )
    result = recorded.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["CassetteMissError: no recording matches POST *"])


def test_a_call_without_a_cassette_fails_the_test(project):
    """The message has the command that records it."""
    project.makepyfile(test_app="import app, pytest\n@pytest.mark.llm\ndef test_new():\n    app.ask('x')\n")
    result = project.runpytest_subprocess()

    result.stdout.fnmatch_lines(
        [
            "CassetteMissError: no recording matches POST *",
            "  there is no cassette cassettes/test_app/test_new.yaml yet",
            "  to record it: pytest --llm-record test_app.py::test_new",
        ]
    )


def test_a_repeated_call_reports_that_all_recordings_are_used(recorded):
    """It is not reported as a changed request."""
    source = recorded.path / "test_app.py"
    source.write_text(source.read_text() + "\n    app.ask('ping')\n")

    recorded.runpytest_subprocess().stdout.fnmatch_lines(
        ["  the same request was recorded once (#1) and each recording was used already"]
    )


def test_an_unused_recording_fails_the_test(recorded):
    """Unless the marker allows it."""
    recorded.makepyfile(test_app="import pytest\n@pytest.mark.llm\ndef test_greets():\n    pass\n")
    result = recorded.runpytest_subprocess()
    recorded.makepyfile(test_app="import pytest\n@pytest.mark.llm(allow_unused=True)\ndef test_greets():\n    pass\n")
    accepted = recorded.runpytest_subprocess()

    result.stdout.fnmatch_lines(
        [
            "CassetteUnusedError: 1 of 1 recorded exchanges were not used in cassettes/test_app/test_greets.yaml",
            "  never requested: #1 POST 127.0.0.1:*/v1/messages",
            "  to record it again: pytest --llm-record test_app.py::test_greets",
            "  to accept it: @pytest.mark.llm(allow_unused=True)",
        ]
    )
    result.assert_outcomes(passed=1, errors=1)
    accepted.assert_outcomes(passed=1)


def test_an_unmarked_call_to_a_provider_is_blocked_and_listed(project):
    """Also where the test swallows the error."""
    project.makepyfile(
        test_app="""
        import httpx2, pytest

        def test_forgot_the_mark():
            try:
                httpx2.post("https://api.anthropic.com/v1/messages", json={})
            except Exception:
                pass
        """
    )
    for extra in ([], ["--llm-record"], ["-n", "2"]):
        result = project.runpytest_subprocess(*extra)

        result.assert_outcomes(failed=1)
        result.stdout.fnmatch_lines(
            [
                "BlockedCallError: test_app.py::test_forgot_the_mark called POST api.anthropic.com/v1/messages",
                "  LLM calls are closed to tests that are not marked; none was made and nothing was spent",
                "  to record and replay it: *, then run pytest --llm-record test_app.py::test_forgot_the_mark",
                "blocked test_app.py::test_forgot_the_mark POST api.anthropic.com/v1/messages",
            ]
        )


def test_calls_to_local_servers_are_sent_in_unmarked_tests(project, provider):
    """Servers that a test starts itself are not intercepted there."""
    project.makepyfile(test_app="import app\ndef test_own_server():\n    assert app.ask('x')['role'] == 'assistant'\n")

    project.runpytest_subprocess().assert_outcomes(passed=1)
    assert len(provider.requests) == 1


def test_an_unreadable_cassette_fails_the_test_and_is_not_overwritten(recorded):
    """In a replay and when recording; the error has file and line."""
    path = recorded.path / "cassettes/test_app/test_greets.yaml"
    path.write_text(path.read_text()[:60] + "\n  - [")
    before = path.read_bytes()
    for mode in ([], ["--llm-record"], ["--llm-record=new"]):
        result = recorded.runpytest_subprocess(*mode)

        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines(
            [
                "CassetteReadError: cannot read cassette cassettes/test_app/test_greets.yaml, line *",
                "  restore it from version control, or delete it and record again: pytest --llm-record",
            ]
        )
        assert before == path.read_bytes()
