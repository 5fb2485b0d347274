"""``--llm-max-cost-usd``: the cost of a whole run, all workers together, never passes it."""

from decimal import Decimal

import pytest

USAGE = {"input_tokens": 500, "output_tokens": 9}
# The cost of a call with that usage; before the call, a tenth more is reserved.
ONE = Decimal("0.0000545")


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("mode", ["--llm-live", "--llm-record"])
def test_a_run_never_spends_more(mode, workers, project, provider):
    """Calls are made as long as the limit surely holds, then none."""
    provider.reply = {**provider.reply, "usage": USAGE}
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        @pytest.mark.parametrize("n", range(24))
        def test_chat(n):
            assert app.ask(f"number {n}")["content"]
        """
    )
    limit = Decimal("0.0005")
    args = ["-n", str(workers)] if workers > 1 else []
    result = project.runpytest_subprocess(mode, f"--llm-max-cost-usd={limit}", *args)

    made = len(provider.requests)
    assert 1 <= made <= limit // ONE
    result.assert_outcomes(passed=made, failed=24 - made)
    result.stdout.fnmatch_lines(["CostLimitExceededError: POST 127.0.0.1*was not sent: it may cost $0.0*"])


def test_the_message_shows_the_spent_the_remaining_and_the_assumed_cost(project, provider):
    """With what to type; the test fails although it catches the error."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        def test_swallows():
            app.ask("one")
            try:
                app.ask("two", max_tokens=100_000)
            except Exception:
                pass
        """
    )
    result = project.runpytest_subprocess("--llm-record", "--llm-max-cost-usd=0.01")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            (
                "CostLimitExceededError: POST 127.0.0.1:*/v1/messages was not sent: it may cost $0.0*, "
                "and $0.0099973 of --llm-max-cost-usd=0.01 is left"
            ),
            "  $0.0000027 spent; at most * tokens in and 100,000 out",
            "  to allow it: raise --llm-max-cost-usd",
            "refused 1 call not made, by a limit on cost or calls",
        ]
    )
    assert 1 == len(provider.requests)
    assert not list(project.path.rglob("*.yaml"))


def test_a_model_without_a_price_is_not_called_until_it_has_one(project, provider):
    """The limit could not be held; a price file makes it known."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        def test_chat():
            app.ask("one", model="acme-1")
        """
    )
    refused = project.runpytest_subprocess("--llm-record", "--llm-max-cost-usd=1")
    refused.assert_outcomes(failed=1)
    refused.stdout.fnmatch_lines(
        [
            "CostLimitExceededError: * was not sent: the price of anthropic:acme-1 is not known",
            "  --llm-max-cost-usd=1 can only be held where every price is known",
            '  say it in a price file (ini value llm_prices): "anthropic:acme-1": {input: 0.5, output: 2}',
        ]
    )
    assert [] == provider.requests

    project.path.joinpath("prices.yaml").write_text('"anthropic:*": {input: 100, output: 0}\n')
    result = project.runpytest_subprocess("--llm-record", "--llm-max-cost-usd=1", "-o", "llm_prices=prices.yaml")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["record  1 call: 12 tokens in, 3 out, $0.0012 spent"])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('"acme-1": {input: 1}', ["*prices.yaml: 'acme-1' names no model", "  write provider:model*"]),
        ("a: [", ["*prices.yaml is no YAML", "*line 1*"]),
        (None, ["*prices.yaml cannot be read", "  No such file or directory"]),
    ],
)
def test_a_price_file_with_a_mistake_stops_the_run(text, lines, project):
    """Before any test."""
    if text is not None:
        project.path.joinpath("prices.yaml").write_text(text)
    result = project.runpytest_subprocess("-o", "llm_prices=prices.yaml")

    assert 4 == result.ret
    result.stderr.fnmatch_lines(lines)


@pytest.mark.parametrize("value", ["0", "-1", "nan", "lots"])
def test_a_limit_that_is_none_stops_the_run(value, project):
    """With an example."""
    result = project.runpytest_subprocess(f"--llm-max-cost-usd={value}")

    assert 4 == result.ret
    result.stderr.fnmatch_lines(
        [
            f"*--llm-max-cost-usd={value} cannot be a limit",
            "  it has to be US dollars above 0",
            "  for example: pytest --llm-live --llm-max-cost-usd=0.50",
        ]
    )


def test_a_call_outside_any_cassette_counts_against_no_limit_and_is_refused(project):
    """Also in a live run, whose hosts are open otherwise."""
    project.makepyfile(
        test_app="""
        import httpx2

        def test_chat():
            httpx2.post("https://api.anthropic.com/v1/messages", json={})
        """
    )
    result = project.runpytest_subprocess("--llm-live", "--llm-max-cost-usd=1")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["BlockedCallError: test_app.py::test_chat called POST api.anthropic.com/v1/messages"])


CLAUDE = """#!/bin/sh
printf 'hello\\n'
"""


def test_a_run_of_claude_that_does_not_say_its_cost_counts_as_all_that_is_left(project, monkeypatch):
    """The next one is not run."""
    folder = project.mkdir("bin")
    (folder / "claude").write_text(CLAUDE)
    (folder / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    project.makepyfile(
        test_app="""
        import subprocess, pytest

        @pytest.mark.llm
        def test_runs():
            assert "hello" in subprocess.run(["claude", "-p", "x"], capture_output=True, text=True).stdout

        @pytest.mark.llm
        def test_runs_again():
            subprocess.run(["claude", "-p", "y"], capture_output=True)
        """
    )
    result = project.runpytest_subprocess("--llm-live", "--llm-max-cost-usd=1")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "CostLimitExceededError: claude was not run: nothing of --llm-max-cost-usd=1 is left",
            "  a run that does not say what it cost counts as all that was left",
            "  to allow it: raise --llm-max-cost-usd, or run claude with --output-format json",
        ]
    )
