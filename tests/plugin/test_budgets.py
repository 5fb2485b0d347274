"""Budgets in every mode, with every kind of caller."""

import re

import pytest

BODY = """
    import app, asyncio, pytest, threading

    MARK

    @pytest.mark.llm
    def test_greets():
        app.ask("one")
        app.ask("two")
"""


def suite(project, mark, body=BODY):
    project.makepyfile(test_app=body.replace("MARK\n", f"pytestmark = pytest.mark.{mark}\n"))
    return project


MODES = {"record": ["--llm-record"], "replay": [], "live": ["--llm-live"]}


LIMITS = {
    "max_tokens=29": "30 tokens, 1 over max_tokens=29",
    "max_input_tokens=20": "24 input tokens, 4 over max_input_tokens=20",
    "max_output_tokens=5": "6 output tokens, 1 over max_output_tokens=5",
    "max_calls=1": "2 calls, 1 over max_calls=1",
    "max_cost_usd=0.000005": "$0.0000054 spent, $0.0000004 over max_cost_usd=0.000005",
    "min_cache_hit=0.5": "cached input of claude-haiku-5-5 not known; llm_budget(allow_unknown=True) counts it as nothing",
    "min_cache_hit=0.5, allow_unknown=True": "0% of the input was read from the cache, below min_cache_hit=0.5",
}


@pytest.mark.parametrize("workers", [[], ["-n", "4"]], ids=["alone", "four workers"])
@pytest.mark.parametrize("mode", MODES)
def test_limits_hold_in_each_mode(mode, workers, project):
    """Each failure shows the limit, by how much it was exceeded, and a table of the calls."""
    tests = "".join(
        f"""
    @pytest.mark.llm_budget({limit})
    def test_{number}():
        app.ask("one")
        app.ask("two")
"""
        for number, limit in enumerate(LIMITS)
    )
    if mode == "replay":
        project.makepyfile(test_app="    import app, pytest\n" + re.sub(r"llm_budget\(.*\)", "llm", tests))
        project.runpytest_subprocess("--llm-record").assert_outcomes(passed=len(LIMITS))
    project.makepyfile(test_app="    import app, pytest\n" + tests)
    result = project.runpytest_subprocess(*MODES[mode], *workers)
    result.assert_outcomes(failed=len(LIMITS))
    shown = result.stdout.str()
    for number, line in enumerate(LIMITS.values()):
        assert f"BudgetExceededError: test_app.py::test_{number} is over its budget\n  {line}\n" in shown
    result.stdout.fnmatch_lines(["*call *input*output*cached*cost*", "*#1 claude-haiku-5-5 *12*3*"])
    result.stdout.fnmatch_lines(["*to allow it: raise the limit in @pytest.mark.llm_budget(...)"])


def test_a_budget_that_holds_passes(project):
    """At its limit."""
    suite(project, "llm_budget(max_tokens=30, max_calls=2, max_cost_usd='0.0000054')")
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_recording_is_kept_when_only_the_budget_failed(project):
    """Its calls are paid for; with a higher limit the test passes in replay."""
    suite(project, "llm_budget(max_tokens=29)")
    project.runpytest_subprocess("--llm-record").assert_outcomes(failed=1)
    suite(project, "llm_budget(max_tokens=30)")
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_test_that_has_used_up_its_budget_makes_no_more_calls(project, provider):
    """An endless loop stops at its limit, and nothing of it is saved."""
    body = """
    import app

    MARK

    def test_loops():
        for n in range(20):
            try:
                app.ask(f"again {n}")
            except Exception:
                pass
    """
    for limit, calls in (("max_calls=3", 3), ("max_tokens=40", 3), ("max_cost_usd=0.000004", 2)):
        suite(project, f"llm_budget({limit})", "    import pytest\n" + body)
        provider.requests.clear()
        result = project.runpytest_subprocess("--llm-record")
        result.assert_outcomes(failed=1)
        assert calls == len(provider.requests), limit
        result.stdout.fnmatch_lines(
            [
                "BudgetExceededError: test_app.py::test_loops is over its budget",
                "*over max_*",
                "*#2 claude-haiku-5-5*",
                "  POST 127.0.0.1*/v1/messages was not called any more",
                "  to allow it: raise the limit in @pytest.mark.llm_budget(...)",
                "refused * not made, by a limit on cost or calls",
            ]
        )
    assert not list(project.path.rglob("*.yaml"))


