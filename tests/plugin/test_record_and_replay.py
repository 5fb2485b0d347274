"""``--llm-record`` records the calls of passing tests; without it they are replayed."""

import yaml

CASSETTE = "cassettes/test_app/test_greets.yaml"


def test_a_recorded_test_replays_without_the_provider(recorded, provider):
    """A replay needs no server, no key and no option."""
    provider.shutdown()
    provider.server_close()
    result = recorded.runpytest_subprocess()

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*LLM calls (replay)*", "replay  1 call: 12 tokens in, 3 out, $0.* not spent*"])
    assert len(provider.requests) == 1


def test_a_recording_run_reports_what_it_spent(project, provider):
    """The summary has calls, tokens, cost and files."""
    project.makepyfile(test_app="import app, pytest\n@pytest.mark.llm\ndef test_greets():\n    app.ask('ping')\n")
    result = project.runpytest_subprocess("--llm-record")

    result.stdout.fnmatch_lines(
        [
            "*LLM calls (record)*",
            "record  1 call: 12 tokens in, 3 out, $0.* spent",
            "most expensive $0.* test_app.py::test_greets",
            "saved   1 cassette",
        ]
    )


def test_the_cassette_has_usage_and_price_but_no_key(recorded):
    """A replay takes its numbers from the file."""
    text = (recorded.path / CASSETTE).read_text()
    entry = yaml.safe_load(text)["interactions"][0]

    assert {k: v for k, v in entry["llm"]["usage"].items() if v} == {"input_tokens": 12, "output_tokens": 3}
    assert entry["llm"]["price"]
    assert "sk-ant" not in text
    assert "authorization" not in text.lower()


def test_a_failing_test_keeps_the_old_cassette(recorded):
    """No byte of it changes."""
    before = (recorded.path / CASSETTE).read_bytes()
    source = recorded.path / "test_app.py"
    source.write_text(source.read_text() + "\n    assert False, 'broken'\n")
    result = recorded.runpytest_subprocess("--llm-record")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["kept    test_app.py::test_greets not saved, its cassette is as it was*"])
    assert before == (recorded.path / CASSETTE).read_bytes()


def test_a_failing_fixture_teardown_keeps_the_old_cassette(recorded):
    """The test's outcome includes its fixtures."""
    before = (recorded.path / CASSETTE).read_bytes()
    recorded.makeconftest(
        "import pytest\n@pytest.fixture(autouse=True)\ndef broken():\n    yield\n    raise RuntimeError('teardown')\n"
    )
    recorded.runpytest_subprocess("--llm-record").assert_outcomes(passed=1, errors=1)

    assert before == (recorded.path / CASSETTE).read_bytes()


def test_a_run_without_calls_keeps_the_old_cassette(recorded):
    """It is neither emptied nor deleted."""
    before = (recorded.path / CASSETTE).read_bytes()
    recorded.makepyfile(test_app="import pytest\n@pytest.mark.llm\ndef test_greets():\n    pass\n")
    recorded.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)

    assert before == (recorded.path / CASSETTE).read_bytes()


def test_mode_new_records_only_calls_without_a_recording(recorded, provider):
    """Its first call is replayed, the second one recorded."""
    source = recorded.path / "test_app.py"
    source.write_text(source.read_text() + "\n    app.ask('again')\n")
    result = recorded.runpytest_subprocess("--llm-record=new")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*LLM calls (new)*", "replay  1 call*", "record  1 call*"])
    assert [body["messages"][0]["content"] for body in provider.requests] == ["ping", "again"]
    recorded.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_test_path_after_the_record_option_is_not_taken_for_a_mode(recorded):
    """As in ``pytest --llm-record tests/test_x.py::test_y``, which messages propose."""
    recorded.runpytest_subprocess("--llm-record", "test_app.py::test_greets").assert_outcomes(passed=1)


def test_an_unknown_record_mode_is_a_usage_error(recorded):
    """It lists the valid modes."""
    result = recorded.runpytest_subprocess("--llm-record=newer")

    result.stderr.fnmatch_lines(["*invalid choice: 'newer' (choose from *all*new*)"])


def test_live_runs_call_the_provider_and_write_nothing(recorded, provider):
    """Their usage is counted."""
    before = (recorded.path / CASSETTE).stat().st_mtime_ns
    result = recorded.runpytest_subprocess("--llm-live")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*LLM calls (live)*", "live    1 call: 12 tokens in, 3 out, $0.* spent"])
    assert len(provider.requests) == 2
    assert before == (recorded.path / CASSETTE).stat().st_mtime_ns


def test_live_and_record_exclude_each_other(recorded):
    """Both together are a usage error in three parts."""
    result = recorded.runpytest_subprocess("--llm-live", "--llm-record")

    result.stderr.fnmatch_lines(
        [
            "ERROR: --llm-record and --llm-live exclude each other",
            "  --llm-live writes no cassette, --llm-record does",
            "  run one of: pytest --llm-record, pytest --llm-live",
        ]
    )


def test_options_work_under_xdist_with_one_summary(project, provider):
    """Two workers record and replay; the controller prints one summary."""
    project.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        @pytest.mark.parametrize("n", range(6))
        def test_greets(n):
            app.ask(f"ping {n}")
        """
    )
    record = project.runpytest_subprocess("--llm-record", "-n", "2")
    replay = project.runpytest_subprocess("-n", "2")

    record.assert_outcomes(passed=6)
    record.stdout.fnmatch_lines(["record  6 calls: 72 tokens in, 18 out*", "saved   6 cassettes"])
    replay.assert_outcomes(passed=6)
    replay.stdout.fnmatch_lines(["replay  6 calls: 72 tokens in, 18 out*"])
    assert replay.stdout.str().count("LLM calls (replay)") == 1
    assert len(provider.requests) == 6


def test_new_and_live_work_under_xdist(recorded, provider):
    """The workers run in these modes too."""
    recorded.runpytest_subprocess("--llm-record=new", "-n", "2").stdout.fnmatch_lines(["replay  1 call*"])
    recorded.runpytest_subprocess("--llm-live", "-n", "2").stdout.fnmatch_lines(["live    1 call*"])

    assert len(provider.requests) == 2


def test_async_tests_record_and_replay(project, provider, monkeypatch):
    """With pytest-asyncio in both of its modes, and with anyio on both of its backends."""
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    monkeypatch.delenv("PYTEST_PLUGINS")
    project.makepyfile(
        test_app="""
        import app, asyncio, pytest

        @pytest.mark.llm
        @pytest.mark.asyncio
        async def test_asyncio():
            await asyncio.gather(*(app.ask_later(f"asyncio {n}") for n in range(3)))

        @pytest.mark.llm
        @pytest.mark.anyio
        async def test_anyio(anyio_backend):
            import anyio
            async with anyio.create_task_group() as group:
                for n in range(3):
                    group.start_soon(app.ask_later, f"anyio {n} {anyio_backend}")
        """,
        conftest="import pytest\n@pytest.fixture(scope='module', params=['asyncio', 'trio'])\n"
        "def anyio_backend(request):\n    return request.param\n",
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=3)
    replay = project.runpytest_subprocess()
    auto = project.runpytest_subprocess("-o", "asyncio_mode=auto", "-k", "test_asyncio")

    replay.assert_outcomes(passed=3)
    replay.stdout.fnmatch_lines(["replay  9 calls*"])
    auto.assert_outcomes(passed=1, deselected=2)
    assert len(provider.requests) == 9
