"""The canonical form as readable YAML that loses nothing, its structure without values, and near token counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.text import has_shape, read, shape, with_stored_usage, write
from llm_gateway.pytest_plugin.snapshots.tree import tree
from llm_gateway.pytest_plugin.snapshots.value import Mark
from llm_gateway.types import ToolCall

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NODES = st.recursive(
    SCALARS | st.builds(lambda text: Mark(f"<{text}>"), st.sampled_from(["id 1", "decimal 1.10", '["k", 1]'])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


def kinds(node):
    """Return *node* with the class of each value, since ``==`` ignores it."""
    if isinstance(node, dict):
        return {key: kinds(item) for key, item in node.items()}
    return [kinds(item) for item in node] if isinstance(node, list) else (type(node).__name__, node)


@given(NODES)
def test_what_is_written_is_read(node):
    """Line ends, quotes, numbers in texts and texts that look like marks included."""
    assert kinds(node) == kinds(read(write(node)))


@pytest.mark.parametrize(
    ("node", "lines"),
    [
        ("one\ntwo", ["|-", "  one", "  two"]),
        (
            {"a": [], "b": {}, "c": [{"d": 1, "e": None}, "yes"]},
            ["a: []", "b: {}", "c:", "  - d: 1", "    e: null", "  - 'yes'"],
        ),
        ([Mark("<id 1>"), "<id 1>", "Grüße 🎉", "\x00"], ["- <id 1>", "- '<id 1>'", "- Grüße 🎉", '- "\\0"']),
        ("", ["''"]),
    ],
)
def test_it_reads_well(node, lines):
    """Texts in blocks, marks without quotes."""
    assert lines == write(node).splitlines()


def test_the_markers_of_a_merge_are_named():
    """With what to type."""
    with pytest.raises(SnapshotError) as caught:
        read("a: 1\n<<<<<<< ours\nb: 2\n=======\nb: 3\n")

    assert "a stored snapshot cannot be read" == caught.value.message
    assert "write it anew: pytest --snapshot-update" == caught.value.fix


def of(value):
    return shape(tree(value))


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
    assert is_same is has_shape(of(received), of(stored))


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


STORED = "- input_tokens: 100\n- cost_usd: <decimal 0.10>\nmax_tokens: 100\nage: 100"


@pytest.mark.parametrize(
    ("old", "new", "is_near"),
    [
        ("tokens: 100", "tokens: 110", True),
        ("tokens: 100", "tokens: 111", False),
        ("tokens: 100", "tokens: 90", True),
        ("0.10>", "0.11>", True),
        ("max_tokens: 100", "max_tokens: 101", False),
        ("age: 100", "age: 101", False),
        ("tokens: 100", "tokens: null", False),
        ("- input", "- output", False),
    ],
)
def test_numbers_of_tokens_and_dollars_may_be_near(old, new, is_near):
    """Limits and numbers of the answer are no usage."""
    received = STORED.replace(old, new, 1)

    assert is_near is (with_stored_usage(received, STORED, 0.1) == STORED)
    assert received == with_stored_usage(received, STORED, 0)


def test_another_number_of_lines_is_another_answer():
    """Nothing is settled then."""
    assert "a: 1" == with_stored_usage("a: 1", STORED, 0.5)
