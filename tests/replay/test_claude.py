"""Runs of a ``claude`` command, recorded and then replayed with the command removed, however they are started."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from functools import partial

import anyio
import pytest

from llm_gateway.cassettes.modes import Mode
from llm_gateway.exceptions import CassetteMissError, CassetteUnusedError, FaultError
from llm_gateway.interception import guard
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.wire.claude_cli import DIALECT

# A stub of the real command: reads plain text, or JSON lines with control requests, whose ids it repeats.
PROGRAM = """
import json, os, sys, time
argv = sys.argv[1:]
print("started", file=sys.stderr, flush=True)
if "--input-format" in argv:
    for line in sys.stdin:
        value = json.loads(line)
        if value["type"] == "control_request":
            answer = {"type": "control_response", "response": {"request_id": value["request_id"], "pid": os.getpid()}}
        else:
            answer = {"type": "result", "result": value["message"].upper(), "modelUsage": {}, "session_id": "s-1"}
        print(json.dumps(answer), flush=True)
elif "hang" in argv:
    print("half", end="", flush=True)
    time.sleep(60)
else:
    text = sys.stdin.read()
    print(json.dumps({"type": "result", "result": f"{argv} {text}", "total_cost_usd": 0.25,
        "modelUsage": {"claude-haiku-5-5": {"inputTokens": 3, "outputTokens": 4}}}))
sys.exit(7 if "fail" in argv else 0)
"""


@pytest.fixture
def claude(tmp_path, monkeypatch):
    """Put the command on PATH and return a function that removes it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "claude"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return program.unlink


