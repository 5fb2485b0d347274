"""The fixture ``llm_snapshot``: its files, failure messages and syrupy's options, in one process and on workers."""

import os
from importlib.util import find_spec

import pytest

needs_syrupy = pytest.mark.skipif(find_spec("syrupy") is None, reason="syrupy is not installed")
SUITE = """
    import dataclasses, os, pytest
    from llm_gateway.types import LLMResponse, TokenUsage, ToolCall

    QUEUE = os.environ.get("QUEUE", "billing")
    TOKENS = int(os.environ.get("TOKENS", "100"))

    @dataclasses.dataclass
    class Ticket:
        queue: str
        tags: set

    def answer():
        call = ToolCall(f"toolu_{os.urandom(4).hex()}0", "refund", {"days": 30})
        content = Ticket(QUEUE, {f"tag-{n}" for n in range(9)})
        return LLMResponse(content, "anthropic", "claude-haiku-5-5", TokenUsage(TOKENS, 7), tool_calls=(call, call))

    def test_answer(llm_snapshot):
        assert answer() == llm_snapshot(usage=0.1)
        assert answer().content == llm_snapshot(name="content")
        assert answer() == llm_snapshot(shape=True)

    @pytest.mark.parametrize("number", range(4))
    @pytest.mark.parametrize("text", ["two words", "a/b"])
    def test_each(text, number, llm_snapshot):
        assert {number: text, "text": "line\\n\\nline"} == llm_snapshot
"""


