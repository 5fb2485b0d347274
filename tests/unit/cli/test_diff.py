"""``llm-gateway cassettes diff``: two recordings of the same calls, on disk and in git."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from llm_gateway.cli.main import main

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart" / "cassettes"
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "cassettes"
CHAT = "tests/test_llm_fixture/test_chat.yaml"
UNKNOWN = "not known of all: cached 1 old and 1 new, cache write 1 old and 1 new, reasoning 5 old and 5 new"


@pytest.fixture
def diff(capsys):
    """Return a function that runs the command and returns the exit code and the output, or the errors."""

    def run(*arguments):
        code = main(["cassettes", "diff", *map(str, arguments)])
        output = capsys.readouterr()
        return code, output.err if code == 2 else output.out

    return run


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """A repository with the quickstart's cassettes in its one commit; the working directory."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "repo"
    shutil.copytree(QUICKSTART, folder / "cassettes")
    (folder / "deployment.yaml").write_text("kind: Deployment\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    monkeypatch.chdir(folder)
    return folder


def git(folder, *arguments):
    who = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=one")


def edit(path, *pairs):
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def spend_more(path):
    edit(path, ("output_tokens: 6", "output_tokens: 9"), ("'0.0000049'", "'0.0000064'"), ('"end_turn"', '"max_tokens"'))


def chat(text, *, model="gpt-5-mini", calls=(), stop="stop", usage=True, status=200):
    """An exchange as plain vcrpy records it: nothing but the conversation."""
    listed = [
        {"id": f"call_{n}", "function": {"name": name, "arguments": args}} for n, (name, args) in enumerate(calls)
    ]
    body = {"model": model, "choices": [{"message": {"content": "x", "tool_calls": listed}, "finish_reason": stop}]}
    body |= {"usage": {"prompt_tokens": 10, "completion_tokens": 2}} if usage else {}
    request = {"model": "gpt-5-mini", "messages": [{"role": "user", "content": text}]}
    return {
        "request": {
            "method": "POST",
            "uri": "https://api.openai.com/v1/chat/completions",
            "headers": {},
            "body": json.dumps(request),
        },
        "response": {"status": {"code": status}, "headers": {}, "body": {"string": json.dumps(body)}},
    }


def recorded(path, *exchanges):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({"version": 1, "interactions": list(exchanges)}), encoding="utf-8")
    return path


def test_the_table_has_the_changes_and_the_sums(diff, repo):
    """Of the last commit against the working tree, by default."""
    assert (0, "no difference in 6 exchanges\n") == diff()

    spend_more(repo / "cassettes" / CHAT)
    (repo / "cassettes" / "tests" / "test_llm_fixture" / "test_async.yaml").unlink()
    shutil.copy(repo / "cassettes" / CHAT, repo / "new.yaml")

    assert diff() == (
        1,
        f"""\
cassettes/tests/test_llm_fixture/test_async.yaml
exchange  what         old                                               new                                               difference
#0        removed      claude-haiku-5-5, 12 input, 1 output, $0.0000017  -
cassettes/{CHAT}
exchange  what         old                                               new                                               difference
#0        stop reason  end_turn                                          max_tokens
#0        output       6                                                 9                                                 +3 (+50.0 %)
#0        cost         $0.0000049                                        $0.0000064                                        +$0.0000015 (+30.6 %)
new.yaml
exchange  what         old                                               new                                               difference
#0        added        -                                                 claude-haiku-5-5, 19 input, 9 output, $0.0000064

all exchanges  old          new          difference
exchanges      6            6            0
input          803          810          +7 (+0.9 %)
output         42           53           +11 (+26.2 %)
cached         -            -            -
cache write    -            -            -
reasoning      -            -            -
cost           $0.00013145  $0.00013765  +$0.0000062 (+4.7 %)
{UNKNOWN}
3 of 7 exchanges differ: 1 changed, 1 added, 1 removed
""",
    )


