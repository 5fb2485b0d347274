"""Runs of ``claude`` that a script answers, however they are started; the real command is never there."""

import asyncio
import json
import os
import re
import socket
import subprocess
import threading
from functools import partial

import anyio
import pytest
from pydantic import BaseModel

from llm_gateway import GatewayConfig, LLMClient, SyncLLMClient, ToolCall
from llm_gateway.exceptions import CassetteMissError, FakeScriptError, ProviderError
from llm_gateway.fakes import FakeLLM
from llm_gateway.interception.claude.runs import Runs
from llm_gateway.interception.use_cassette import use_cassette
from llm_gateway.types import ThinkingPart

HERE = os.path.relpath(__file__)


class Ticket(BaseModel):
    queue: str
    urgent: bool = False


def by_run(*argv, text=""):
    done = subprocess.run(["claude", "-p", *argv], input=text, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


async def _exec(*argv, text=""):
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec("claude", "-p", *argv, stdin=pipe, stdout=pipe, stderr=pipe)
    out, err = await process.communicate(text.encode())
    return process.returncode, out.decode(), err.decode()


def by_asyncio(*argv, text=""):
    return asyncio.run(_exec(*argv, text=text))


def by_uvloop(*argv, text=""):
    uvloop = pytest.importorskip("uvloop")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_exec(*argv, text=text))


