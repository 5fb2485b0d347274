"""Usage may differ by a part of itself; everything else may not."""

import pytest

from llm_gateway.pytest_plugin.snapshots.usage import settled

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

    assert is_near is (settled(received, STORED, 0.1) == STORED)
    assert received == settled(received, STORED, 0)


def test_another_number_of_lines_is_another_answer():
    """Nothing is settled then."""
    assert "a: 1" == settled("a: 1", STORED, 0.5)