@pytest.fixture
def suite(project, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # syrupy takes a run inside one for a worker
    if find_spec("syrupy") is not None:
        monkeypatch.setenv("PYTEST_PLUGINS", f"{os.environ['PYTEST_PLUGINS']},syrupy")
    project.makepyfile(test_app=SUITE)
    return project


def stored(suite):
    return (suite.path / "__snapshots__" / "test_app.llm").read_bytes()


def names(suite):
    return sorted(path.name for path in (suite.path / "__snapshots__").iterdir())


@needs_syrupy
def test_a_snapshot_is_written_on_request_and_a_failure_shows_the_diff(suite, monkeypatch):
    """Usage may differ within a tolerance that the test sets; the diff ends with the command to type."""
    first = suite.runpytest_subprocess("-k", "answer")
    first.assert_outcomes(failed=1)
    first.stdout.fnmatch_lines(
        [
            "E*to write it: pytest --snapshot-update test_app.py::test_answer",
            "E*Snapshot 'test_answer' does not exist!",
        ]
    )
    assert not (suite.path / "__snapshots__").exists()
    suite.runpytest_subprocess("--snapshot-update").assert_outcomes(passed=9)
    text = stored(suite).decode()
    assert text.startswith(
        "# serializer version: 1\n# name: test_answer\n  content:\n    queue: billing\n    tags:\n      - tag-0\n"
    )
    assert 2 == text.count("\n      id: <id 1>\n")
    assert "# name: test_answer[content]\n  queue: billing\n" in text
    assert "      - <text>\n" in text
    monkeypatch.setenv("TOKENS", "109")
    suite.runpytest_subprocess().assert_outcomes(passed=9)
    monkeypatch.setenv("QUEUE", "sales")
    changed = suite.runpytest_subprocess("-k", "answer")
    changed.stdout.fnmatch_lines(
        [
            "E*to accept it: pytest --snapshot-update test_app.py::test_answer",
            "E*content:",
            "E*-   queue: billing",
            "E*+   queue: sales",
        ]
    )
    assert "109" not in changed.stdout.str()
    assert text == stored(suite).decode()


@needs_syrupy
def test_a_live_run_compares_only_the_structure(suite, monkeypatch):
    """Unless the test compares values; it writes no snapshot."""
    suite.runpytest_subprocess("--snapshot-update").assert_outcomes(passed=9)
    before = stored(suite)
    monkeypatch.setenv("QUEUE", "sales")
    suite.runpytest_subprocess("--llm-live").assert_outcomes(passed=9)
    source = suite.path / "test_app.py"
    source.write_text(source.read_text().replace("llm_snapshot(usage=0.1)", "llm_snapshot(shape=False)"))
    values = suite.runpytest_subprocess("--llm-live", "-k", "answer")
    values.assert_outcomes(failed=1)
    values.stdout.fnmatch_lines(["E*-   queue: billing", "E*+   queue: sales"])
    source.write_text(
        source.read_text().replace("queue: str", "queue: list").replace("Ticket(QUEUE,", "Ticket([QUEUE],")
    )
    source.write_text(source.read_text().replace("llm_snapshot(shape=False)", "llm_snapshot"))
    kinds = suite.runpytest_subprocess("--llm-live", "-k", "answer")
    kinds.stdout.fnmatch_lines(["E*-   queue: <text>", "E*+   queue:", "E*+     - <text>"])

    assert before == stored(suite)


@needs_syrupy
@pytest.mark.parametrize("workers", [(), ("-n", "4")], ids=["alone", "four workers"])
def test_snapshot_files_are_deterministic(workers, suite, monkeypatch):
    """With any hash seed, written by workers or one process; no other file is left."""
    files = set()
    for seed in ("1", "4242"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        suite.runpytest_subprocess("--snapshot-update", *workers).assert_outcomes(passed=9)
        files.add(stored(suite))
        (suite.path / "__snapshots__" / "test_app.llm").unlink()
    assert 1 == len(files)
    (suite.path / "__snapshots__" / "test_app.llm").write_bytes(files.pop())
    suite.runpytest_subprocess(*workers).assert_outcomes(passed=9)

    assert ["test_app.llm"] == names(suite)


@needs_syrupy
def test_snapshots_of_syrupy_are_kept_in_separate_files(suite):
    """Updating one kind alone deletes none of the other; unused snapshots are removed."""
    suite.makepyfile(test_plain="def test_plain(snapshot):\n    assert {'a': 1} == snapshot\n")
    suite.runpytest_subprocess("--snapshot-update").assert_outcomes(passed=10)
    suite.runpytest_subprocess().assert_outcomes(passed=10)
    suite.runpytest_subprocess("--snapshot-update", "test_plain.py").assert_outcomes(passed=1)
    suite.runpytest_subprocess("--snapshot-update", "test_app.py").assert_outcomes(passed=9)
    assert ["test_app.llm", "test_plain.ambr"] == names(suite)
    source = suite.path / "test_app.py"
    source.write_text(source.read_text().replace("range(4)", "range(1)"))
    unused = suite.runpytest_subprocess()
    unused.stdout.fnmatch_lines(["6 snapshots passed. 6 snapshots unused."])
    assert unused.ret == 1
    suite.runpytest_subprocess("--snapshot-update")

    assert b"a/b-3" not in stored(suite)
    assert b"a/b-0" in stored(suite)


@needs_syrupy
def test_invalid_input_is_an_error_in_three_parts(suite, monkeypatch):
    """Values that are no data, secrets, and invalid options; when recording, the command to type has both options."""
    monkeypatch.setenv("SHOP_API_KEY", "shop-" + "q7" * 12)
    suite.makepyfile(
        test_bad="""
        import os, sys

        def test_module(llm_snapshot):
            assert {"a": [sys]} == llm_snapshot

        def test_secret(llm_snapshot):
            assert {"header": os.environ["SHOP_API_KEY"]} == llm_snapshot

        def test_mask(llm_snapshot):
            assert 1 == llm_snapshot(mask="price")

        def test_usage(llm_snapshot):
            assert 1 == llm_snapshot(usage=10)

        def test_new(llm_snapshot):
            assert 1 == llm_snapshot
        """
    )
    bad = suite.runpytest_subprocess("--snapshot-update", "-k", "not new", "test_bad.py")
    bad.assert_outcomes(failed=4, deselected=1)
    bad.stdout.fnmatch_lines(
        [
            "E*SnapshotError: a snapshot cannot hold a[[]0]: builtins.module",
            "E*it is no model, dataclass, mapping, list, set or plain value",
            "E*leave it out: llm_snapshot(mask=[[]'a'])",
            "E*SnapshotError: a snapshot would hold what looks like a secret: 'shop...q7'",
            "E*in line 1 of the snapshot; nothing was written",
            "E*mask the field that holds it: llm_snapshot(mask=[[]'name'])",
            "E*SnapshotError: llm_snapshot(mask='price') is no list of names",
            "E*a text would be taken letter by letter",
            "E*llm_snapshot(mask=[[]'price'])",
            "E*SnapshotError: llm_snapshot(usage=10) is no part of a number",
            "E*it is at least 0, which is exact, and less than 1",
            "E*llm_snapshot(usage=0.1)*",
        ]
    )
    assert not (suite.path / "__snapshots__").exists()
    recording = suite.runpytest_subprocess("--llm-record", "-k", "new", "test_bad.py")
    recording.stdout.fnmatch_lines(["E*to write it: pytest --llm-record --snapshot-update test_bad.py::test_new"])


@needs_syrupy
def test_a_changed_answer_is_recorded_and_accepted_in_one_run(suite, provider):
    """Without the second option the test fails, and the cassette is unchanged."""
    suite.makepyfile(
        test_app="""
        import app, pytest

        @pytest.mark.llm
        def test_ping(llm_snapshot):
            assert app.ask("ping") == llm_snapshot
        """
    )
    cassette = suite.path / "cassettes" / "test_app" / "test_ping.yaml"
    suite.runpytest_subprocess("--llm-record", "--snapshot-update").assert_outcomes(passed=1)
    before = cassette.read_bytes()
    assert b"text: pong" in stored(suite)
    provider.reply = {**provider.reply, "content": [{"type": "text", "text": "other"}]}
    suite.runpytest_subprocess("--llm-record").assert_outcomes(failed=1)
    assert before == cassette.read_bytes()
    suite.runpytest_subprocess("--llm-record", "--snapshot-update").assert_outcomes(passed=1)
    suite.runpytest_subprocess().assert_outcomes(passed=1)

    assert before != cassette.read_bytes()
    assert b"text: other" in stored(suite)


@needs_syrupy
def test_a_disabled_syrupy_and_an_overridden_fixture_are_named(suite, monkeypatch):
    """With what to do."""
    monkeypatch.setenv("PYTEST_PLUGINS", os.environ["PYTEST_PLUGINS"].replace(",syrupy", ""))
    off = suite.runpytest_subprocess("-k", "answer")
    off.stdout.fnmatch_lines(["llm_snapshot cannot be used", "  the plugin syrupy is not loaded", "  pytest -p syrupy"])
    suite.makeconftest("import pytest\n@pytest.fixture\ndef snapshot():\n    return 3\n")
    other = suite.runpytest_subprocess("-k", "answer")
    other.stdout.fnmatch_lines(
        ["  the fixture 'snapshot' is not syrupy's, it gives a builtins.int", "  rename that fixture"]
    )


def test_missing_syrupy_is_an_error_with_the_extra_to_install(suite, monkeypatch):
    """All other tests run."""
    monkeypatch.setenv("PYTEST_PLUGINS", os.environ["PYTEST_PLUGINS"].replace(",syrupy", ""))
    suite.makeconftest("import sys\nsys.modules['syrupy'] = None\n")
    suite.makepyfile(test_plain="def test_plain():\n    pass\n")
    missing = suite.runpytest_subprocess("-k", "answer or plain")
    missing.assert_outcomes(passed=1, errors=1)
    missing.stdout.fnmatch_lines(
        [
            "llm_snapshot cannot be used",
            "  syrupy is not installed",
            "  pip install 'pytest-llm-gateway[[]snapshots]'",
        ]
    )


@needs_syrupy
@pytest.mark.skipif(find_spec("inline_snapshot") is None, reason="inline-snapshot is not installed")
def test_inline_snapshot_writes_the_canonical_value(suite, monkeypatch):
    """Into the test itself, which then passes."""
    monkeypatch.setenv("PYTEST_PLUGINS", "llm_gateway.pytest_plugin,inline_snapshot.pytest_plugin")
    suite.makepyfile(
        test_inline="""
        from inline_snapshot import snapshot
        from llm_gateway.pytest_plugin.snapshots import canonical
        from llm_gateway.types import ToolCall

        def test_inline():
            assert canonical(ToolCall("toolu_01XyZ9876", "find", {"tags": {"b", "a"}})) == snapshot()
        """
    )
    suite.runpytest_subprocess("--inline-snapshot=create", "test_inline.py")
    assert "<id 1>" in (suite.path / "test_inline.py").read_text()
    suite.runpytest_subprocess("test_inline.py").assert_outcomes(passed=1)
