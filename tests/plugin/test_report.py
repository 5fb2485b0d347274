"""``--llm-report`` writes the calls of a run to files, in every mode."""

import json

import pytest

TESTS = """
import app, httpx2, pytest

@pytest.mark.llm
@pytest.mark.parametrize("text", ["one", "a|b`c\\n<script>"], ids=["one", "a|b`c<script>"])
def test_chat(text):
    app.ask(text)

@pytest.mark.llm_budget(max_tokens=29, max_cost_usd="0.5")
def test_over_budget():
    app.ask("one"), app.ask("two")

@pytest.mark.llm_budget(max_calls=1)
def test_within_budget():
    app.ask("one")

@pytest.mark.llm
@pytest.mark.skip
def test_skipped(): pass

@pytest.mark.llm
@pytest.mark.xfail
def test_expected():
    assert False

def test_plain(): pass

@pytest.fixture
def broken():
    yield
    assert False

def test_breaks_late(broken): pass
"""
FORGOT = """
def test_forgot():
    httpx2.post("https://api.anthropic.com/v1/messages", json={})
"""


def document(project, name="report.json"):
    return json.loads((project.path / name).read_text(encoding="utf-8"))


def by_name(report):
    return {test["id"].partition("::")[2]: test for test in report["tests"]}


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two workers"])
@pytest.mark.parametrize("mode", ["record", "replay", "live"])
def test_one_document_describes_the_run(mode, workers, project):
    """Outcomes of all tests, and of those that use a model their calls, sums and budget."""
    project.makepyfile(test_app=TESTS)
    if mode == "replay":
        project.runpytest_subprocess("--llm-record")
    options = {"record": ["--llm-record"], "replay": [], "live": ["--llm-live"]}[mode]
    result = project.runpytest_subprocess(*options, *workers, "--llm-report=out/report.json")
    report = document(project, "out/report.json")
    tests, totals = by_name(report), report["totals"]

    result.stdout.fnmatch_lines(["LLM report written to out/report.json"])
    assert 1 == report["schema"]
    assert (mode, 1) == (report["run"]["mode"], report["run"]["exit_code"])
    assert {"passed": 4, "skipped": 1, "xfailed": 1, "xpassed": 0, "error": 1, "failed": 1, "unfinished": 0} == report[
        "run"
    ]["outcomes"]
    assert (5, 60, 15, "0.0000135") == tuple(
        totals[mode][name] for name in ("calls", "input_tokens", "output_tokens", "cost_usd")
    )
    assert totals[mode] == totals["all"]
    assert totals["all"]["cache_read_tokens"] is None
    assert {"calls": 5, "cache": 5, "cost": 0} == {
        "calls": totals["all"]["model_calls"],
        "cache": totals["all"]["unknown"]["cache_read_tokens"],
        "cost": totals["all"]["unknown"]["cost_usd"],
    }
    assert [("anthropic", "claude-haiku-5-5", 5)] == [
        (one["provider"], one["model"], one["totals"]["calls"]) for one in report["models"]
    ]
    assert [
        "test_chat[a|b`c<script>]",
        "test_chat[one]",
        "test_expected",
        "test_over_budget",
        "test_within_budget",
    ] == [name for name in tests if name != "test_skipped"]
    assert {"limits": {"max_calls": 1}, "verdict": "held", "reason": None} == tests["test_within_budget"]["budget"]
    budget = tests["test_over_budget"]["budget"]
    assert ({"max_tokens": 29, "max_cost_usd": "0.5"}, "broken") == (budget["limits"], budget["verdict"])
    assert "test_app.py::test_over_budget is over its budget\n  30 tokens, 1 over max_tokens=29\n" in budget["reason"]
    (call,) = tests["test_chat[one]"]["calls"]
    assert {
        "served": mode,
        "provider": "anthropic",
        "api": "anthropic.messages",
        "model": "claude-haiku-5-5",
        "status": 200,
        "error": None,
        "is_billed": True,
        "input_tokens": 12,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "output_tokens": 3,
        "reasoning_tokens": None,
        "cost_usd": "0.0000027",
    } == {name: value for name, value in call.items() if name not in ("duration_s", "recorded_at")}
    assert 0.01 <= call["duration_s"]


def test_calls_that_a_budget_rejected_are_listed_apart(project):
    """They were not made, and count in no sum."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm_budget(max_calls=1)
        def test_twice():
            app.ask("one"), app.ask("two")
        """
    )
    project.runpytest_subprocess("--llm-live", "--llm-report=report.json", "--llm-report=report.md")
    report = document(project)

    assert (1, 1, 0) == (report["totals"]["all"]["calls"], report["totals"]["refused"], report["totals"]["missed"])
    budget = by_name(report)["test_twice"]["budget"]
    assert "broken" == budget["verdict"]
    assert "2 calls, 1 over max_calls=1" in budget["reason"]


