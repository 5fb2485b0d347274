"""Runs of ``claude`` that a script answers, however they are started; the real command is never there."""

import asyncio
import json
import os
import subprocess
import threading
from functools import partial

import anyio
import pytest
from pydantic import BaseModel

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
    """The answer comes as the output format has it; what was asked is known, wherever the prompt stood."""
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
