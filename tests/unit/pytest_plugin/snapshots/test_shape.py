"""Structure without values: what a live run compares."""

import pytest

from llm_gateway.pytest_plugin.snapshots.canonical import Rules, tree
from llm_gateway.pytest_plugin.snapshots.mark import Mark
from llm_gateway.pytest_plugin.snapshots.shape import fits, shape
from llm_gateway.types import ToolCall


def of(value):
    return shape(tree(value, Rules()))


def test_a_shape_holds_names_and_kinds():
    """And is its own shape."""
    found = of(
        [ToolCall("toolu_01XyZ9876", "f", {"n": 1, "x": 2.5}), {"b": b"hi", "t": "x" * 60_000, "nan": float("nan")}]
    )

    assert [
        {"arguments": {"n": "<number>", "x": "<number>"}, "id": "<id>", "name": "<text>"},
        {"b": "<bytes>", "nan": "<number>", "t": "<text>"},
    ] == found
    assert found == shape(found)


@pytest.mark.parametrize(
    ("received", "stored", "is_same"),
    [
        ({"a": 1, "b": "x"}, {"b": "y", "a": 2.5}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([1, 2, 3], [4], True),
        ([], ["x"], True),
        (["x"], [], True),
        ([1, "x"], [1], False),
        ({"a": True}, {"a": 1}, False),
        ({"a": None}, {"a": "x"}, False),
        ("x", ["x"], False),
    ],
)
def test_shapes_are_compared(received, stored, is_same):
    """Lists by the kinds of their items, whatever their number."""
    assert is_same is fits(of(received), of(stored))


def test_kinds_of_marks():
    """By their first word, or as what they stand for."""
    marks = [
        "<id 3>",
        "<masked>",
        "<decimal 1.10>",
        "<-inf>",
        "<2 bytes, 6869>",
        "<integer of 9999 bits, sha256 0>",
        "<null>",
    ]

    assert ["<id>", "<masked>", "<decimal>", "<number>", "<bytes>", "<number>", "<null>"] == [
        shape(Mark(one)) for one in marks
    ]