def test_revisions_paths_in_them_files_and_folders_can_be_compared(diff, repo, tmp_path):
    """What both sides have in common is compared by path."""
    spend_more(repo / "cassettes" / CHAT)
    commit(repo)
    changed = "1 of 6 exchanges differ: 1 changed\n"
    for sides in (
        ["HEAD~1"],
        ["HEAD~1", "main"],
        ["HEAD~1", "cassettes"],
        ["HEAD~1:cassettes"],
        ["HEAD~1:cassettes", "HEAD:cassettes"],
        [QUICKSTART, "cassettes"],
        [QUICKSTART, "HEAD:cassettes"],
    ):
        code, printed = diff(*sides)
        assert (1, True) == (code, printed.endswith(changed)), sides
    for sides in (
        ["HEAD~1", f"cassettes/{CHAT}"],
        [f"HEAD~1:cassettes/{CHAT}"],
        [QUICKSTART / CHAT, repo / "cassettes" / CHAT],
    ):
        code, printed = diff(*sides)
        assert (1, True) == (code, printed.endswith("1 of 1 exchange differ: 1 changed\n")), sides
    assert (0, "no difference in 6 exchanges\n") == diff("cassettes")
    assert (0, "no difference in 3 exchanges\n") == diff("HEAD~1", "--", "cassettes/tests/test_helpdesk")
    assert 1 == diff("HEAD~1", "--", "cassettes/tests/test_helpdesk", "cassettes/tests/test_llm_fixture")[0]
    recorded(repo / "later" / "one.yaml", chat("Hi"))
    assert "1 of 1 exchange differ: 1 added\n" in diff("HEAD", "later")[1]


def test_json_has_null_for_what_is_unknown(diff, tmp_path):
    """Also for a difference of which one side is unknown; it is not taken for 0."""
    old = recorded(tmp_path / "old.yaml", chat("Hi"), chat("Bye", calls=[("find", '{"q": "a"}')], stop="tool_calls"))
    new = recorded(
        tmp_path / "new.yaml", chat("Hi", usage=False), chat("Bye", calls=[("find", '{"q": "b"}')], stop="tool_calls")
    )

    code, printed = diff(old, new, "--format=json")
    found = json.loads(printed)

    first, second = found["exchanges"]
    assert (1, 0) == (code, found["same"])
    assert {"old": 10, "new": None, "difference": None, "percent": None} == first["changes"]["input_tokens"]
    assert {
        "old": 20,
        "new": None,
        "difference": None,
        "percent": None,
        "unknown_in_old": 0,
        "unknown_in_new": 1,
    } == found["totals"]["input_tokens"]
    assert (None, None) == (found["totals"]["cost_usd"]["old"], found["totals"]["cost_usd"]["difference"])
    assert {"tool_calls"} == second["changes"].keys()
    assert [{"name": "find", "arguments": {"q": "b"}}] == second["changes"]["tool_calls"]["new"]
    assert {
        "index": 1,
        "kind": "http",
        "api": "openai.chat",
        "model": "gpt-5-mini",
        "status": 200,
        "model_served": "gpt-5-mini",
        "stop_reason": "tool_use",
        "tool_calls": [{"name": "find", "arguments": {"q": "a"}}],
        "input_tokens": 10,
        "output_tokens": 2,
        "cache_read_tokens": None,
        "cache_write_tokens": None,
        "reasoning_tokens": None,
        "cost_usd": None,
    } == second["old"]


