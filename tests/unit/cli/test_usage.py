"""``llm-gateway usage``: what it prints, and its errors."""

import json
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from llm_gateway import usage_report
from llm_gateway.cli.main import main
from llm_gateway.cost.ledger import Entry, open_ledger
from llm_gateway.exceptions import ConfigError
from llm_gateway.types import TokenUsage

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTRIES = [
    Entry(
        "1",
        NOON,
        "anthropic",
        model_served="claude-haiku-5-5",
        usage=TokenUsage(1200, 30, 1000, 0),
        cost_usd=Decimal("0.0123"),
        session_id="s, 1",
        tags={"team": "search"},
    ),
    Entry("2", NOON + timedelta(days=1), "openai", model_requested="gpt-5-mini", status="timeout"),
    Entry("3", NOON, "openai", model_served="gpt-5-mini", usage=TokenUsage(7, 5), cost_usd=Decimal("0.00000175")),
]


@pytest.fixture(autouse=True)
def ledger(tmp_path, monkeypatch):
    """A ledger of three calls, named by the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLM_LEDGER", "ledger.db")
    with closing(open_ledger("ledger.db")) as opened:
        opened.append(ENTRIES)
    return tmp_path / "ledger.db"


def printed(capsys, *arguments):
    assert 0 == main(["usage", *arguments])
    return capsys.readouterr().out


def error_of(capsys, *arguments):
    assert 2 == main(["usage", *arguments])
    return capsys.readouterr().err


def test_the_table_shows_unknown_numbers_as_question_marks(capsys):
    """A total covers the known numbers; a group without any has a question mark, not a 0."""
    assert printed(capsys, "--by", "provider") == (
        "provider   calls  failed  input  cached  output         cost  not known of\n"
        "anthropic      1       0  1,200   1,000      30    $0.012300\n"
        "openai         2       1      7       ?       5  $0.00000175  input 1, cached 2, output 1, cost 1\n"
    )
    assert printed(capsys, "--since", "2026-11-21") == (
        "day         calls  failed  input  cached  output  cost  not known of\n"
        "2026-11-21      1       1      ?       ?       ?     ?  input 1, cached 1, output 1, cost 1\n"
    )
    assert "no calls\n" == printed(capsys, "--until", "2026-11-19")
    assert "\n-       " in printed(capsys, "--by", "tag:team")


def test_a_date_is_a_whole_day(capsys):
    """In both options; a time has its minute."""
    for since, until, calls in [
        ("2026-11-20", "2026-11-20", 2),
        ("2026-11-20T12:00", "2026-11-21T12:00Z", 2),
        ("2026-11-20T13:00+01:00", "2026-11-22", 3),
    ]:
        rows = json.loads(printed(capsys, "--since", since, "--until", until, "--by", "month", "--format", "json"))
        assert [calls] == [row["calls"] for row in rows]
    assert "no calls\n" == printed(capsys, "--until", "1000w")
    assert "no calls\n" != printed(capsys, "--since", "99999h", "--until", "9999-12-31")


def test_json_has_null_for_unknown_numbers(capsys):
    """And how many calls do not state a number."""
    (row,) = json.loads(printed(capsys, "--since", "2026-11-21", "--format", "json"))
    assert ("2026-11-21", 1, 1, None) == (row["key"], row["calls"], row["failed"], row["cost_usd"])
    assert {None} == set(row["usage"].values())
    assert {1} == set(row["unknown"].values())
    assert {*row["usage"], "cost_usd"} == set(row["unknown"])


def test_csv_of_groups_has_empty_cells_for_unknown_numbers(capsys):
    """And the number of calls that do not state them."""
    header, anthropic, openai = printed(capsys, "--by", "provider", "--format", "csv").splitlines()
    assert header.startswith("provider,calls,failed,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,")
    assert "anthropic,1,0,1200,30,1000,0,,,0.0123,0,0,0,0,1,1,0" == anthropic
    assert "openai,2,1,7,5,,,,,0.00000175,1,1,2,2,2,2,1" == openai


def test_csv_of_calls_has_the_documented_columns(capsys):
    """One line a call, in the order of time."""
    assert printed(capsys, "--by", "call", "--format", "csv") == (
        "timestamp,provider,model,prompt_tokens,completion_tokens,total_tokens,cost,session_id\n"
        '2026-11-20T12:00:00.000000+00:00,anthropic,claude-haiku-5-5,1200,30,1230,0.0123,"s, 1"\n'
        "2026-11-20T12:00:00.000000+00:00,openai,gpt-5-mini,7,5,12,0.00000175,\n"
        "2026-11-21T12:00:00.000000+00:00,openai,gpt-5-mini,,,,,\n"
    )


def test_an_empty_tag_is_not_a_missing_one(capsys, ledger):
    """Calls with an empty tag have a row of their own."""
    with closing(open_ledger(ledger)) as opened:
        opened.append([Entry("4", NOON, "openai", tags={"team": ""})])

    rows = printed(capsys, "--by", "tag:team").splitlines()[1:]
    assert [('""', "1"), ("search", "1"), ("-", "2")] == [tuple(row.split()[:2]) for row in rows]
    assert ["", "search", None] == [
        row["key"] for row in json.loads(printed(capsys, "--by", "tag:team", "--format", "json"))
    ]


def test_names_from_the_ledger_are_escaped(capsys, ledger):
    """They run nothing in a terminal nor, as CSV, in a spreadsheet."""
    with closing(open_ledger(ledger)) as opened:
        opened.append([Entry("4", NOON, "\x1b[2J\nx", model_served="=cmd|' /C calc'!A0", session_id="-1+1")])

    assert "\n\\x1b[2J\\nx      1       0" in printed(capsys, "--by", "provider")
    assert "\n'=cmd|' /C calc'!A0,1,0," in printed(capsys, "--by", "model", "--format", "csv")
    assert ",'=cmd|' /C calc'!A0,,,,,'-1+1\n" in printed(capsys, "--by", "call", "--format", "csv")


def test_invalid_options_are_errors(capsys, monkeypatch):
    """The message names the option and what to type instead."""
    assert error_of(capsys, "--by", "provder") == (
        "LedgerError: a report cannot be by 'provder'\n"
        "  did you mean 'provider'?\n"
        "  it can be by day, week, month, provider, model, session, test, tag, tag:NAME, call\n"
    )
    assert "cannot be by 'tag:'\n  did you mean 'tag'?" in error_of(capsys, "--by", "tag:")
    assert "for example: --since 7d, --since 24h, --since " in error_of(capsys, "--since", "yesterday")
    assert "--until '2026-13-01' is no time" in error_of(capsys, "--until", "2026-13-01")
    assert "--since '999999999999w' is no time" in error_of(capsys, "--since", "999999999999w")
    assert error_of(capsys, "--since", "2026-11-20", "--until", "2026-11-01") == (
        "LedgerError: a report cannot go from 2026-11-20 back to 2026-11-01\n"
        "  the earlier one comes first: llm-gateway usage --since 2026-11-01 --until 2026-11-20\n"
    )
    assert "\n  llm-gateway usage --by call --format csv\n" in error_of(capsys, "--by", "call")
    assert "there is no ledger 'other.db'\n" in error_of(capsys, "--ledger", "other.db")
    monkeypatch.delenv("LLM_LEDGER")
    assert error_of(capsys) == (
        "ConfigError: no ledger is named\n"
        "  LLM_LEDGER is not set, in the environment or in .env\n"
        "  export LLM_LEDGER=ledger.db, or: llm-gateway usage --ledger ledger.db\n"
    )


def test_a_reader_may_close_the_output_early(ledger):
    """As ``head`` does."""
    with closing(open_ledger(ledger)) as opened:
        opened.append(Entry(f"more-{number}", NOON, "openai") for number in range(5_000))
    command = [sys.executable, "-c", "import sys; from llm_gateway.cli.main import main; sys.exit(main())"]
    with subprocess.Popen(
        [*command, "usage", "--ledger", str(ledger), "--by", "call", "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline().startswith("timestamp,")
        process.stdout.close()

        assert "" == process.stderr.read()
    assert 0 == process.returncode


def test_usage_report_reads_the_ledger_that_the_environment_names(monkeypatch):
    """It raises where none is named, and for a time without a zone."""
    assert [("2026-W47", 3)] == [(row.key, row.calls) for row in usage_report(by="week")]
    with pytest.raises(Exception, match=r"has no time zone\n  for example: datetime.now\(UTC\)"):
        usage_report(datetime(2026, 11, 20))  # noqa: DTZ001 - that it has no zone is the claim
    monkeypatch.setenv("LLM_LEDGER", "")
    with pytest.raises(ConfigError, match="no ledger is named"):
        usage_report()
