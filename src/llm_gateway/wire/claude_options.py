"""The arguments of a run of the claude command line."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["flag", "is_set"]

_WITH_A_VALUE = frozenset(
    "--append-system-prompt --effort --fallback-model --input-format --json-schema --max-budget-usd --max-turns "
    "--model --output-format --permission-mode --session-id --settings --system-prompt".split()
)


def flag(argv: tuple[str, ...], name: str) -> str | None:
    """The value of option *name* in either of its spellings; None where it is not given."""
    for place in _options(argv):
        if argv[place] == name and place + 1 < len(argv):
            return argv[place + 1]
        if argv[place].startswith(f"{name}="):
            return argv[place].partition("=")[2]
    return None


def is_set(argv: tuple[str, ...], name: str) -> bool:
    """Whether option *name*, which has no value, is given."""
    return any(argv[place] == name for place in _options(argv))


def _options(argv: tuple[str, ...]) -> Iterator[int]:
    """Places of arguments that are no option's value, which may look like an option."""
    place = 0
    while place < len(argv):
        yield place
        place += 2 if argv[place] in _WITH_A_VALUE else 1
