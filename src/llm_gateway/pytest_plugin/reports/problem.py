"""Problems of a run: exceeded budgets, and calls that were not made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Problem", "problems"]


Kind = Literal["over budget", "no recording", "refused", "blocked"]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of *test* (None outside any): *text* is the whole failure message, *line* its most useful line."""

    kind: Kind
    test: str | None
    line: str
    text: str


def problems(document: dict[str, Any]) -> Iterator[Problem]:
    """Yield all problems of *document*: by test, then the blocked calls."""
    for test in document["tests"]:
        budget = test["budget"]
        if budget is not None and budget["verdict"] == "broken":
            lines = budget["reason"].splitlines()
            yield Problem("over budget", test["id"], "".join(lines[1:2]).strip(), budget["reason"])
        for text in test["missed"]:
            error, _, line = text.splitlines()[0].partition(": ")
            kind: Kind = "no recording" if error == "CassetteMissError" else "refused"
            yield Problem(kind, test["id"], line, text)
    for one in document["blocked"]:
        yield Problem("blocked", one["test"], one["call"], one["call"])
