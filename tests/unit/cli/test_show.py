"""``llm-gateway cassettes show``, on our own cassettes and on those of other tools."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from llm_gateway.cli.main import main

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart" / "cassettes" / "tests"
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "cassettes"


def shown(capsys, *arguments):
    assert 0 == main(["cassettes", "show", *map(str, arguments)])
    return capsys.readouterr().out


def test_the_table_has_a_row_for_each_exchange(capsys):
    """With tokens and cost, under the name of its file."""
    files = sorted(QUICKSTART.rglob("*.yaml"))
    lines = shown(capsys, *files).splitlines()
    assert [str(file) for file in files] == [line for line in lines if line.endswith(".yaml")]
    assert 6 == sum(line.startswith("0 ") for line in lines)
    assert any("process  claude_cli" in line and "$0.0000751" not in line and "706" in line for line in lines)


def test_json_has_the_documented_keys(capsys):
    """A value that was not reported is null."""
    (row,) = json.loads(shown(capsys, "--json", QUICKSTART / "test_llm_fixture" / "test_chat.yaml"))
    assert {
        "file",
        "index",
        "kind",
        "provider",
        "api",
        "model_requested",
        "model_served",
        "status",
        "streaming",
        "end",
        "usage",
        "cost_usd",
        "price",
    } == row.keys()
    assert ("http", "anthropic", "anthropic.messages", 200, False, "complete") == tuple(
        row[name] for name in ("kind", "provider", "api", "status", "streaming", "end")
    )
    assert {"input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "reasoning_tokens"} == row[
        "usage"
    ].keys()
    assert row["usage"]["reasoning_tokens"] is None
    assert row["price"]["model"] == "anthropic:claude-haiku-5-5"


def test_every_cassette_of_other_tools_can_be_shown(capsys):
    """One row for each exchange, with its position in the file."""
    if not DATA.exists():
        pytest.skip(f"no recorded traffic at {DATA}: it is kept outside of the repository")
    manifest = [json.loads(line) for line in (DATA / "MANIFEST.jsonl").read_text().splitlines()]
    for row in manifest:
        printed = json.loads(shown(capsys, "--json", DATA / row["file"]))
        assert [one["index"] for one in row["expected"]] == [one["index"] for one in printed], row["file"]
        assert [one["status"] for one in row["expected"]] == [one["status"] for one in printed], row["file"]


def test_a_file_that_is_not_there_is_named(capsys):
    """On standard error, with an exit code of its own."""
    assert 2 == main(["cassettes", "show", "nowhere.yaml"])
    assert "there is no cassette nowhere.yaml" in capsys.readouterr().err


def test_a_recording_cannot_send_control_codes_to_the_terminal(capsys, tmp_path):
    """Its text is escaped in the table, and in JSON as JSON does."""
    text = (QUICKSTART / "test_llm_fixture" / "test_chat.yaml").read_text(encoding="utf-8")
    file = tmp_path / "a.yaml"
    file.write_text(
        text.replace("model_served: claude-haiku-5-5", r'model_served: "\e[2J\n\x9b2J\u202eé"'), encoding="utf-8"
    )

    assert r"  \x1b[2J\n\x9b2J\u202eé  200" in shown(capsys, file)
    printed = shown(capsys, "--json", file)
    assert r'"model_served": "\u001b[2J\n\u009b2J\u202eé"' in printed
    assert "\x1b[2J\n\x9b2J\u202eé" == json.loads(printed)[0]["model_served"]


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="its file names are Unicode")
def test_a_file_name_that_is_not_utf8_survives_json(capsys, tmp_path):
    """In every command that prints JSON, to an output that takes UTF-8 only."""
    old, new = tmp_path / "old", tmp_path / os.fsdecode(b"n\xff")
    for folder in (old, new):
        folder.mkdir()
        shutil.copy(QUICKSTART / "test_llm_fixture" / "test_chat.yaml", folder / os.fsdecode(b"\xff.yaml"))
    file = str(new / os.fsdecode(b"\xff.yaml"))

    assert file == json.loads(shown(capsys, "--json", file))[0]["file"]
    assert 0 == main(["cassettes", "ls", "--json", str(new)])
    assert file == json.loads(capsys.readouterr().out)[0]["file"]
    assert 0 == main(["cassettes", "diff", "--format", "json", str(old), str(new)])
    assert str(new) == json.loads(capsys.readouterr().out)["new"]
