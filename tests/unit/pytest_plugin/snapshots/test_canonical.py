"""One form for any answer: the same whatever made it, whenever, and for every hash seed."""

import ast
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import os
import subprocess
import sys
import uuid

import pydantic
import pytest

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots import canonical
from llm_gateway.types import CallRecord, ChatReply, LLMResponse, TextPart, TokenUsage, ToolCall, ToolResult


class Queue(enum.Enum):
    BILLING = "billing"


class Ticket(pydantic.BaseModel):
    queue: Queue
    tags: set[str] = set()
    note: str | None = None
    token: pydantic.SecretStr | None = None


@dataclasses.dataclass
class Case:
    queue: str
    tags: frozenset[str]
    note: str | None = None


@pytest.mark.parametrize(
    "value",
    [
        Ticket(queue=Queue.BILLING, tags={"b", "a", "c"}),
        Case("billing", frozenset("cab")),
        {"tags": ("a", "b", "c"), "queue": "billing"},
        collections.namedtuple("Row", "queue tags")("billing", {"c", "b", "a"}),  # noqa: PYI024
    ],
    ids=["pydantic", "dataclass", "dict", "namedtuple"],
)
def test_the_same_content_has_the_same_form(value):
    """Whichever class carries it; a field that is None by default is left out."""
    found = canonical(value)

    assert {"queue": "billing", "tags": ["a", "b", "c"]} == found
    assert ["queue", "tags"] == list(found)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        (decimal.Decimal("1.10"), "<decimal 1.10>"),
        (dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC), "<datetime 2026-11-21T12:00:00+00:00>"),
        (dt.date(2026, 11, 21), "<date 2026-11-21>"),
        (dt.timedelta(hours=1), "<timedelta 1:00:00>"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (b"hi", "<2 bytes, 6869>"),
        (b"", "<0 bytes>"),
        pytest.param(bytes(99), "<99 bytes, sha256 4b298058e1d5fd3f>", id="bytes"),
        (float("nan"), "<nan>"),
        (float("-inf"), "<-inf>"),
        (1e-07, 1e-07),
        (True, True),
        pytest.param("x" * 60_000, "<60000 characters, sha256 4a719560eed2a077>", id="text"),
        pytest.param(10**5_000, "<integer of 16610 bits, sha256 2ba645d1fa2012ef>", id="integer"),
        (pydantic.SecretStr("p"), "<secret>"),
        (pydantic.RootModel[list[int]]([1, 2]), [1, 2]),
        ({1: "a", "1": "b", None: "c", ("k", 1): "d"}, {1: "a", "1": "b", None: "c", '<["k", 1]>': "d"}),
        (range(2), [0, 1]),
        ({"b": 1}.keys(), ["b"]),
        ({frozenset("ab"), frozenset("ba"), frozenset("c")}, [["a", "b"], ["c"]]),
    ],
)
def test_single_values(value, form):
    """A value that text shows exactly is written as it is; another one as a mark with its kind."""
    assert form == canonical(value)


def test_a_response_holds_its_answer_once():
    """With usage, and without what depends on the network: attempts and latency."""
    usage = TokenUsage(input_tokens=12, output_tokens=0)
    attempt = CallRecord(provider="anthropic", model_served="claude-haiku-5-5", status=200, usage=usage, duration_s=0.7)
    reply = ChatReply((TextPart("hi"),), id="msg_01")
    answer = LLMResponse("hi", "anthropic", "claude-haiku-5-5", usage, attempts=(attempt,), reply=reply)

    assert {
        "content": "hi",
        "model": "claude-haiku-5-5",
        "provider": "anthropic",
        "usage": {"input_tokens": 12, "output_tokens": 0},
    } == canonical(answer)
    assert "<masked>" == canonical(attempt)["duration_s"]


def test_ids_become_ordinals():
    """The same id has the same number; a customer's own id is content."""
    turns = [
        ToolCall("toolu_01XyZ9876", "find", {"customer_id": "C-42"}),
        ToolCall("D681PevKs", "find", {}),
        ToolResult("toolu_01XyZ9876", "found"),
        {"toolu_01XyZ9876": "by key", "call_other9": 1, "a": 2},
        "call_me_later",
    ]

    assert [
        {"arguments": {"customer_id": "C-42"}, "id": "<id 1>", "name": "find"},
        {"arguments": {}, "id": "<id 2>", "name": "find"},
        {"content": "found", "tool_call_id": "<id 1>"},
        {"a": 2, "<id 1>": "by key", "<id 3>": 1},
        "call_me_later",
    ] == canonical(turns)


