"""Runs of ``claude`` that ``fake_llm`` answers, in every mode of the plugin."""

import pytest

SUITE = """
import json
import multiprocessing
import os
import shutil
import subprocess
import pytest

def ask(text="hi"):
    done = subprocess.run(["claude", "-p", "--output-format", "json"], input=text.encode(), capture_output=True)
    return json.loads(done.stdout)["result"] if not done.returncode else done

def test_by_a_process(fake_llm):
    fake_llm.reply("scripted")
    assert shutil.which("claude")
    assert ask() == "scripted"

def test_by_the_client(llm, fake_llm):
    fake_llm.reply("scripted")
    assert llm.chat("hi", model="local_claude:haiku").content == "scripted"

@pytest.mark.llm_budget(max_tokens=200, max_cost_usd=0.01)
def test_costs_nothing(fake_llm):
    fake_llm.reply("scripted").usage(input=90, output=20).error(529)
    ask(), ask()

@pytest.mark.llm_budget(max_tokens=100)
def test_counts_tokens(fake_llm):
    fake_llm.reply("scripted").usage(input=90, output=20)
    ask()

def test_swallows(fake_llm):
    assert ask("what now?").returncode == 97

def test_leaves_some(fake_llm):
    fake_llm.reply("never")

def test_in_a_fork(fake_llm, tmp_path):
    fake_llm.reply(lambda call: call.text.upper())
    if not (child := os.fork()):
        (tmp_path / "answer").write_text(str(ask("from a fork")))
        os._exit(0)
    os.waitpid(child, 0)
    assert (tmp_path / "answer").read_text() == "FROM A FORK"
    assert len(fake_llm.calls) == 1
"""


@pytest.mark.parametrize("mode", [(), ("--llm-record",), ("--llm-live",), ("-n", "2")])
def test_answers_in_every_mode(project, mode):
    """No command runs, no cassette is written, and a mistake in a script fails the test."""
    project.makepyfile(test_fakes=SUITE)

    result = project.runpytest_subprocess(*mode)

    result.assert_outcomes(passed=5, failed=2, errors=1)
    result.stdout.fnmatch_lines_random(
        [
            "FakeUnusedError: 1 scripted answer was never used",
            "*110 tokens*",
            "FakeMissError: fake_llm has no answer for call #1 local_claude default (claude_cli)",
            "    user: 'what now?'",
            "fake    6 calls answered by a script",
        ]
    )
    assert not list(project.path.glob("cassettes/**/*.yaml"))
