"""Every fixture and every argument of the marker, recorded and replayed, in one process and on two workers."""

import os
import sys

import pytest

TEST = """
    import app, asyncio, pytest
    from pydantic import BaseModel

    class Answer(BaseModel):
        text: str

    def test_llm(llm):
        assert llm.chat("ping").content == "pong"
        assert llm.total_tokens == 15

    async def test_llm_async(llm):
        assert (await llm.chat("ping")).content == "pong"
        async with llm.stream("ping") as stream:
            pass

    async def test_sync_llm(sync_llm):
        assert sync_llm.chat("ping").usage.input_tokens == 12

    def test_async_llm(async_llm):
        assert asyncio.run(async_llm.chat("ping")).content == "pong"

    def test_llm_cassette(llm_cassette, llm):
        llm.chat("ping")
        (call,) = llm_cassette.calls
        assert call.usage.output_tokens == 3

    @pytest.mark.llm(model="claude-sonnet-5-5")
    def test_model(llm):
        assert llm.model == "claude-sonnet-5-5"
        llm.chat("ping")

    @pytest.mark.llm(cassette="shared/mine.yaml")
    def test_cassette():
        app.ask("ping")

    @pytest.mark.llm
    class TestClass:
        def test_in_class(self):
            app.ask("ping")

    @pytest.mark.llm(allow_unused=True)
    def test_allow_unused(request):
        app.ask("ping")
        if request.config.getoption("llmg_record"):
            app.ask("only while recording")

    @pytest.mark.llm(ignore_hosts=["127.0.0.1"])
    def test_ignore_hosts():
        app.ask("ping")
"""


@pytest.fixture
def suite(project, monkeypatch, provider):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url)
    project.makepyfile(test_app=TEST)
    return project


AUTO = ("-o", "asyncio_mode=auto")
TESTS = 10


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_every_fixture_and_argument_records_and_replays(workers, suite, provider, monkeypatch):
    """The replay has no key, calls only the ignored host, and gets no answer from a cache."""
    monkeypatch.setenv("LLM_CACHE", str(suite.path / "answers.sqlite"))
    suite.runpytest_subprocess("--llm-record", *AUTO, *workers).assert_outcomes(passed=TESTS)
    before = len(provider.requests)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    suite.runpytest_subprocess(*AUTO, *workers).assert_outcomes(passed=TESTS)

    assert 1 == len(provider.requests) - before
    assert (suite.path / "cassettes" / "shared" / "mine.yaml").exists()
    assert (suite.path / "cassettes" / "test_app" / "TestClass.test_in_class.yaml").exists()
    assert not (suite.path / "cassettes" / "test_app" / "test_ignore_hosts.yaml").exists()
    assert not (suite.path / "answers.sqlite").exists()


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_ini_values_take_effect(workers, suite, provider):
    """Folder, name, model and ignored hosts."""
    suite.makeini(
        "[pytest]\npythonpath = .\nasyncio_mode = auto\nllm_cassette_folder = recordings\n"
        "llm_cassette_name = {module}-{test}.yaml\nllm_model = claude-opus-5-5\n"
    )
    suite.runpytest_subprocess("--llm-record", "-k", "test_llm_cassette", *workers).assert_outcomes(
        passed=1, deselected=0 if workers else TESTS - 1
    )
    assert "claude-opus-5-5" == provider.requests[-1]["model"]
    assert ["test_app-test_llm_cassette.yaml"] == [file.name for file in (suite.path / "recordings").iterdir()]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_the_ini_file_can_ignore_hosts_and_switch_off_placeholder_keys(workers, suite, provider, monkeypatch):
    """Ignored hosts may be called in every test; without placeholders, a client without a key raises."""
    ini = ("-o", "llm_ignore_hosts=127.0.0.1", "-o", "llm_placeholder_keys=false")
    suite.runpytest_subprocess(*ini, "-k", "test_cassette or test_in_class", *workers).assert_outcomes(
        passed=2, deselected=0 if workers else TESTS - 2
    )
    assert 2 == len(provider.requests)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    refused = suite.runpytest_subprocess(*ini, "-k", "test_llm_cassette", *workers)
    refused.stdout.fnmatch_lines(["*MissingKeyError: no API key for 'anthropic'"])


def test_a_missing_key_while_recording_is_an_error_with_the_variable(suite, monkeypatch):
    """And the command to type."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    result = suite.runpytest_subprocess("--llm-record", "-k", "test_llm_cassette")
    result.stdout.fnmatch_lines(
        ["*MissingKeyError: no API key for 'anthropic'", "*neither ANTHROPIC_API_KEY nor LLM_API_KEY is set*"]
    )
    result.stdout.fnmatch_lines(["*export ANTHROPIC_API_KEY=..."])


def test_recording_without_any_key_is_reported_once(project, monkeypatch):
    """At the end of the run, however the SDK failed."""
    for name in [name for name in os.environ if name.endswith(("_API_KEY", "_TOKEN", "_ACCESS_KEY", "_KEY_ID"))]:
        monkeypatch.delenv(name)
    project.makepyfile(
        test_app="""
        import pytest

        @pytest.mark.llm
        def test_a():
            raise TypeError("Could not resolve authentication method")
        """
    )
    result = project.runpytest_subprocess("--llm-record")
    result.stdout.fnmatch_lines(["no key  nothing could be called: export ANTHROPIC_API_KEY=...*"])


def test_an_unknown_provider_is_an_error_with_the_nearest_name(suite):
    """In the ini file as elsewhere."""
    result = suite.runpytest_subprocess("-o", "llm_model=antropic:x", "-k", "test_llm_cassette")
    result.stdout.fnmatch_lines(["*unknown provider 'antropic'", "*did you mean 'anthropic'?"])


def test_hooks_in_a_conftest_change_what_is_compared_and_written(suite, provider):
    """One hook for each."""
    suite.makeconftest(
        """
        import dataclasses, json

        def changed(request, **fields):
            body = {**json.loads(request.body), **fields}
            return dataclasses.replace(request, body=json.dumps(body).encode())

        def pytest_llm_normalize(request):
            return changed(request, messages=[])

        def pytest_llm_before_save(request):
            return changed(request, metadata={"by": "hook"})
        """
    )
    suite.makepyfile(
        test_hooked="""
        import app, pytest, time

        @pytest.mark.llm
        def test_now():
            app.ask(f"it is {time.time()}", metadata={"by": "hook"})
        """
    )
    suite.runpytest_subprocess("--llm-record", "test_hooked.py").assert_outcomes(passed=1)
    suite.runpytest_subprocess("test_hooked.py").assert_outcomes(passed=1)

    assert "hook" in (suite.path / "cassettes" / "test_hooked" / "test_now.yaml").read_text()
    assert 1 == len(provider.requests)


CLAUDE = f"""#!{sys.executable}
import json, sys
print(json.dumps({{"type": "result", "subtype": "success", "is_error": False, "num_turns": 1,
    "result": sys.stdin.read().upper(), "total_cost_usd": 0.25,
    "modelUsage": {{"claude-haiku-5-5": {{"inputTokens": 3, "outputTokens": 4}}}}}}))