def by_run(text, *argv):
    done = subprocess.run(["claude", "-p", *argv], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def by_popen(text, *argv):
    with subprocess.Popen(
        args=["claude", "-p", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        out, err = process.communicate(text.encode())
    return process.returncode, out.decode(), err.decode()


async def _exec(text, *argv):
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("claude", "-p", *argv, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(text.encode())
    return process.returncode, out.decode(), err.decode()


def by_asyncio(text, *argv):
    return asyncio.run(_exec(text, *argv))


def by_uvloop(text, *argv):
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_exec(text, *argv))


async def _anyio(text, *argv):
    done = await anyio.run_process(["claude", "-p", *argv], input=text.encode(), check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def by_anyio(text, *argv):
    return anyio.run(_anyio, text, *argv)


def by_trio(text, *argv):
    return anyio.run(partial(_anyio, text, *argv), backend="trio")


def by_shell(text, *argv):
    command = " ".join(["claude", "-p", *argv])
    done = subprocess.run(command, shell=True, input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def by_script(text, *argv):
    """Run the command from a shell script."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'claude -p "$@"', "sh", *argv], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


RUNNERS = [by_run, by_popen, by_asyncio, by_uvloop, by_anyio, by_trio, by_shell, by_script]


@pytest.mark.parametrize("run", RUNNERS)
def test_runs_are_replayed(run, claude, tmp_path):
    """Output, standard error and exit code are the recorded ones."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        live = [run("one", "--model", "haiku"), run("two"), run("", "fail")]
    assert [0, 0, 7] == [one[0] for one in live]
    assert "one" in live[0][1]
    assert "started\n" == live[0][2]
    assert ["0.25"] * 3 == [str(call.cost_usd) for call in cassette.calls]
    claude()
    with use_cassette(tmp_path / "a.yaml") as cassette:
        assert live == [run("one", "--model", "haiku"), run("two"), run("", "fail")]
    assert ["replay"] * 3 == [call.source for call in cassette.calls]
    assert [7] * 3 == [call.usage.total_tokens for call in cassette.calls]


def converse(lines, numbers):
    """Hold a conversation in JSON lines, each reply read before the next line is written, and return the replies."""
    argv = ["claude", "--output-format", "stream-json", "--input-format", "stream-json"]
    pipe = subprocess.PIPE
    replies = []
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        request = {"type": "control_request", "request_id": f"req_1_{numbers}", "request": {"subtype": "initialize"}}
        for value in [request, *({"type": "user", "message": line} for line in lines)]:
            process.stdin.write(json.dumps(value) + "\n")
            process.stdin.flush()
            replies.append(json.loads(process.stdout.readline()))
        process.stdin.close()
        process.wait()
    return replies


def test_replayed_conversation_uses_the_callers_request_ids(claude, tmp_path):
    """The reply to a control request has the id of this run, not the recorded one."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        live = converse(["hello", "again"], "aaaa")
    claude()
    with use_cassette(tmp_path / "a.yaml"):
        replayed = converse(["hello", "again"], "bbbb")

    assert "req_1_bbbb" == replayed[0]["response"]["request_id"]
    assert live[0]["response"]["pid"] == replayed[0]["response"]["pid"]
    assert ["HELLO", "AGAIN"] == [one["result"] for one in replayed[1:]]


def test_conversations_with_the_same_first_line_match_by_the_second(claude, tmp_path):
    """The second line selects the recording, in any order and at the same time."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        for text in ("one", "two", "three"):
            converse([text], "aaaa")
    claude()
    results = {}
    with use_cassette(tmp_path / "a.yaml"):
        threads = [
            threading.Thread(target=lambda text=text: results.update({text: converse([text], "c")[1]["result"]}))
            for text in ("three", "one", "two")
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert {"one": "ONE", "two": "TWO", "three": "THREE"} == results


@pytest.mark.parametrize(
    ("arguments", "difference"),
    [
        (("two", "--model", "haiku"), "nearest: #1, differs in what it reads: two != one"),
        (("one", "--model", "opus"), "nearest: #1, differs in its arguments: opus != haiku"),
    ],
)
def test_unrecorded_run_fails_with_the_difference(arguments, difference, claude, tmp_path):
    """It exits with 97 and a message on standard error, and the block raises at its end."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("one", "--model", "haiku")
    expected = pytest.raises(CassetteMissError, match="no recording matches the command 'claude -p")
    with expected as error, use_cassette(tmp_path / "a.yaml"):
        code, out, err = by_run(*arguments)
    assert (97, "") == (code, out)
    assert difference in error.value.report
    assert (
        "CassetteMissError: no recording matches this run of claude\n  to record it: pytest --llm-record" == err.strip()
    )


def test_recorded_run_is_replayed_once(claude, tmp_path):
    """A second run of the same command raises, since its recording was used already."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("one")
    expected = pytest.raises(CassetteMissError, match="#1 is the same and was used already")
    with expected, use_cassette(tmp_path / "a.yaml"):
        by_run("one")
        by_run("one")


def test_unused_run_fails_the_block(claude, tmp_path):
    """A recorded run that is not replayed raises CassetteUnusedError."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("one")
    with pytest.raises(CassetteUnusedError, match="command 'claude -p'"), use_cassette(tmp_path / "a.yaml"):
        pass


def test_new_mode_replays_recorded_runs_and_records_others(claude, tmp_path):
    """Afterwards the cassette has both runs."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("one")
    with use_cassette(tmp_path / "a.yaml", Mode.NEW) as cassette:
        by_run("two")
        by_run("one")
    assert {"record", "replay"} == {call.source for call in cassette.calls}
    claude()
    with use_cassette(tmp_path / "a.yaml"):
        assert "two" in by_run("two")[1]
        assert "one" in by_run("one")[1]


def test_killed_run_hangs_again_when_replayed(claude, tmp_path):
    """Its output is replayed, and then it waits to be killed as the recorded one did."""
    for mode in (Mode.RECORD, Mode.REPLAY):
        with use_cassette(tmp_path / "a.yaml", mode):
            process = subprocess.Popen(["claude", "-p", "hang"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            assert b"half" == process.stdout.read(4)
            with pytest.raises(subprocess.TimeoutExpired):
                process.communicate(timeout=0.1)
            process.kill()
            assert b"" == process.communicate()[0]


def test_terminated_run_replays_its_signal(claude, tmp_path):
    """The exit code names the same signal."""
    for mode in (Mode.RECORD, Mode.REPLAY):
        with use_cassette(tmp_path / "a.yaml", mode):
            process = subprocess.Popen(["claude", "-p", "hang"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            assert b"half" == process.stdout.read(4)
            process.send_signal(signal.SIGTERM)
            assert -signal.SIGTERM == process.wait(60)
            process.stdout.close()


def test_missing_command_raises_file_not_found_while_recording(tmp_path, monkeypatch):
    """The operating system's error reaches the caller."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD), pytest.raises(FileNotFoundError):
        subprocess.run(["claude", "-p"], check=False)


def test_redacted_secret_is_not_saved_and_matches_any_value(claude, tmp_path, monkeypatch):
    """The file has the variable's name where its value was."""
    monkeypatch.setenv("MY_API_KEY", "hunter2-but-longer-9f8e7d6c")
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("key hunter2-but-longer-9f8e7d6c end", "--append-system-prompt", "hunter2-but-longer-9f8e7d6c")
    assert "hunter2" not in (tmp_path / "a.yaml").read_text()
    with use_cassette(tmp_path / "a.yaml"):
        code, out, _ = by_run("key some-other-value end", "--append-system-prompt", "another")

    assert 0 == code
    assert "[MY_API_KEY]" in out


def test_guard_blocks_the_command_outside_a_cassette(claude):
    """It does not run, and the message names the marker to add."""
    before = len(guard.refusals)
    guard.close()
    try:
        code, out, err = by_run("one")
    finally:
        guard.open_up()
        del guard.refusals[before:]
    assert (97, "") == (code, out)
    assert "called the command 'claude -p'" in err
    assert "mark the test with @pytest.mark.llm" in err


def test_paths_of_another_machine_match(claude, tmp_path):
    """Home and temporary folders in a prompt are ignored; a path as an argument matches by its last part."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("read /home/one/a.txt and /tmp/pytest-of-one/pytest-1/b.txt", "--mcp-config", "/srv/one/x.json")
    with use_cassette(tmp_path / "a.yaml"):
        code, _, _ = by_run(
            "read /Users/two/a.txt and /tmp/pytest-of-two/pytest-22/b.txt", "--mcp-config", "/opt/two/x.json"
        )
    assert 0 == code


@pytest.mark.parametrize(
    ("recorded", "live"),
    [
        ("Summarise [PASSAGE]", "Summarise something else"),
        ("Text by [AUTHOR] on cats", "Text by me on cats"),
        ("Read /tmp/in/a.txt and say yes/no", "Read /tmp/in/a.txt but never say yes/no"),
        ("Review /repo/billing/__init__.py", "Review /repo/auth/__init__.py"),
    ],
)
def test_different_prompt_does_not_match(recorded, live, claude, tmp_path):
    """Brackets and slashes in a prompt match nothing but themselves."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run(recorded)
    with pytest.raises(CassetteMissError), use_cassette(tmp_path / "a.yaml"):
        by_run(live)


def test_turns_in_another_order_do_not_match(claude, tmp_path):
    """The run ends at once instead of waiting for the recorded line."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        converse(["one", "two"], "a")
    with (
        pytest.raises(CassetteMissError, match=r"differs in what it reads|ended after"),
        use_cassette(tmp_path / "a.yaml"),
        pytest.raises(json.JSONDecodeError),
    ):
        converse(["two", "one"], "b")


@pytest.mark.parametrize(
    "command", [["sh", "-c", "claude -p hello"], ["env", "A=1", "claude", "-p", "hello"], "echo a; claude -p hello"]
)
@pytest.mark.parametrize("state", ["guarded", "replaying"])
def test_wrapper_commands_cannot_run_the_real_command(command, state, claude, tmp_path):
    """A shell or a wrapper runs the shim, which the guard blocks or the cassette misses."""

    def run():
        return subprocess.run(command, shell=isinstance(command, str), capture_output=True, text=True, check=False)

    if state == "guarded":
        guard.close()
        try:
            done = run()
        finally:
            guard.open_up()
        assert "LLM calls are closed" in done.stderr
    else:
        with pytest.raises(CassetteMissError), use_cassette(tmp_path / "a.yaml"):
            done = run()
    assert 97 == done.returncode
    assert "result" not in done.stdout


def test_other_commands_run_unchanged(tmp_path):
    """Their arguments may be an iterator or a shell line."""
    with use_cassette(tmp_path / "a.yaml"):
        assert "1\n" == subprocess.run(map(str, ["echo", 1]), capture_output=True, text=True, check=True).stdout
        assert "claudette\n" == subprocess.check_output("echo claudette", shell=True, text=True)


def test_shim_imports_only_the_standard_library():
    """Neither yaml, nor pydantic, nor httpx2 is loaded when it starts."""
    code = textwrap.dedent("""
        import runpy, sys
        from llm_gateway.interception.claude import shim
        sys.argv = ["shim", "/nowhere"]
        try:
            runpy.run_path(list(shim.__path__)[0])
        except FileNotFoundError:
            pass
        print([name for name in sys.modules if name.split(".")[0] in ("yaml", "pydantic", "httpx2")])
    """)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


@pytest.mark.parametrize("run", [by_run, by_popen, by_asyncio, by_uvloop, by_anyio])
def test_injected_faults_end_a_run(run, claude, tmp_path):
    """The run ends as the command does on an API error; the recorded run is replayed afterwards."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD) as cassette:
        cassette.fault(529, message="Overloaded")
        assert (1, "API Error: Overloaded\n") == run("one")[:2]
        live = run("one")
    claude()
    with use_cassette(tmp_path / "a.yaml") as cassette:
        cassette.fault(429, message="not so fast")
        cassette.disconnect()
        cassette.timeout()
        outputs = [run("one", "--output-format", "json") for _ in range(3)]
        assert live == run("one")

    facts = [DIALECT.decode_error(code, out.encode(), err.encode()) for code, out, err in outputs]
    assert [
        ("rate_limited", "API Error: not so fast"),
        ("connection", "API Error: Connection error."),
        ("connection", "API Error: Request timed out."),
    ] == [(one.kind, one.message) for one in facts]
    assert [("fault", False)] * 3 + [("replay", True)] == [(one.source, one.is_billed) for one in cassette.calls]


def test_cut_cannot_be_injected_into_a_run(claude, tmp_path):
    """The block raises FaultError with a fault that can be injected."""
    with use_cassette(tmp_path / "a.yaml", Mode.RECORD):
        by_run("one")
    with pytest.raises(FaultError) as caught, use_cassette(tmp_path / "a.yaml") as cassette:
        cassette.cut(after_chunks=1)
        by_run("one")

    assert (
        "cut(after_chunks=1) cannot be injected into a run of claude\n"
        "  it breaks off a reply over HTTP\n"
        "  let the run fail instead: llm_cassette.fault(status=529)"
    ) == str(caught.value)
