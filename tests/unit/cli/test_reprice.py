"""``llm-gateway cassettes reprice``: recorded costs by today's price table, and nothing else of a file."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from llm_gateway.cassettes import recorder
from llm_gateway.cli.main import main
from llm_gateway.cost import overrides
from llm_gateway.exchange import HttpExchange
from llm_gateway.record import CallRecord
from llm_gateway.types import TokenUsage, WireReply, WireRequest

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart" / "cassettes"
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "cassettes"
CHAT = "tests/test_llm_fixture/test_chat.yaml"
DRAFT = "tests/test_helpdesk/test_draft_streams_with_the_openai_sdk.yaml"


@pytest.fixture
def reprice(capsys):
    """Return a function that runs the command and returns exit code, output and errors."""

    def run(*arguments):
        code = main(["cassettes", "reprice", *map(str, arguments)])
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """The quickstart's cassettes, in the working directory."""
    shutil.copytree(QUICKSTART, tmp_path / "cassettes")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "cassettes"


def edit(path, *pairs):
    text = path.read_bytes()
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    path.write_bytes(text)
    return text


def contents(folder):
    return {file.relative_to(folder): (file.read_bytes(), file.stat().st_mtime_ns) for file in folder.rglob("*.yaml")}


def of_o3(path, recorded_at=datetime(2025, 1, 1, tzinfo=UTC), **known):
    """One call of a model that became cheaper on 10 June 2025."""
    request = WireRequest("POST", "https://api.openai.com/v1/chat/completions", (), b"{}")
    record = CallRecord(
        provider="openai",
        api="openai.chat",
        model_requested="o3",
        model_served="o3",
        usage=TokenUsage(1000, 100),
        **known,
    )
    reply = WireReply(200, (), b"{}")
    recorder.write(path, [HttpExchange(request, reply, recorded_at=recorded_at, record=record)], environ={})
    return path


def test_only_cost_and_price_row_are_written(reprice, copy):
    """A file that was priced otherwise gets its old bytes back; the others are not touched."""
    before = contents(copy)
    edit(copy / CHAT, (b"'0.0000049'", b"'0.5'"), (b"      web_searches_kcount: '10'\n", b""))
    edit(copy / DRAFT, (b"    cost_usd: '0.00004175'\n", b""))

    assert reprice("cassettes") == (
        0,
        f"""\
cassettes/{DRAFT}
exchange  model             old   new          difference
#0        gpt-5-mini        -     $0.00004175  -
cassettes/{CHAT}
exchange  model             old   new          difference
#0        claude-haiku-5-5  $0.5  $0.0000049   -$0.4999951 (-100.0 %)

2 exchanges repriced
sum: - -> $0.00004665, -
3 unchanged
1 kept as stated by the provider
""",
        "",
    )
    after = contents(copy)
    assert {path: raw for path, (raw, _) in before.items()} == {path: raw for path, (raw, _) in after.items()}
    touched = {str(path) for path, (_, at) in after.items() if at != before[path][1]}
    assert {CHAT, DRAFT} == touched


def test_a_dry_run_writes_nothing(reprice, copy):
    """It prints what would change."""
    edit(copy / CHAT, (b"'0.0000049'", b"'0.0000050'"))
    before = contents(copy)

    code, printed, _ = reprice("--dry-run", copy / CHAT)

    assert (0, before) == (code, contents(copy))
    assert printed.endswith(
        "1 exchange would be repriced, nothing was written\nsum: $0.000005 -> $0.0000049, -$0.0000001 (-2.0 %)\n"
    )


def test_a_call_is_priced_by_the_day_it_was_recorded_by_default(reprice, tmp_path):
    """A later price cut does not change its cost."""
    path = of_o3(tmp_path / "o3.yaml")

    assert reprice(path)[1].endswith("sum: - -> $0.014, -\n")
    assert reprice(path)[1] == "0 exchanges repriced\n1 unchanged\n"
    assert reprice("--at", "2025-06-09T23:59", path)[1] == "0 exchanges repriced\n1 unchanged\n"
    assert reprice("--at=2025-06-11", path)[1].endswith("sum: $0.014 -> $0.0028, -$0.0112 (-80.0 %)\n")
    assert reprice("--at=now", path)[1] == "0 exchanges repriced\n1 unchanged\n"


def test_a_new_release_of_the_table_alone_changes_no_file(reprice, copy):
    """Only costs and rates count."""
    raw = edit(copy / CHAT, (b"genai-prices 0.", b"genai-prices 9.9."))

    assert (0, "0 exchanges repriced\n1 unchanged\n", "") == reprice(copy / CHAT)
    assert raw == (copy / CHAT).read_bytes()


def test_what_has_no_price_today_is_kept(reprice, copy):
    """A known cost does not become an unknown one."""
    raw = edit(copy / CHAT, (b"model_served: claude-haiku-5-5", b"model_served: acme-1"))

    assert (0, "0 exchanges repriced\n1 without usage or a price, left alone\n", "") == reprice(copy / CHAT)
    assert raw == (copy / CHAT).read_bytes()


