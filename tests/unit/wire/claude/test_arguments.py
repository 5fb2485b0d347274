"""The prompt among the arguments of ``claude``, in any position."""

import pytest

from llm_gateway.wire.claude.arguments import prompt


@pytest.mark.parametrize(
    "argv",
    [
        ["-p", "say pong"],
        ["say pong", "-p"],
        ["-p", "--model", "haiku", "say pong"],
        ["-p", "--model=haiku", "--verbose", "say pong", "--output-format", "json"],
        ["-p", "--tools", "", "--system-prompt", "-x", "say pong"],
        ["--allowedTools", "Bash", "Read", "-p", "say pong"],
        ["--resume", "--print", "say pong"],
        ["--resume", "some-session", "say pong"],
        ["-p", "--max-turns", "1", "--", "say pong"],
    ],
)
def test_the_prompt_is_found(argv):
    """Options before it may take no value, one or several."""
    assert "say pong" == prompt(["claude", *argv])


@pytest.mark.parametrize("argv", [[], ["-p"], ["-p", "--model", "haiku"], ["--tools", "Bash", "Read"], ["-p", "--"]])
def test_there_is_none(argv):
    """It then comes on the standard input."""
    assert "" == prompt(["claude", *argv])
