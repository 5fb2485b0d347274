"""Arguments of the claude command line, also where a value looks like an option."""

import pytest

from llm_gateway.wire.claude.arguments import flag, is_set


@pytest.mark.parametrize(
    ("argv", "value"),
    [
        (("claude", "--model", "haiku"), "haiku"),
        (("claude", "--model=haiku"), "haiku"),
        (("claude", "--system-prompt", "--model", "--model", "haiku"), "haiku"),
        (("claude", "--system-prompt", "--model=opus", "--model", "haiku"), "haiku"),
        (("claude", "--model"), None),
        (("claude",), None),
    ],
)
def test_the_value_of_an_option(argv, value):
    """In either spelling; what another option is given is never taken for it."""
    assert value == flag(argv, "--model")


def test_an_option_without_a_value():
    """A prompt that reads like it does not set it."""
    assert is_set(("claude", "-p", "--verbose"), "--verbose")
    assert not is_set(("claude", "-p", "--system-prompt", "--verbose"), "--verbose")
