"""Recorded runs of ``claude``: the input decides which of several is replayed."""

import json

from llm_gateway.interception.claude.shim.player import Player, Run

ARGV = ["claude", "--output-format", "stream-json", "--input-format", "stream-json"]
BEGIN = b'{"type": "control_request", "request_id": "req_1", "request": {"subtype": "initialize"}}\n'
BEGUN = b'{"type": "control_response"}\n'


def turn(text):
    return json.dumps({"type": "user", "message": text}).encode() + b"\n"


def run(number, text, *mixed):
    """Return a run; *mixed* states where among its reads the one of standard error (``err``) was."""
    frames = {
        "begin": ("stdin", BEGIN),
        "begun": ("stdout", BEGUN),
        "err": ("stderr", b"started\n"),
        "turn": ("stdin", turn(text)),
        "result": ("stdout", json.dumps({"result": text.upper()}).encode() + b"\n"),
    }
    return Run(number, ARGV, [frames[name] for name in mixed], True, 0)


def test_no_output_is_repeated_when_runs_read_standard_error_at_other_times():
    """Standard error may have been read slightly earlier or later in one recording than in another."""
    runs = [
        run(0, "one", "begin", "begun", "turn", "err", "result"),
        run(1, "two", "err", "begin", "begun", "turn", "result"),
    ]
    player = Player(runs, ARGV, lambda _: True)
    player.feed(BEGIN)
    first = player.output()
    player.feed(turn("two"))
    second = player.output()
    player.feed(b"")

    assert [("stdout", BEGUN)] == first
    assert [("stderr", b"started\n"), ("stdout", b'{"result": "TWO"}\n')] == second
    assert player.is_done