def test_threads_task_groups_and_swallowed_errors_count(project):
    """Each of their attempts is counted."""
    body = """
    import app, asyncio, pytest, threading

    MARK

    def test_threads():
        threads = [threading.Thread(target=app.ask, args=(f"thread {n}",)) for n in range(3)]
        for one in threads: one.start()
        for one in threads: one.join()

    def test_tasks():
        async def go():
            async with asyncio.TaskGroup() as group:
                for n in range(3):
                    group.create_task(app.ask_later(f"task {n}"))
        asyncio.run(go())

    def test_swallows():
        try:
            for n in range(3):
                app.ask(f"again {n}")
        except BaseException:
            pass
    """
    suite(project, "llm_budget(max_calls=3)", body)
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=3)
    suite(project, "llm_budget(max_calls=2)", body)
    for mode in MODES.values():
        result = project.runpytest_subprocess(*mode, "-n", "4")
        result.assert_outcomes(failed=3)
        assert 3 == result.stdout.str().count("3 calls, 1 over max_calls=2\n")


def test_the_innermost_value_counts_and_the_others_hold_too(project):
    """Module, class and test."""
    body = """
    import app, pytest

    MARK

    @pytest.mark.llm_budget(max_tokens=20)
    class TestClass:
        def test_inherits(self):
            app.ask("one")

        @pytest.mark.llm_budget(max_tokens=100)
        def test_own(self):
            app.ask("one"); app.ask("two")

        @pytest.mark.llm_budget(max_tokens=100)
        def test_too_many(self):
            app.ask("one"); app.ask("two"); app.ask("three")
    """
    suite(project, "llm_budget(max_calls=2)", body)
    result = project.runpytest_subprocess("--llm-record")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*3 calls, 1 over max_calls=2*"])


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ("llm_budget(max_token=1)", ["llm_budget knows no 'max_token'", "did you mean 'max_tokens'?"]),
        ("llm_budget(max_tokens=-1)", ["llm_budget(max_tokens=-1) cannot be a limit", "a whole number above 0"]),
        ("llm_budget(max_calls=0)", ["llm_budget(max_calls=0) cannot be a limit"]),
        ("llm_budget(max_cost_usd=float('nan'))", ["llm_budget(max_cost_usd=nan) cannot be a limit"]),
        ("llm_budget(min_cache_hit=2)", ["a share above 0, up to 1"]),
        ("llm_budget()", ["llm_budget sets no limit", "@pytest.mark.llm_budget(max_tokens=2000)"]),
        ("llm_budget(5)", ["llm_budget(5) names no limit\n  for example: @pytest.mark.llm_budget(max_tokens=2000)"]),
    ],
)
def test_a_budget_that_cannot_be_read_is_refused(mark, words, project):
    """When tests are collected, by name."""
    result = suite(project, mark).runpytest_subprocess()
    shown = result.stderr.str() + result.stdout.str()
    assert "test_app.py::test_greets: " in shown
    for word in words:
        assert word in shown


def test_a_budget_without_a_call_fails(project):
    """It would check nothing."""
    suite(project, "llm_budget(max_calls=1)", "import pytest\nMARK\ndef test_none(): pass\n")
    result = project.runpytest_subprocess()
    result.stdout.fnmatch_lines(["*BudgetExceededError: test_app.py::test_none has a budget and made no call"])


def test_what_is_not_known_fails_unless_it_is_allowed(project, provider):
    """A call that reports no tokens."""
    provider.reply = {"type": "message", "content": [{"type": "text", "text": "pong"}]}
    suite(project, "llm_budget(max_tokens=100)")
    result = project.runpytest_subprocess("--llm-record")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*tokens of claude-haiku-5-5 not known; llm_budget(allow_unknown=True)*"])
    suite(project, "llm_budget(max_tokens=100, allow_unknown=True)")
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)


