"""``LLM_LEDGER``: each real call of a run is written once, however the run ends."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from llm_gateway.cost.ledger import Span, open_ledger

TESTS = """
    import app, pytest
    from llm_gateway import SyncLLMClient

    @pytest.mark.llm
    def test_a_call():
        app.ask("one")
        app.ask("status 429")

    @pytest.mark.llm
    def test_by_the_client(monkeypatch):
        monkeypatch.setenv("ANTHROPIC_BASE_URL", app.os.environ["PROVIDER"])
        with SyncLLMClient(model="anthropic:claude-haiku-5-5", api_key="k") as client:
            client.chat("two")
"""


def entries(path):
    ledger = open_ledger(path, must_exist=True)
    try:
        return list(ledger.rows(Span.of(None, None)))
    finally:
        ledger.close()


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "two workers"])
def test_each_call_is_written_once(workers, project, monkeypatch):
    """With its test, its tokens and its cost; a replay writes nothing."""
    monkeypatch.setenv("LLM_LEDGER", str(project.path / "ledger.db"))
    monkeypatch.setenv("LLM_TAGS", "team=search")
    project.makepyfile(test_app=TESTS)
    project.runpytest_subprocess("--llm-record", *workers).assert_outcomes(passed=2)
    found = entries(project.path / "ledger.db")

    assert [
        ("test_app.py::test_a_call", "ok", 12, 3, Decimal("0.0000027")),
        ("test_app.py::test_a_call", "rate_limited", 0, 0, Decimal(0)),
        ("test_app.py::test_by_the_client", "ok", 12, 3, Decimal("0.0000027")),
    ] == sorted(
        (
            one.test_id,
            one.status,
            *((one.usage.input_tokens, one.usage.output_tokens) if one.usage else (None, None)),
            one.cost_usd,
        )
        for one in found
    )
    assert {"claude-haiku-5-5"} == {one.model_requested for one in found}
    assert all(one.tags == {"team": "search"} and one.session_id.startswith("pytest-") for one in found)
    assert 1 == len({one.session_id for one in found})
    assert all(abs((datetime.now(UTC) - one.at).total_seconds()) < 60 for one in found)

    project.runpytest_subprocess(*workers).assert_outcomes(passed=2)
    assert 3 == len(entries(project.path / "ledger.db"))


def test_a_server_that_is_away_stops_nothing_and_loses_nothing(project, monkeypatch):
    """The run continues and prints where the entries are and how to move them; no password is shown."""
    monkeypatch.setenv("LLM_LEDGER", "postgresql://me:hush@127.0.0.1:9/none?connect_timeout=1")
    project.makepyfile(test_app=TESTS)
    result = project.runpytest_subprocess("--llm-live", "-n", "2")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*LLM ledger*",
            "LedgerError: *",
            "  * in *llm-ledger-rescue-*.db instead",
            "  to move them: llm-gateway usage --ledger *",
        ]
    )
    assert "hush" not in result.stdout.str()
    (*rescued,) = project.path.glob("llm-ledger-rescue-*.db")
    for one in rescued:
        project.run("llm-gateway", "usage", "--ledger", one, "--copy-to", "ledger.db")

    assert 3 == len(entries(project.path / "ledger.db"))


def test_an_odd_reply_reaches_the_test(project, provider, monkeypatch):
    """A count that is too large is written as unknown, also the sum of two counts that are possible alone."""
    monkeypatch.setenv("LLM_LEDGER", str(project.path / "ledger.db"))
    usage = {"input_tokens": 10**12, "cache_read_input_tokens": 10**12, "output_tokens": 10**12}
    provider.reply = provider.reply | {"usage": usage}
    project.makepyfile(
        """
        import app, pytest

        @pytest.mark.llm
        def test_a_call():
            assert app.ask("one")["id"] == "msg_01"
        """
    )
    project.runpytest_subprocess("--llm-live", "--llm-max-cost-usd", "5").assert_outcomes(passed=1)

    (one,) = entries(project.path / "ledger.db")
    assert (None, 10**12, 10**12) == (one.usage.input_tokens, one.usage.cache_read_tokens, one.usage.output_tokens)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"not a database" * 100, "*ledger.db' is not a ledger, or it is damaged"), (None, "*ledger.db*")],
    ids=["junk", "folder"],
)
def test_a_file_that_is_no_ledger_stops_the_run(content, words, project, monkeypatch):
    """Before anything is spent."""
    monkeypatch.setenv("LLM_LEDGER", str(project.path / "ledger.db"))
    (project.path / "ledger.db").mkdir() if content is None else (project.path / "ledger.db").write_bytes(content)
    result = project.runpytest_subprocess("--llm-live")

    assert 4 == result.ret
    result.stderr.fnmatch_lines([words])
