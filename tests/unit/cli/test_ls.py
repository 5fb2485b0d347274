"""``llm-gateway cassettes ls``: which cassettes there are, and what each holds."""

import json
import shutil
from pathlib import Path

import pytest

from llm_gateway.cli.main import main

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"


def test_the_table_has_a_row_for_each_cassette_and_their_sum(capsys, monkeypatch):
    """It lists the folder `cassettes`, unless another is named."""
    monkeypatch.chdir(QUICKSTART)

    assert 0 == main(["cassettes", "ls"])
    assert (
        capsys.readouterr().out
        == """\
file                                                                         exchanges  input  output  cost         recorded    models
cassettes/tests/test_helpdesk/test_draft_streams_with_the_openai_sdk.yaml    1          31     17      $0.00004175  2026-11-21  gpt-5-mini
cassettes/tests/test_helpdesk/test_triage_uses_the_anthropic_sdk.yaml        1          16     1       $0.0000021   2026-11-21  claude-haiku-5-5
cassettes/tests/test_helpdesk/test_weekly_runs_the_claude_command_line.yaml  1          706    9       $0.0000751   2026-11-21  claude-haiku-5-5
cassettes/tests/test_llm_fixture/test_async.yaml                             1          12     1       $0.0000017   2026-11-21  claude-haiku-5-5
cassettes/tests/test_llm_fixture/test_chat.yaml                              1          19     6       $0.0000049   2026-11-21  claude-haiku-5-5
cassettes/tests/test_llm_fixture/test_structured.yaml                        1          19     8       $0.0000059   2026-11-21  claude-haiku-5-5
6 files                                                                      6          803    42      $0.00013145  2026-11-21  claude-haiku-5-5, gpt-5-mini
"""
    )


@pytest.mark.skipif(
    not Path("/proc/self/mem").exists(), reason="needs a file that not even root can read: Linux has one"
)
def test_one_unreadable_file_hides_no_other(capsys, tmp_path, monkeypatch):
    """It is reported, and the exit code shows that there was one."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(QUICKSTART / "cassettes" / "tests" / "test_llm_fixture", "cassettes")
    Path("cassettes/empty.yaml").write_text("")
    Path("cassettes/dangling.yaml").symlink_to("nowhere")
    Path("cassettes/unreadable.yaml").symlink_to("/proc/self/mem")
    Path("cassettes/folder.yaml").mkdir()

    assert 2 == main(["cassettes", "ls", "--json", "cassettes", "nowhere"])
    output = capsys.readouterr()
    assert [1, 1, 1] == [row["exchanges"] for row in json.loads(output.out)]
    assert {
        "file": "cassettes/test_chat.yaml",
        "exchanges": 1,
        "input_tokens": 19,
        "output_tokens": 6,
        "cost_usd": 0.0000049,
        "recorded_at": "2026-11-21T04:56:53.996152+00:00",
        "models": ["claude-haiku-5-5"],
    } == json.loads(output.out)[1]
    assert (
        output.err
        == """\
CassetteReadError: cannot read cassette cassettes/empty.yaml, line 1
  not a cassette: it is empty
  restore it from version control, or delete it and record again: pytest --llm-record
CassetteReadError: cannot read cassette cassettes/unreadable.yaml
  Input/output error
  ls -l cassettes/unreadable.yaml
CassetteReadError: there is no cassette nowhere
  ls -R cassettes
"""
    )


def test_a_missing_default_folder_is_an_error(capsys, tmp_path, monkeypatch):
    """It is named like any other."""
    monkeypatch.chdir(tmp_path)

    assert 2 == main(["cassettes", "ls"])
    assert ("", "CassetteReadError: there is no cassette cassettes\n  ls -R cassettes\n") == tuple(capsys.readouterr())