"""


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_claude_runs_are_recorded_and_replayed(workers, project, monkeypatch):
    """The replay needs no ``claude``; its cost is in the summary; in an unmarked test the run is blocked."""
    folder = project.mkdir("bin")
    (folder / "claude").write_text(CLAUDE)
    (folder / "claude").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    project.makepyfile(
        test_claude="""
        import json, shutil, subprocess, pytest

        def ask(text):
            assert shutil.which("claude")
            command = ["claude", "-p", "--output-format", "json"]
            done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
            return json.loads(done.stdout)["result"]

        @pytest.mark.llm
        @pytest.mark.parametrize("text", ["one", "two"])
        def test_runs(text):
            assert ask(text) == text.upper()
        """
    )
    record = project.runpytest_subprocess("--llm-record", *workers)
    record.assert_outcomes(passed=2)
    record.stdout.fnmatch_lines(["record  2 calls: 6 tokens in, 8 out, $0.5000 spent"])
    source = project.path / "test_claude.py"
    unmarked = source.read_text().replace("@pytest.mark.llm\n", "")
    (project.path / "test_unmarked.py").write_text(unmarked)
    refused = project.runpytest_subprocess("test_unmarked.py", *workers)
    refused.assert_outcomes(failed=2)
    refused.stdout.fnmatch_lines(["*BlockedCallError: test_unmarked.py::test_runs* called the command 'claude -p*"])
    (folder / "claude").unlink()
    replay = project.runpytest_subprocess("test_claude.py", *workers)
    replay.assert_outcomes(passed=2)
    replay.stdout.fnmatch_lines(["replay  2 calls: 6 tokens in, 8 out, $0.5000 not spent*"])
    source.write_text(source.read_text().replace("input=text", 'input=text + "!"'))
    missed = project.runpytest_subprocess("test_claude.py", *workers)
    missed.assert_outcomes(failed=2)
    missed.stdout.fnmatch_lines(
        [
            "*CassetteMissError: no recording matches the command 'claude -p --output-format json'",
            "  nearest: #1, differs in what it reads: one! != one",
            "  to record it: pytest --llm-record test_claude.py::test_runs*",
        ]
    )


@pytest.mark.parametrize(
    ("written", "problem", "example"),
    [
        (
            'cassete="x"',
            "'cassete' is not known; it takes cassette, allow_unused, ignore_hosts, model, time",
            "cassette='x'",
        ),
        ('time="recored"', "time 'recored' is not known; it takes real, recorded", "time='recorded'"),
        ('"name"', "it takes no argument without a name: 'name'", "cassette='name'"),
        ('ignore_hosts="a.com"', "ignore_hosts may not be 'a.com'", "ignore_hosts=['a.com']"),
        ('cassette="../../x"', "cassette '../../x' is outside the cassette folder", "cassette='a-name'"),
    ],
)
def test_an_invalid_marker_is_a_collection_error(written, problem, example, project):
    """With what to write instead."""
    project.makepyfile(test_app=f"import pytest\n@pytest.mark.llm({written})\ndef test_a(): pass")
    result = project.runpytest_subprocess()
    shown = result.stderr.str() + result.stdout.str()
    assert "test_app.py::test_a: the marker llm cannot be read" in shown
    assert problem in shown
    assert f"for example: @pytest.mark.llm({example})" in shown


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "two workers"])
def test_a_session_fixture_can_use_a_cassette_of_its_own(workers, suite, provider, monkeypatch):
    """Whichever test runs first, alone or with others."""
    suite.makepyfile(
        test_session="""
        import app, pytest
        from llm_gateway import use_cassette

        @pytest.fixture(scope="session")
        def summary(llm_mode, tmp_path_factory, request):
            with use_cassette(request.config.rootpath / "cassettes" / "summary.yaml", llm_mode):
                return app.ask("sum up")["content"][0]["text"]

        @pytest.mark.llm
        def test_one(summary):
            assert summary == "pong"

        @pytest.mark.llm
        def test_two(summary):
            assert summary == "pong"
        """
    )
    suite.runpytest_subprocess("--llm-record", "test_session.py").assert_outcomes(passed=2)
    before = len(provider.requests)
    suite.runpytest_subprocess("test_session.py", *workers).assert_outcomes(passed=2)
    suite.runpytest_subprocess("test_session.py::test_two", *workers).assert_outcomes(passed=1)
    assert before == len(provider.requests)