def test_equal_requests_are_compared_in_any_order(diff, tmp_path):
    """Equal requests in recorded order, then by order those whose request has changed."""
    old = recorded(tmp_path / "old.yaml", chat("a"), chat("b"), chat("b", model="gpt-5"), chat("Helo"))
    new = recorded(
        tmp_path / "new.yaml",
        chat("Hello", calls=[("find", "{}")], stop="tool_calls"),
        chat("b"),
        chat("b", model="gpt-5-nano"),
        chat("a"),
        chat("later", status=429, usage=False),
    )

    lines = diff(old, new)[1].splitlines()

    assert lines[1:7] == [
        "exchange  what         old       new                  difference",
        "#0        request                messages[0].content",
        "#0        stop reason  end_turn  tool_use",
        "#0        tool calls   none      find",
        "#2        model        gpt-5     gpt-5-nano",
        "#4        added        -         gpt-5-mini",
    ]


def test_a_changed_tool_argument_is_shown_by_its_path(diff, tmp_path):
    """Text of a recording is escaped, so that it cannot break the comment on a pull request."""
    hostile = "evil | `x` @team\n\x1b[31m"
    old = recorded(tmp_path / "old.yaml", chat("Hi", calls=[("find", '{"q": {"city": "Rome"}}')], stop="tool_calls"))
    new = recorded(
        tmp_path / "new.yaml",
        chat("Hi", model=hostile, calls=[("find", '{"q": {"city": "Paris"}}')], stop="tool_calls"),
    )

    markdown = diff(old, new, "--format", "markdown")[1]

    assert markdown == (
        f"""\
### Recorded calls, `{old}` to `{new}`

1 of 1 exchange differ: 1 changed

| all exchanges | old | new | difference |
| --- | --- | --- | --- |
| exchanges | 1 | 1 | 0 |
| input | 10 | 10 | 0 |
| output | 2 | 2 | 0 |
| cached | - | - | - |
| cache write | - | - | - |
| reasoning | - | - | - |
| cost | - | - | - |

not known of all: cached 1 old and 1 new, cache write 1 old and 1 new, reasoning 1 old and 1 new, cost 1 old and 1 new

| file | exchange | what | old | new | difference |
| --- | --- | --- | --- | --- | --- |
| `{new}` | #0 | model | `gpt-5-mini` | <code>evil&#32;&#124;&#32;&#96;x&#96;&#32;&#64;team&#92;n&#92;x1b&#91;31m</code> |  |
| `{new}` | #0 | tool calls `[0].arguments.q.city` | `'Rome'` | `'Paris'` |  |
"""
    )
    assert "\x1b" not in diff(old, new)[1]


def test_a_comment_is_truncated_to_the_length_that_github_accepts(diff, tmp_path):
    """It states the number of rows that are missing."""
    old = recorded(tmp_path / "old.yaml")
    new = recorded(tmp_path / "new.yaml", *(chat(str(n)) for n in range(600)))

    printed = diff(old, new, "--format=markdown")[1]

    assert 59_000 < len(printed) < 60_100
    kept = printed.count("| added |")
    assert printed.endswith(f"\n\n{600 - kept} more rows are left out.\n")


def test_runs_of_the_command_line_are_compared_too(diff, tmp_path):
    """By their arguments and input."""
    folder = tmp_path / "new"
    shutil.copytree(QUICKSTART, folder)
    edit(folder / "tests/test_helpdesk/test_weekly_runs_the_claude_command_line.yaml", ("Mon: ", "Monday: "))

    lines = diff(QUICKSTART, folder)[1].splitlines()

    assert ["run", "#0", "request", "arguments", "or", "input"] == lines[2].split()
    assert "1 of 6 exchanges differ: 1 changed" == lines[-1]


def test_cassettes_of_other_tools_do_not_differ_from_themselves(diff):
    """Every exchange of every tool is read."""
    if not DATA.exists():
        pytest.skip(f"no recorded traffic at {DATA}: it is kept outside of the repository")
    manifest = [json.loads(line) for line in (DATA / "MANIFEST.jsonl").read_text().splitlines()]
    expected = sum(len(row["expected"]) for row in manifest)
    assert (0, f"no difference in {expected} exchanges\n") == diff(DATA, DATA)