def test_the_fixture_reports_usage_and_limits_blocks(project):
    """Usage so far, what remains, and a limit for a part of the test."""
    body = """
    import app, pytest
    from decimal import Decimal

    @pytest.mark.llm_budget(max_tokens=100, max_cost_usd=1)
    def test_reports(llm_budget):
        app.ask("one")
        assert llm_budget.spent == {"calls": 1, "tokens": 15, "cost_usd": Decimal("0.0000027")}
        assert llm_budget.remaining["tokens"] == 85
        assert llm_budget.remaining["calls"] is None
        with llm_budget.limit(max_calls=1):
            app.ask("two")

    def test_block(llm_budget):
        with llm_budget.limit(max_calls=1):
            app.ask("one")
            app.ask("two")
    """
    project.makepyfile(test_app=body)
    result = project.runpytest_subprocess("--llm-record")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*BudgetExceededError: a block is over its budget", "*2 calls, 1 over max_calls=1*"])


def test_an_attempt_that_was_refused_costs_nothing_and_is_known(project):
    """A rate-limited attempt counts as a call, and its usage is zero, not unknown."""
    body = """
    import app, pytest

    MARK

    def test_retries():
        app.ask("status 429")
        app.ask("one")
    """
    suite(project, "llm_budget(max_tokens=15, max_cost_usd=0.01, max_calls=2)", body)
    result = project.runpytest_subprocess("--llm-record")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["record  2 calls: 12 tokens in, 3 out, $0.000003 spent"])
    project.runpytest_subprocess().assert_outcomes(passed=1)


def test_other_requests_do_not_count_against_a_budget(project):
    """Also while they are recorded."""
    body = """
    import app, httpx2, os, pytest

    MARK

    def test_chat():
        httpx2.post(os.environ["PROVIDER"] + "/weather", json={"messages": [{"role": "user", "content": "x"}]})
        app.ask("one")
    """
    suite(project, "llm_budget(max_calls=1)", body)
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)


def test_a_block_that_fails_is_held_to_its_limit_all_the_same(project):
    """Also when the test catches the error."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        def test_block(llm_budget):
            with pytest.raises(ValueError), llm_budget.limit(max_calls=1):
                app.ask("one"), app.ask("two")
                raise ValueError
        """
    )
    result = project.runpytest_subprocess("--llm-live")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*BudgetExceededError: a block is over its budget", "*2 calls, 1 over max_calls=1"])


def test_calls_in_a_cassette_that_the_test_opens_are_counted(project):
    """They count in the totals of the run and against the test's budget; those of a session fixture only in the totals."""
    project.makepyfile(
        test_app="""
        import app, pytest
        from llm_gateway import use_cassette

        @pytest.fixture(scope="session")
        def answer(llm_mode, request):
            with use_cassette(request.config.rootpath / "cassettes" / "answer.yaml", llm_mode):
                app.ask("one"), app.ask("two")

        @pytest.mark.llm_budget(max_calls=1)
        def test_fixture(answer):
            app.ask("three")

        @pytest.mark.llm_budget(max_calls=2)
        def test_inside(llm_mode, tmp_path):
            app.ask("four")
            with use_cassette(tmp_path / "a.yaml", llm_mode):
                app.ask("five"), app.ask("six")
        """
    )
    result = project.runpytest_subprocess("--llm-live")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*3 calls, 1 over max_calls=2", "live    6 calls: 72 tokens in*"])


def test_a_call_that_could_not_connect_used_nothing(project, monkeypatch):
    """Its usage is zero, not unknown, so no budget fails."""
    monkeypatch.setenv("PROVIDER", "http://127.0.0.1:9")
    body = """
    import app, pytest

    MARK

    def test_chat():
        with pytest.raises(app.httpx2.ConnectError):
            app.ask("one")
    """
    suite(project, "llm_budget(max_tokens=1, max_cost_usd=0.01)", body)
    project.runpytest_subprocess("--llm-live").assert_outcomes(passed=1)


NESTED = """
    import app, pytest
    from llm_gateway import Mode, use_cassette

    MARK

    def test_greets(llm_cassette, llm_budget, tmp_path):
        with use_cassette(tmp_path / "outer.yaml", Mode.LIVE), use_cassette(tmp_path / "inner.yaml", Mode.LIVE):
            app.ask("one")
            app.ask("two")
        assert 2 == llm_budget.spent["calls"]
"""


def test_calls_in_cassettes_of_the_test_count_at_any_depth(project):
    """A cassette inside another hands its calls on with its own."""
    result = suite(project, "llm_budget(max_calls=1)", NESTED).runpytest_subprocess("--llm-live")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*2 calls, 1 over max_calls=1*"])
