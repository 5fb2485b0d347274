"""The canonical form as text that reads well and says exactly what it was made from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_gateway.exceptions import SnapshotError
from llm_gateway.pytest_plugin.snapshots.mark import Mark
from llm_gateway.pytest_plugin.snapshots.text import read, write

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
NODES = st.recursive(
    SCALARS | st.builds(lambda text: Mark(f"<{text}>"), st.sampled_from(["id 1", "decimal 1.10", '["k", 1]'])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=8,
)


def kinds(node):
    """*node* with the class of each value, which ``==`` does not tell apart."""
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