async def _anyio(*argv, text=""):
    done = await anyio.run_process(["claude", "-p", *argv], input=text.encode(), check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def by_anyio(*argv, text=""):
    return anyio.run(partial(_anyio, *argv, text=text))


def by_trio(*argv, text=""):
    return anyio.run(partial(_anyio, *argv, text=text), backend="trio")


def by_shell(*argv, text=""):
    """A child that is no Python runs it."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'claude -p "$@"', "sh", *argv], input=text, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def by_thread(*argv, text=""):
    found = []
    thread = threading.Thread(target=lambda: found.append(by_run(*argv, text=text)))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("way", [by_run, by_asyncio, by_uvloop, by_anyio, by_trio, by_shell, by_thread])
def test_every_way_to_run_it(way, fake):
    """The answer has the output format, and the call has the prompt, wherever it was passed."""
    fake.on(provider="local_claude", contains="ping").reply("pong").usage(input=10, output=5, cache_read=4)
    fake.reply(lambda call: call.text.upper())

    code, out, err = way("--output-format", "json", "--model", "haiku", "ping", text="and more")

    assert (0, "") == (code, err)
    result = json.loads(out)
    assert ("pong", 1, "end_turn", 0) == (
        result["result"],
        result["num_turns"],
        result["stop_reason"],
        result["total_cost_usd"],
    )
    assert (6, 4, 5) == tuple(
        result["modelUsage"]["claude-haiku-5-5"][name]
        for name in ("inputTokens", "cacheReadInputTokens", "outputTokens")
    )
    assert (0, "HI\n", "") == way("--system-prompt", "Be terse.", text="hi\n")
    assert [
        ("local_claude", "claude_cli", "haiku", "ping\nand more"),
        ("local_claude", "claude_cli", "default", "hi"),
    ] == [(call.provider, call.api, call.model, call.text) for call in fake.calls]
    assert "Be terse." == fake.last.system


def ask(*argv, text="hi"):
    """The way that starts no process."""
    return by_anyio(*argv, text=text)


JSON = ("--output-format", "json")
LINES = ("--output-format", "stream-json", "--verbose")


def events(*argv, text="hi"):
    """The exit code, and the lines as they were printed."""
    code, out, err = ask(*LINES, *argv, text=text)
    assert "" == err
    return code, [json.loads(line) for line in out.splitlines()]


def test_text_and_arrays(fake):
    """Only the last text of an answer is its result, as the real one has it; ``--verbose`` shows the others."""
    fake.reply([ThinkingPart("hm", "c2ln"), "lost", "kept"], times=3)

    assert (0, "kept\n", "") == ask()
    assert "kept" == json.loads(ask(*JSON)[1])["result"]
    printed = json.loads(ask(*JSON, "--verbose")[1])
    assert ["system", "assistant", "assistant", "assistant", "result"] == [event["type"] for event in printed]
    assert ["thinking", "text", "text"] == [event["message"]["content"][0]["type"] for event in printed[1:4]]


def test_several_turns_in_one_process(fake):
    """Each input is answered; usage is of the turn, by model it is of all."""
    fake.reply("one").usage(input=3, output=2).reply("two").usage(input=5, output=4)
    lines = [{"type": "user", "message": {"role": "user", "content": text}} for text in ("first", "second")]

    text = "\n".join(map(json.dumps, lines))
    code, printed = events("--input-format", "stream-json", "--session-id", "s-1", "--replay-user-messages", text=text)

    results = [event for event in printed if event["type"] == "result"]
    assert (0, ["one", "two"], [0, 1]) == (
        code,
        [one["result"] for one in results],
        [one["result_index"] for one in results],
    )
    assert [(3, 2), (5, 4)] == [(one["usage"]["input_tokens"], one["usage"]["output_tokens"]) for one in results]
    assert 8 == results[1]["modelUsage"]["claude-opus-5-5"]["inputTokens"]
    assert {"s-1"} == {event["session_id"] for event in printed}
    assert 2 == sum(event.get("isReplay", False) for event in printed)
    assert ["first", "one", "second"] == [message.text for message in fake.last.messages]


def test_an_object_for_a_schema(fake):
    """By the command's own tool; text in its place ends the run without an object, as the real one does."""
    fake.reply(Ticket(queue="billing"), times=2).reply("not an object")
    schema = ("--json-schema", json.dumps(Ticket.model_json_schema()))

    result = json.loads(ask(*JSON, *schema)[1])
    assert ({"queue": "billing", "urgent": False}, 2) == (result["structured_output"], result["num_turns"])
    assert '{"queue":"billing","urgent":false}\n' == ask(*schema)[1]
    code, out, _ = ask(*JSON, *schema)
    assert (0, False) == (code, "structured_output" in json.loads(out))


def test_an_object_that_does_not_fit(fake):
    """The error names the line that scripted it."""
    fake.reply({"queue": 3})

    code, out, err = ask("--json-schema", json.dumps(Ticket.model_json_schema()))

    assert (97, "") == (code, out)
    assert err.startswith(
        "FakeScriptError: the scripted object does not fit the requested schema: queue: 3 is not of type 'string'\n"
        f"  it was scripted at {HERE}:"
    )


def test_a_tool_of_its_own_does_nothing(fake):
    """No command runs in a test; the tool result states that, and the limit of turns holds."""
    fake.reply(["I will.", ToolCall("call_1", "Bash", {"command": "rm -rf /"})], times=2)
    fake.on(tool_result="Bash did nothing").reply("done")

    code, printed = events()
    assert (0, "done", 2) == (code, printed[-1]["result"], printed[-1]["num_turns"])
    assert ["text", "tool_use", "tool_result", "text"] == [
        event["message"]["content"][0]["type"] for event in printed[1:-1]
    ]
    code, printed = events("--max-turns", "1")
    assert (1, "error_max_turns", ["Reached maximum number of turns (1)"]) == (
        code,
        printed[-1]["subtype"],
        printed[-1]["errors"],
    )
    assert (1, "Reached maximum number of turns (1)\n", "") == (
        fake.reply(ToolCall("call_2", "Read", {})) and ask("--max-turns=1")
    )


@pytest.mark.parametrize(
    ("status", "message", "kind", "word", "text"),
    [
        (400, None, "invalid_request_error", "invalid_request", "the request is wrong"),
        (401, None, "authentication_error", "authentication_failed", "Invalid API key · Fix external API key"),
        (403, "no", "permission_error", "authentication_failed", "Failed to authenticate. API Error: 403 no"),
        (
            404,
            None,
            "not_found_error",
            "invalid_request",
            "There's an issue with the selected model (claude-haiku-5-5).",
        ),
        (429, "slow", "rate_limit_error", "rate_limit", "API Error: Request rejected (429) · slow"),
        (500, "oh", "api_error", "server_error", "API Error: 500 oh. This is a server-side issue"),
        (529, "Overloaded", "overloaded_error", "server_error", "API Error: 529 Overloaded. This is a server-side"),
    ],
)
def test_errors(status, message, kind, word, text, fake):
    """As the real one prints them, in lines and as the one text of its result."""
    fake.error(status, message, times=2)

    code, printed = events("--model", "haiku")

    assert 1 == code
    _, event, result = printed
    assert ("<synthetic>", word) == (event["message"]["model"], event["error"])
    assert (True, "success", status, kind) == (
        result["is_error"],
        result["subtype"],
        result["api_error_status"],
        result["api_error_type"],
    )
    assert result["result"].startswith(text)
    assert (1, f"{result['result']}\n", "") == ask("--model", "haiku")


def test_other_ends(fake):
    """No answer in time, an answer that is cut at its limit, a refusal, and no JSON."""
    fake.timeout().truncated("half").refusal("no").malformed()

    late, limit, refusal = (json.loads(ask(*JSON, "--model", "haiku")[1]) for _ in range(3))

    assert late["result"].startswith("Request timed out.")
    assert ("max_output_tokens", True) == (limit["api_error"], limit["is_error"])
    assert ("refusal", True) == (refusal["stop_reason"], refusal["is_error"])
    assert refusal["result"].startswith("API Error: Haiku 5.5 can't help with this.")
    code, out, _ = ask(*JSON)
    assert 0 == code
    with pytest.raises(ValueError, match="delimiter"):
        json.loads(out)


@pytest.mark.parametrize("way", [by_run, by_anyio, by_uvloop])
def test_a_process_that_dies(way, fake):
    """Killed before it printed anything, or after so many lines of its answer."""
    fake.disconnect().disconnect(after_chunks=4).disconnect(after_chunks=5, content="some text")

    assert (-9, "", "") == way(*JSON, text="hi")
    code, out, _ = way(*LINES, "--include-partial-messages", text="hi")
    assert (-9, ["system", "message_start", "content_block_start", "content_block_delta"]) == (
        code,
        [(one.get("event") or one)["type"] for one in map(json.loads, out.splitlines()[1:])],
    )
    assert (-9, "some ", "") == way(text="hi")


def test_a_cut_behind_the_end(fake):
    """The error names the length of the answer."""
    fake.disconnect(after_chunks=10, content="short")

    code, _, err = ask()

    assert 97 == code
    assert f"  it was scripted at {HERE}:" in err
    assert err.startswith("FakeScriptError: disconnect(after_chunks=10) comes after the end: the answer has 6 chunks\n")
    assert err.endswith("  disconnect(after_chunks=5), or give a longer content=\n")


def test_text_cannot_be_malformed(fake):
    """Any text is a good one."""
    fake.malformed()

    assert "FakeScriptError: malformed() has no effect on a run of claude that prints text" in ask()[2]


@pytest.mark.parametrize(
    ("argv", "text", "message"),
    [
        (["--output-format", "stream-json"], "hi", "--output-format=stream-json requires --verbose"),
        (
            ["--input-format", "stream-json", *JSON],
            "",
            "--input-format=stream-json requires output-format=stream-json.",
        ),
        (["--max-turns", "abc"], "hi", "option '--max-turns <turns>' argument 'abc' is invalid. must be a number"),
        (["--json-schema", "{not json"], "hi", "Error: --json-schema is not valid JSON"),
        (JSON, "", "Input must be provided either through stdin or as a prompt argument when using --print"),
        (
            [*LINES, "--input-format", "stream-json"],
            "junk",
            "Error parsing streaming input line (type=unknown, 4 chars)",
        ),
    ],
)
def test_arguments_that_it_does_not_take(argv, text, message, fake):
    """They fail as with the real one, before any model is called."""
    code, out, err = ask(*argv, text=text)

    assert (1, "") == (code, out)
    assert message in err
    assert [] == list(fake.calls)


def test_the_version(fake):
    """Hosts request it before anything else."""
    assert b"2.1.329 (Claude Code)\n" == subprocess.check_output(["claude", "--version"])


@pytest.mark.parametrize("way", [by_run, by_anyio, by_shell])
def test_nothing_is_scripted(way, fake):
    """The run fails and shows the call; the test fails with the same error."""
    code, out, err = way("--model", "haiku", "what now?")

    expected = (
        "FakeMissError: fake_llm has no answer for call #1 local_claude haiku (claude_cli)\n"
        "    user: 'what now?'\n"
        "  nothing is scripted\n"
        '  to script it: fake_llm.reply("...") before the call\n'
    )
    assert (97, "", expected) == (code, out, err)
    assert [expected.strip()] == [problem.report.strip() for problem in fake.cassette.outcome.failures()]


def test_a_function_of_the_script_fails(fake):
    """It fails the test and not the code under test, in whichever process the run is."""
    fake.reply(lambda call: call.nothing, times=2)

    for way in (by_run, by_anyio):
        code, _, err = way("hi")
        assert 97 == code
        assert err.startswith(
            "FakeScriptError: a function of the script failed: AttributeError: 'FakeCall' object has no attribute"
        )
        assert re.search(r"it failed at .*test_claude\.py:\d+\n", err)


@pytest.mark.parametrize("way", [by_run, by_anyio, by_shell])
def test_other_providers_alone_are_faked(way, tmp_path):
    """A run of the command then goes where it went without a script."""
    with pytest.raises(CassetteMissError), use_cassette(tmp_path / "none.yaml") as cassette:
        fake = FakeLLM()
        cassette.answer_by(fake)
        fake.only("openai")
        code, _, err = way(text="hi")

    assert (97, True) == (code, "CassetteMissError" in err)


@pytest.mark.parametrize("way", [by_run, by_anyio, by_shell])
def test_recorded_runs_together_with_a_script(way, tmp_path):
    """Neither wins in silence."""
    (tmp_path / "a.yaml").write_text("version: 1\ninteractions: []\nprocesses:\n- argv: [claude]\n  exit_code: 0\n")
    with pytest.raises(FakeScriptError) as caught, use_cassette(tmp_path / "a.yaml") as cassette:
        cassette.answer_by(FakeLLM())
        code, out, err = way(text="hi")

    assert (97, "", f"FakeScriptError: {caught.value}\n") == (code, out, err)
    assert str(caught.value).endswith(
        "a.yaml would answer the run of claude\n"
        "  the cassette holds runs of it, and fake_llm answers every model's calls\n"
        "  delete the cassette, or name who is faked: fake_llm.only('anthropic')"
    )


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_our_own_client(mode, fake):
    """Text, objects, streams and errors of the provider ``local_claude``, without a process."""
    fake.reply("pong").usage(input=10, output=5).reply(Ticket(queue="billing")).stream(["a", "b"]).error(429).timeout()
    fake.truncated("half").refusal("no")

    async def both(client, name, *args, **options):
        found = getattr(client, name)(*args, **options)
        return await found if mode == "async" else found

    async def go():
        client = (LLMClient if mode == "async" else SyncLLMClient)(
            GatewayConfig(provider="local_claude", max_retries=0)
        )
        chat = await both(client, "chat", "hi")
        assert ("pong", 15, 0) == (chat.content, chat.usage.total_tokens, chat.cost_usd)
        assert Ticket(queue="billing") == (await both(client, "complete", "hi", response_model=Ticket)).content
        stream = client.stream("hi")
        chunks = [one async for one in stream] if mode == "async" else list(stream)
        assert ["a", "b"] == [one.text for one in chunks if one.text]
        for kind in ("rate_limited", "timeout"):
            with pytest.raises(ProviderError) as caught:
                await both(client, "chat", "hi")
            assert kind == caught.value.kind
        half, no = await both(client, "chat", "hi"), await both(client, "chat", "hi")
        assert ("half", "max_tokens", "refusal") == (half.content, half.stop_reason, no.stop_reason)
        await both(client, "close")

    asyncio.run(go())
    assert {"local_claude"} == {call.provider for call in fake.calls}


def test_other_programs_are_rejected(tmp_path):
    """A connection without the secret of the test gets no answer; no thread and no file is left afterwards."""
    before, path = threading.active_count(), os.environ["PATH"]
    with use_cassette(tmp_path / "none.yaml") as cassette:
        fake = FakeLLM().reply("pong")
        cassette.answer_by(fake)
        assert 0 == by_run("hi")[0]
        folder = Runs.of(cassette).folder
        address = folder.plan()["control_socket"]
        for line in (
            b"junk\n",
            b"[]\n",
            b'{"secret": "\xc3\xa4"}\n',
            json.dumps({"secret": "guess", "argv": ["claude"]}).encode() + b"\n",
        ):
            with socket.create_connection(("127.0.0.1", address["port"])) as stranger:
                stranger.sendall(line)
                assert b"" == stranger.recv(10)

    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", address["port"]))
    assert (False, before, path) == (folder.path.exists(), threading.active_count(), os.environ["PATH"])


def test_a_run_that_outlives_its_test(tmp_path):
    """It prints an error, and fails."""
    lines = ["claude", "--input-format", "stream-json", *LINES]
    with use_cassette(tmp_path / "none.yaml") as cassette:
        cassette.answer_by(FakeLLM().reply("pong"))
        pipe = subprocess.PIPE
        process = subprocess.Popen(lines, stdin=pipe, stdout=pipe, stderr=pipe)
        process.stdin.write(b'{"type": "user", "message": {"role": "user", "content": "hi"}}\n')
        process.stdin.flush()
        assert b'"type":"system"' in process.stdout.readline()

    _, err = process.communicate()
    assert (97, b"FakeMissError: the test that scripted this run of claude is over\n") == (process.returncode, err)


def test_an_example_and_a_recorded_answer(fake, tmp_path):
    """Other verbs answer runs as they answer calls over HTTP: by schema, by class, from a cassette."""
    schema = ("--json-schema", json.dumps(Ticket.model_json_schema()))
    fake.generate()
    assert {"queue": "queue", "urgent": False} == {**json.loads(ask(*schema)[1]), "urgent": False}
    fake.set_response(Ticket, Ticket(queue="billing"))
    assert "billing" == json.loads(ask(*schema)[1])["queue"]
    (tmp_path / "a.yaml").write_text(RECORDED)
    fake.from_cassette(tmp_path / "a.yaml")

    assert (0, "pong\n", "") == ask()
    assert (1, "API Error: Request rejected (429) · slow\n", "") == ask()
    assert 1 == ask()[0]
    assert -9 == ask()[0]


CALL = (
    "- request: {method: POST, uri: 'https://api.anthropic.com/v1/messages', headers: {}, body: '%s'}\n  response: %s\n"
)
REQUEST = json.dumps({"model": "claude-x", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]})
MESSAGE = json.dumps({"type": "message", "role": "assistant", "model": "claude-x", "stop_reason": "end_turn"})[:-1]
REPLY = "{status: {code: %d, message: ''}, headers: {}, body: '%s'}"
RECORDED = "version: 1\ninteractions:\n" + "".join(
    CALL % (REQUEST, response)
    for response in (
        REPLY % (200, MESSAGE + ', "content": [{"type": "text", "text": "pong"}]}'),
        REPLY % (429, '{"type": "error", "error": {"type": "rate_limit_error", "message": "slow"}}'),
        REPLY % (0, "") + "\n  llm: {end: error, failure: {kind: read_timeout}}",
        REPLY % (0, "") + "\n  llm: {end: error, failure: {kind: protocol}}",
    )
)
