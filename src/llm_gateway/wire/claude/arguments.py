"""Arguments of the ``claude`` command: the prompt, the options around it, and the short names of models.

Source: ``claude --help`` of version 2.1.329, and its hidden options.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["MODELS", "VERSION", "flag", "is_set", "model_name", "prompt", "resolve_model"]

_PLAIN = frozenset(
    """
    -p --print -c --continue -h --help -v --version --bg --background --bare --brief --chrome --no-chrome --ide
    --allow-dangerously-skip-permissions --ax-screen-reader --dangerously-skip-permissions --desktop
    --disable-slash-commands --exclude-dynamic-system-prompt-sections --fork-session --forward-subagent-text
    --include-hook-events --include-partial-messages --no-session-persistence --replay-user-messages --restricted
    --safe-mode --session-mirror --strict-mcp-config --tmux --verbose
    """.split()
)
"""Options without a value; one that is not known here takes one."""
_SEVERAL = frozenset(
    "--add-dir --allowedTools --allowed-tools --betas --disallowedTools --disallowed-tools --file --mcp-config "
    "--tools".split()
)
"""Options that take all that follows, up to the next option."""
_OPTIONAL = frozenset(
    "--cloud -d --debug --from-pr --prompt-suggestions --remote-control -r --resume --teleport -w --worktree".split()
)
_WITH_A_VALUE = frozenset(
    "--append-system-prompt --effort --fallback-model --input-format --json-schema --max-budget-usd --max-turns "
    "--model --output-format --permission-mode --session-id --settings --system-prompt".split()
)
"""Options whose value may look like another option."""


def flag(argv: Sequence[str], name: str) -> str | None:
    """Return the value of option *name*, as ``--name value`` or ``--name=value``; None where it is not given."""
    for place in _options(argv):
        if argv[place] == name and place + 1 < len(argv):
            return argv[place + 1]
        if argv[place].startswith(f"{name}="):
            return argv[place].partition("=")[2]
    return None


def is_set(argv: Sequence[str], name: str) -> bool:
    """Return True when option *name*, which takes no value, is given."""
    return any(argv[place] == name for place in _options(argv))


def _options(argv: Sequence[str]) -> Iterator[int]:
    """Yield the positions of arguments that are not the value of an option; a value may look like an option."""
    place = 0
    while place < len(argv):
        yield place
        place += 2 if argv[place] in _WITH_A_VALUE else 1


def prompt(argv: Sequence[str]) -> str:
    """Return the prompt among the arguments; empty where there is none."""
    left = list(argv[1:])
    while left:
        argument = left.pop(0)
        if argument == "--":
            return left[0] if left else ""
        if not argument.startswith("-"):
            return argument
        _skip_values(argument, left)
    return ""


def _skip_values(option: str, left: list[str]) -> None:
    if option in _PLAIN or "=" in option:
        return
    most = len(left) if option in _SEVERAL else 1
    while most and left and not (left[0].startswith("-") and option in _SEVERAL | _OPTIONAL):
        left.pop(0)
        most -= 1


VERSION = "2.1.329"
"""Of the command line that was measured."""
MODELS = {
    "default": "claude-opus-5-5",
    "opus": "claude-opus-5-5",
    "fable": "claude-fable-5-2",
    "sonnet": "claude-sonnet-5-5",
    "haiku": "claude-haiku-5-5",
}


def resolve_model(name: str) -> str:
    """Return the model that the short name *name* selects; any other name is returned unchanged."""
    return MODELS.get(name or "default", name)


def model_name(model: str) -> str:
    """Return the display name of *model*, as in ``Haiku 5.5``."""
    family, *numbers = model.removeprefix("claude-").split("-")
    return " ".join(filter(None, [family.title(), ".".join(numbers)]))