def test_git_runs_no_code_from_the_repository(diff, repo):
    """No hook, filter or file system monitor; a file in Git LFS is reported, not fetched."""
    ran = repo / "ran"
    (repo / ".gitattributes").write_text("*.yaml filter=evil diff=evil\n")
    for name in ("filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "core.fsmonitor", "core.pager"):
        git(repo, "config", name, f"touch {ran}; cat")
    assert (0, "no difference in 6 exchanges\n") == diff()
    assert not ran.exists()

    (repo / ".gitattributes").unlink()
    (repo / "big.yaml").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    git(repo, "-c", "core.fsmonitor=false", "add", "big.yaml")
    git(repo, "-c", "core.fsmonitor=false", "commit", "--quiet", "--message=big")
    assert diff() == (
        2,
        """\
CassetteReadError: cannot read HEAD:big.yaml
  git holds only a pointer: the file itself is in Git LFS
  git worktree add ../old REVISION, and compare with the files there
""",
    )


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["-1"],
            """\
CassetteReadError: refused the revision '-1'
  it begins with a dash: git would take it for an option
  write its full name, as in refs/heads/NAME
""",
        ),
        (
            ["HEAD", "-dash"],
            """\
CassetteReadError: refused the revision '-dash'
  it begins with a dash: git would take it for an option
  write its full name, as in refs/heads/NAME
""",
        ),
        (
            ["^HEAD"],
            """\
CassetteReadError: refused the revision '^HEAD'
  to git it is everything but that revision
  llm-gateway cassettes diff HEAD
""",
        ),
        (
            ["mian"],
            """\
CassetteReadError: 'mian' is neither a file, a folder nor a revision
  did you mean 'main'?
  git log --oneline --all -- '*.yaml'
""",
        ),
        (
            ["HEAD", "HEAD", "--", "nowhere"],
            """\
CassetteReadError: no cassette of HEAD or HEAD is at 'nowhere'
  paths are relative to what is compared; to the top of the repository for a revision
  leave out `-- PATH` to see all of them
""",
        ),
        (
            ["cassettes", f"cassettes/{CHAT}"],
            f"""\
CassetteReadError: cannot compare 'cassettes' with 'cassettes/{CHAT}'
  one is a file, the other a folder
  name two files or two folders
""",
        ),
        (
            ["HEAD:cassettes/test"],
            """\
CassetteReadError: the revision 'HEAD' has nothing at 'cassettes/test'
  did you mean 'cassettes/tests'?
  git ls-tree -r --name-only HEAD
""",
        ),
        (
            ["HEAD", ".."],
            """\
CassetteReadError: '..' is not in the repository '{repo}'
  so the revision 'HEAD' has no such place
  name the place in the revision: HEAD:PATH
""",
        ),
        (
            ["deployment.yaml", "empty"],
            """\
CassetteReadError: cannot read cassette deployment.yaml, line 1
  not a cassette: a mapping with a list `interactions` was expected
  restore it from version control, or delete it and record again: pytest --llm-record
""",
        ),
        (
            ["empty", "empty"],
            """\
CassetteReadError: there is no cassette in 'empty' or 'empty'
  a cassette is a YAML file with a list `interactions`
  pytest --llm-record
""",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_compared_is_an_error(diff, repo, arguments, expected):
    """In three parts, with an exit code of its own."""
    (repo / "empty").mkdir()
    assert (2, expected.replace("{repo}", str(repo))) == diff(*arguments)


def test_an_argument_that_cannot_be_a_file_name_is_read_as_a_revision(diff, repo):
    """It is looked for in git."""
    assert f"CassetteReadError: '{'x' * 300}' is neither a file, a folder nor a revision\n" in diff("x" * 300)[1]


def test_an_unreadable_cassette_is_an_error_not_a_missing_file(diff, repo):
    """Whether it is on disk or in a revision, it is named."""
    (repo / "cassettes" / CHAT).write_text("")
    assert f"cannot read cassette cassettes/{CHAT}, line 1\n  not a cassette: it is empty\n" in diff()[1]
    commit(repo)
    git(repo, "checkout", "--quiet", "HEAD~1")
    assert f"cannot read cassette main:cassettes/{CHAT}, line 1\n" in diff("main")[1]


def test_markdown_has_a_line_when_nothing_differs(diff, repo):
    """A pull request that changes no recording gets a line, not a table."""
    assert (0, "### Recorded calls, `HEAD` to `working tree`\n\nno difference in 6 exchanges\n") == diff(
        "--format=markdown"
    )


def test_a_cassette_that_is_no_longer_on_disk_is_shown_as_removed(diff, repo):
    """A path in a revision need not exist in the working tree."""
    (repo / "cassettes" / CHAT).unlink()
    code, printed = diff(f"HEAD:cassettes/{CHAT}")
    assert (1, True) == (code, printed.endswith("1 of 1 exchange differ: 1 removed\n"))


def test_a_shallow_clone_is_reported_as_one(diff, repo, tmp_path, monkeypatch):
    """CI clones the last commit only, by default."""
    edit(repo / "deployment.yaml", ("Deployment", "Service"))
    commit(repo)
    git(repo, "clone", "--quiet", "--depth=1", repo.as_uri(), str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")
    assert diff("HEAD~1") == (
        2,
        """\
CassetteReadError: 'HEAD~1' is neither a file, a folder nor a revision of this clone
  the clone is shallow: it holds only the latest commits
  git fetch --unshallow
""",
    )


def test_missing_git_objects_are_an_error(diff, repo, tmp_path, monkeypatch):
    """As in a partial clone or a damaged one; nothing is fetched."""

    def drop(name):
        named = subprocess.run(["git", "rev-parse", name], cwd=repo, check=True, capture_output=True, text=True)
        identity = named.stdout.strip()
        (repo / ".git" / "objects" / identity[:2] / identity[2:]).unlink()
        return identity

    git(repo, "config", "uploadpack.allowFilter", "true")
    git(repo, "clone", "--quiet", "--filter=blob:none", "--no-checkout", repo.as_uri(), str(tmp_path / "partial"))
    monkeypatch.chdir(tmp_path / "partial")
    assert (
        "is not in this clone\n  it was cloned in part\n  git fetch --refetch --no-filter\n" in diff("HEAD", "HEAD")[1]
    )

    monkeypatch.chdir(repo)
    blob = drop(f"HEAD:cassettes/{CHAT}")
    assert (
        2,
        f"CassetteReadError: git object {blob} is not in this clone\n  it was cloned in part\n  git fetch --refetch --no-filter\n",
    ) == diff()
    drop("HEAD:cassettes")
    code, output = diff()
    assert (2, f"CassetteReadError: git ls-tree failed in '{repo}'") == (code, output.splitlines()[0])


def test_without_git_files_can_still_be_compared(diff, tmp_path, monkeypatch):
    """And the error names the cause."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    code, output = diff()
    assert 2 == code
    assert output.startswith(f"CassetteReadError: cannot read revisions in '{tmp_path}'\n  fatal: not a git repository")

    monkeypatch.setenv("PATH", str(tmp_path))
    assert diff() == (
        2,
        """\
CassetteReadError: cannot read revisions: there is no command `git`
  it is not on the search path
  compare files or folders instead: llm-gateway cassettes diff OLD NEW
""",
    )
    assert 0 == diff(QUICKSTART, QUICKSTART)[0]


def test_a_reader_that_closes_the_pipe_early_is_no_error(tmp_path):
    """As in ``| head -1``."""
    new = recorded(tmp_path / "new.yaml", *(chat(str(n), model="m" * 500) for n in range(200)))
    code = "import sys; from llm_gateway.cli.main import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "cassettes", "diff", str(recorded(tmp_path / "old.yaml")), str(new)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        assert (b"", 0) == (process.stderr.read(), process.wait())
