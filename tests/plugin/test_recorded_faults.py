"""Faults that a test injects into its replay: replies, counts and errors."""

TESTS = """
import app, httpx2, pytest

def answer(*args):
    try:
        return app.ask(*args).get("content", [{}])[0].get("text", "refused")
    except httpx2.HTTPError as error:
        return type(error).__name__

@pytest.mark.llm_budget(max_tokens=15, max_cost_usd=1)
def test_tries_again(llm_cassette, llm_budget):
    llm_cassette.fault(status=429, at=1, retry_after=0)
    llm_cassette.disconnect()
    llm_cassette.timeout()
    assert ["refused", "RemoteProtocolError", "ReadTimeout", "pong"] == [answer("ping") for _ in range(4)]
    assert [False, False, False, True] == [call.is_billed for call in llm_cassette.calls]
    assert ["rate_limited", "protocol", "read_timeout", 200] == [call.error or call.status for call in llm_cassette.calls]
    assert (None, None) == (llm_cassette.calls[0].usage, llm_cassette.calls[0].cost_usd)
    assert (4, 15) == (llm_budget.spent["calls"], llm_budget.spent["tokens"])

def test_is_cut_and_tried_again(llm_cassette):
    if not llm_cassette.mode.connects:
        llm_cassette.cut(after_chunks=0)
        assert "RemoteProtocolError" == answer("ping")
    assert "pong" == answer("ping")

def test_gives_up(llm_cassette):
    llm_cassette.fault(status=503, at=range(1, 4))
    assert ["refused"] * 3 == [answer("ping") for _ in range(3)]
"""


def test_tests_with_faults_record_and_replay(project):
    """A fault replaces the provider's reply in every mode; the retry is recorded once."""
    project.makepyfile(test_app=TESTS)
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=3)
    result = project.runpytest_subprocess()

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(
        ["replay  2 calls: 24 tokens in, 6 out, *", "fault   7 calls failed by an injected fault"]
    )
    assert sorted(path.stem for path in project.path.glob("cassettes/**/*.yaml")) == [
        "test_is_cut_and_tried_again",
        "test_tries_again",
    ]


def test_an_impossible_or_unreached_fault_fails_the_test(recorded):
    """The message has what happened, the nearest cause and what to type."""
    recorded.makepyfile(
        test_app="""
        import app, httpx2, pytest

        @pytest.mark.llm
        def test_greets(llm_cassette):
            llm_cassette.fault(429, at=2)
            app.ask("ping")

        @pytest.mark.llm(cassette="test_app/test_greets")
        def test_cut_late(llm_cassette):
            llm_cassette.cut(after_chunks=7)
            app.ask("ping")

        @pytest.mark.llm(cassette="test_app/test_greets")
        def test_mistakes(llm_cassette):
            texts = []
            app.ask("ping")
            for mistake in [
                lambda: llm_cassette.fault(200),
                lambda: llm_cassette.fault(429, kind="rate_limit"),
                lambda: llm_cassette.fault(429, at=1),
                lambda: llm_cassette.speed(0),
                lambda: (llm_cassette.disconnect(at=2), llm_cassette.timeout(at=2)),
            ]:
                with pytest.raises(Exception) as caught:
                    mistake()
                texts.append(caught.value.report)
            print("\\n".join(texts))
            assert False
        """
    )
    lines = recorded.runpytest_subprocess("-p", "no:cacheprovider").stdout.str().splitlines()
    output = "\n".join(lines)

    assert (
        "FaultError: never reached: fault(status=429, at=2) for call 2\n"
        "  the test made 1 call\n"
        "  if code under test was to try again, look why it did not; else take the fault away\n"
    ) in output
    assert ("FaultError: cut(after_chunks=7) lies behind the end of the reply to POST 127.0.0.1") in output
    assert ("  it was recorded in 1 chunk\n  cut it earlier: llm_cassette.cut(after_chunks=0)\n") in output
    assert (
        "FaultError: fault(status=200) cannot be injected\n"
        "  an error has a status from 400 to 599\n"
        "  for example: llm_cassette.fault(status=429)\n"
        "FaultError: fault(status=429) cannot be injected\n"
        "  kind 'rate_limit' is not known\n"
        "  for example: llm_cassette.fault(status=429, kind='rate_limited')\n"
        "FaultError: fault(status=429, at=1) cannot be injected: call 1 was made already\n"
        "  calls are counted from 1, in the order in which the test makes them\n"
        "  inject it before the call is made, or into a later one: at=2\n"
        "FaultError: speed(0) cannot be injected\n"
        "  a speed is more than 0\n"
        "  for example: llm_cassette.speed(1.0)\n"
        "FaultError: timeout(at=2) and disconnect(at=2) both end call 2\n"
        "  a call can end in one way only\n"
        "  let one of them come later: at=3\n"
    ) in output


def test_a_recording_run_rejects_the_cut_fault(recorded):
    """The recorded reply would be incomplete."""
    recorded.makepyfile(
        test_app="""
        import app

        def test_greets(llm_cassette):
            llm_cassette.cut(after_chunks=1)
            app.ask("ping")
        """
    )
    result = recorded.runpytest_subprocess("--llm-record")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*FaultError: cut(after_chunks=1) needs a recorded reply, and this run calls the provider",
            "E*  cut while it is recorded, the reply would be recorded cut",
            "E*  to record the test: if not llm_cassette.mode.connects: llm_cassette.cut(after_chunks=1)",
        ]
    )