def test_misses_and_refusals_are_in_all_three(project):
    """Under -n 2 too, and outside any test; one run writes several files."""
    project.makepyfile(test_app=TESTS + FORGOT)
    project.makeconftest(
        "import httpx2\ndef pytest_collection_finish(): httpx2.post('https://api.openai.com/v1/responses')"
    )
    files = [f"--llm-report=report.{suffix}" for suffix in ("html", "json", "md")]
    project.runpytest_subprocess("-n", "2", *files)
    report, page, comment = (
        document(project),
        *((project.path / f"report.{suffix}").read_text(encoding="utf-8") for suffix in ("html", "md")),
    )

    assert (0, 5) == (report["totals"]["all"]["calls"], report["totals"]["missed"])
    (text, *more) = by_name(report)["test_chat[one]"]["missed"]
    assert text.startswith("CassetteMissError: no recording matches POST 127.0.0.1")
    assert [] == more
    assert ["miss"] == [call["served"] for call in by_name(report)["test_chat[one]"]["calls"]]
    assert {"test": "test_app.py::test_forgot", "call": "POST api.anthropic.com/v1/messages"} in report["blocked"]
    assert {"test": None, "call": "POST api.openai.com/v1/responses"} in report["blocked"]
    assert "- blocked: <code>outside any test</code> POST api.openai.com/v1/responses\n" in comment
    assert "- no recording: <code>test_app.py::test_chat&#91;a&#124;b&#96;c&lt;script&gt;&#93;</code> " in comment
    assert "test_chat[a|b`c&lt;script&gt;]" in page
    assert "c<script>" not in page + comment


@pytest.mark.parametrize(
    ("file", "why", "instead"),
    [
        ("report.txt", "its suffix selects the format, one of .html, .json, .md", "report.html"),
        ("report", "its suffix selects the format, one of .html, .json, .md", "report.html"),
        ("cassettes", "it is a folder; a report is one file", "cassettes/llm.html"),
        ("app.py/report.md", "its folder cannot be written to: *", "report.md"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_at_once(file, why, instead, project):
    """Before any test has run."""
    project.mkdir("cassettes")
    project.makepyfile(test_app="def test_never(): open('ran', 'w')\n")
    result = project.runpytest_subprocess(f"--llm-report={file}")

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines(
        [
            f"ERROR: --llm-report cannot write '{file}'",
            f"  {why}",
            f"  for example: pytest --llm-report={instead}",
        ]
    )
    assert not (project.path / "ran").exists()


def test_a_file_that_cannot_be_written_in_the_end_fails_the_run(project):
    """And leaves no draft about; a run that was only collected leaves an old report alone."""
    project.makepyfile(test_app="import os\ndef test_it(): os.mkdir('report.md')\n")
    result = project.runpytest_subprocess("--llm-report=report.md", "--llm-report=report.json")

    assert pytest.ExitCode.TESTS_FAILED == result.ret
    result.stdout.fnmatch_lines(["LLM report not written: report.md: Is a directory", "  to write it: *"])
    assert [] == list(project.path.glob(".*.tmp"))
    before = document(project)
    project.runpytest_subprocess("--collect-only", "--llm-report=report.json").assert_outcomes()
    assert before == document(project)


def test_it_is_written_without_a_terminal_and_by_its_long_name(project):
    """Where another plugin owns --llm-report, the long prefix writes; a run without tests has its report too."""
    project.makepyfile(other="def pytest_addoption(parser): parser.addoption('--llm-report')\n")
    result = project.runpytest_subprocess("-p", "other", "-p", "no:terminal", "--llmg-report", "new/empty.html")

    assert pytest.ExitCode.NO_TESTS_COLLECTED == result.ret
    page = (project.path / "new" / "empty.html").read_text(encoding="utf-8")
    assert "No LLM call was made in this run." in page
    assert "<li>no tests</li>" in page


def test_a_module_that_cannot_be_imported_counts_as_pytest_counts_it(project):
    """As an error."""
    project.makepyfile(test_app="import nowhere\n")
    project.runpytest_subprocess("--llm-report=report.json", "--llm-report=report.md").assert_outcomes(errors=1)

    assert 1 == document(project)["run"]["outcomes"]["error"]
    comment = (project.path / "report.md").read_text(encoding="utf-8")
    assert comment.startswith("### LLM calls (replay)\n\nNo LLM call was made. 1 error in ")