@pytest.mark.parametrize(
    "pairs",
    [
        [(b"\n", b"\r\n")],
        [(b"    end: complete\n", b"    # checked by hand\n    end: complete\n")],
        [(b"    usage:\n", b"    # as billed\n    usage:\n"), (b"# recorded by", b"# moved; recorded by")],
        [(b"# recorded by", b"\xef\xbb\xbf# recorded by")],
        [(b"Hello to our support team!", "Hello \N{WAVING HAND SIGN}!".encode())],
    ],
    ids=["line ends", "comment", "more comments", "byte order mark", "characters"],
)
def test_every_other_byte_of_a_file_is_kept(reprice, copy, pairs):
    """Also those that an editor or git has added or changed."""
    wanted = edit(copy / CHAT, *pairs)
    edit(copy / CHAT, (b"cost_usd: '0.0000049'", b"cost_usd: '7'"))

    assert "1 exchange repriced" in reprice(copy / CHAT)[1]
    assert wanted == (copy / CHAT).read_bytes()


def test_a_file_that_is_named_twice_is_priced_once(reprice, copy):
    """Once as a file and once by its folder."""
    edit(copy / CHAT, (b"'0.0000049'", b"'7'"))

    assert "1 exchange repriced" in reprice(copy / CHAT, copy)[1]


def test_a_file_with_line_ends_that_only_yaml_knows_is_left_unchanged(reprice, copy):
    """YAML ends lines at more characters than editors do."""
    raw = edit(copy / CHAT, (b"'0.0000049'", b"'7'"), (b"message: OK", b'message: "O\xc2\x85        K"'))

    code, _, output = reprice(copy / CHAT)

    assert (2, raw) == (code, (copy / CHAT).read_bytes())
    assert output.startswith("CassetteSaveError: cannot reprice ")


def test_cassettes_of_other_tools_are_left_unchanged(reprice):
    """They have no usage and no price."""
    if not DATA.exists():
        pytest.skip(f"no recorded traffic at {DATA}: it is kept outside of the repository")
    before = contents(DATA)

    code, printed, _ = reprice(DATA)

    assert (0, before) == (code, contents(DATA))
    assert printed.startswith("0 exchanges repriced\n")
    assert printed.endswith(" recorded without usage and price, left alone\n")
    assert 2 == len(printed.splitlines())


def test_a_failure_does_not_stop_the_other_files(reprice, copy):
    """Each failure is reported and sets the exit code, and no file is half written."""
    broken = copy / "broken.yaml"
    broken.write_text("version: 1\ninteractions: 5\n")
    flow = copy / "flow.yaml"
    document = yaml.safe_load((copy / CHAT).read_bytes())
    document["interactions"][0]["llm"]["cost_usd"] = "7"
    head = (copy / CHAT).read_text().partition("  llm:\n")[0]
    flow.write_text(f"{head}  llm: {json.dumps(document['interactions'][0]['llm'], indent=4)}\n...\n")
    (unwritable := copy / f"{'n' * 245}.yaml").write_bytes((copy / CHAT).read_bytes())  # its draft's name is too long
    for path in (copy / CHAT, unwritable):
        edit(path, (b"'0.0000049'", b"'7'"))
    inline = flow.read_bytes()

    code, printed, output = reprice("nowhere.yaml", "cassettes")

    assert (2, inline) == (code, flow.read_bytes())
    assert (copy / CHAT).read_bytes() == (QUICKSTART / CHAT).read_bytes()
    assert b"'7'" in unwritable.read_bytes()
    assert "1 exchange repriced\n" in printed
    assert (
        output
        == f"""\
CassetteReadError: there is no cassette nowhere.yaml
  ls -R cassettes
CassetteReadError: cannot read cassette cassettes/broken.yaml, line 1
  not a cassette: a mapping with a list `interactions` was expected
  restore it from version control, or delete it and record again: pytest --llm-record
CassetteSaveError: cannot reprice cassettes/flow.yaml; it is as it was
  its `llm` fields are not one on a line, as a recording writes them
  record it again: pytest --llm-record
CassetteSaveError: cannot save cassette {unwritable.relative_to(copy.parent)}: File name too long
  it is as it was
  make cassettes writable, then reprice again
"""
    )


def test_a_folder_without_cassettes_and_an_invalid_date_are_errors(reprice, tmp_path, monkeypatch):
    """Each error has the command to type."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    today = f"{datetime.now(UTC):%Y-%m-%d}"

    assert reprice("empty") == (
        2,
        "0 exchanges repriced\n",
        "CassetteReadError: there is no cassette in 'empty'\n  ls -R empty\n",
    )
    assert reprice("--at", "yesterday", "empty") == (
        2,
        "",
        f"""\
ConfigError: --at 'yesterday' is no date
  a date as in 2026-11-21, a time as in 2026-11-21T12:00, or `now` was expected
  llm-gateway cassettes reprice --dry-run --at {today} cassettes
""",
    )


def test_registered_prices_take_precedence(reprice, tmp_path, monkeypatch):
    """Those of the file that ``LLM_PRICES`` names."""
    of_o3(tmp_path / "one.yaml")
    (tmp_path / "prices.yaml").write_text('"openai:o3": {input: 1000, output: 0}\n')
    monkeypatch.setenv("LLM_PRICES", str(tmp_path / "prices.yaml"))
    try:
        code, output, _ = reprice(tmp_path / "one.yaml")
    finally:
        overrides.clear()

    assert (0, True) == (code, "$1" in output)
    (entry,) = yaml.safe_load((tmp_path / "one.yaml").read_text())["interactions"]
    assert "prices.yaml" in entry["llm"]["price"]["source"]