def test_volatile_fields_are_masked_where_a_provider_made_them():
    """When an invoice was created is content."""
    wire = {"id": "chatcmpl-Ab12Cd34", "created": 1732000000, "system_fingerprint": "fp_1", "model": "m"}
    own = {"created": "2026-11-21", "lines": [{"price": 3}], "price": 4}

    assert {
        "created": "<masked>",
        "id": "<id 1>",
        "model": "m",
        "system_fingerprint": "<masked>",
    } == canonical(wire)
    assert own == canonical(own)
    assert {**own, "lines": [{"price": "<masked>"}]} == canonical(own, mask=["lines.price"])
    assert {**own, "lines": [{"price": "<masked>"}], "price": "<masked>"} == canonical(own, mask=["price"])


def test_objects_of_the_sdks_and_their_json_have_the_same_form():
    """The official SDKs' own models; fields that a newer one adds without a value do not count."""
    openai = pytest.importorskip("openai.types.chat")
    body = {
        "id": "chatcmpl-Ab12Cd34",
        "object": "chat.completion",
        "created": 1732000000,
        "model": "gpt-5-mini",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "pong"}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
    }

    assert canonical(body) == canonical(openai.ChatCompletion.construct(**body))
    anthropic = pytest.importorskip("anthropic.types")
    block = {"type": "tool_use", "id": "toolu_01XyZ9876", "name": "find", "input": {"q": 1}}
    assert canonical(block) == canonical(anthropic.ToolUseBlock.construct(**block))


def test_inline_snapshot_gets_a_plain_value():
    """One that is equal to its own source text."""
    found = canonical([ToolCall("toolu_01XyZ9876", "find", {"n": decimal.Decimal(1), "x": float("inf")})])

    assert found == ast.literal_eval(repr(found))


class Socket:
    pass


def holding_itself():
    inner: list[object] = []
    value = {"a": [1, {"inner": inner}]}
    inner.append(value)
    return value


def deep():
    value: list[object] = []
    for _ in range(200):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (
            {"turns": [{}, {"client": Socket()}]},
            [
                f"a snapshot cannot hold turns[1].client: {Socket.__module__}.Socket",
                "  it is no model, dataclass, mapping, list, set or plain value",
                "  leave it out: llm_snapshot(mask=['client'])",
            ],
        ),
        (
            [print],
            [
                "a snapshot cannot hold [0]: builtins.builtin_function_or_method",
                "  it is no model, dataclass, mapping, list, set or plain value",
                "  snapshot the part that the test is about",
            ],
        ),
        (
            holding_itself(),
            [
                "a snapshot cannot hold a[1].inner[0]: it holds itself",
                "  it is the object that the value is",
                "  leave it out: llm_snapshot(mask=['inner'])",
            ],
        ),
        (
            {"x": {Socket(): 1}},
            [
                "a snapshot cannot hold x: one of its keys is a Socket",
                "  keys are texts, numbers, dates or tuples of these",
                "  leave it out: llm_snapshot(mask=['x'])",
            ],
        ),
        (
            {"x": {Queue.BILLING: 1, "billing": 2}},
            [
                "a snapshot cannot hold x: two of its keys are written 'billing'",
                "  one of them is 'billing'",
                "  leave it out: llm_snapshot(mask=['x'])",
            ],
        ),
        (
            [0] * 100_001,
            [
                "a snapshot cannot hold more than 100,000 values",
                "  reached at [99999]",
                "  snapshot the part that the test is about",
            ],
        ),
        (
            deep(),
            [
                "a snapshot cannot hold more than 60 levels",
                f"  reached at {'[0]' * 61}",
                "  snapshot the part that the test is about",
            ],
        ),
    ],
    ids=["object", "function", "cycle", "key", "two keys", "many", "deep"],
)
def test_what_cannot_be_written_is_named(value, lines):
    """By its path, with what to do."""
    with pytest.raises(SnapshotError) as caught:
        canonical(value)

    assert lines == str(caught.value).splitlines()


def test_what_is_masked_need_not_be_data():
    """Nothing looks at it."""
    assert {"client": "<masked>"} == canonical({"client": Socket()}, mask=["client"])


SEEDED = """
import dataclasses
from llm_gateway.pytest_plugin.snapshots import canonical
from llm_gateway.pytest_plugin.snapshots.text import write

@dataclasses.dataclass(frozen=True)
class Tag:
    name: str
    ids: frozenset

names = [f"t{n}" for n in range(30)]
ids = [f"toolu_{n:08d}x" for n in range(9)]
print(write(canonical({"tags": {Tag(name, frozenset(names)) for name in names}, "ids": set(ids), "more": ids[::-1]})))
"""


def test_the_form_is_the_same_for_every_hash_seed():
    """Sets of sets, of objects and of ids."""
    texts = {
        subprocess.run(
            [sys.executable, "-c", SEEDED],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }

    assert 1 == len(texts)
