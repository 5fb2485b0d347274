"""The last lines of a run: what no call reported is not shown as nothing."""

import pytest

from llm_gateway.pytest_plugin.tally import Sum


def told(*pairs, is_billed=True):
    tally = Sum()
    calls = [{"input": asked, "output": written, "cost": None} for asked, written in pairs]
    tally.add({**call, "duration_s": 0.1, "is_llm": True, "is_billed": is_billed} for call in calls)
    return f"{tally.tokens()} {tally.unknown()}"


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(10, 5)], "10 tokens in, 5 out (1 without price)"),
        ([(10, None)], "10 tokens in, ? out (1 without usage)"),
        ([(10, None), (2, 3)], "12 tokens in, 3 out (1 without usage, 1 without price)"),
        ([(None, None)], "tokens unknown (1 without usage)"),
        ([(10, 0)], "10 tokens in, 0 out (1 without price)"),
    ],
)
def test_what_was_not_reported_is_a_question_mark(pairs, words):
    """A stream that was cut tells its input alone."""
    assert words == told(*pairs)


def test_calls_that_were_refused_used_nothing():
    """That is known."""
    assert "0 tokens in, 0 out " == told((None, None), is_billed=False)
