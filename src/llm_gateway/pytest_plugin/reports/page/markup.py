"""HTML fragments. Every text of the run is escaped by `text`: the name of a test may contain markup."""

from __future__ import annotations

import html

from llm_gateway.pytest_plugin.reports.wording import UNKNOWN, printable

__all__ = ["figure", "name_of", "text"]


def text(words: str) -> str:
    """Return *words* escaped for use between tags and inside a quoted attribute."""
    return html.escape(printable(words), quote=True)


def figure(shown: str) -> str:
    """Return the markup of a number; a dash gets a title that explains it."""
    return f'<i title="not reported">{UNKNOWN}</i>' if shown == UNKNOWN else text(shown)


def name_of(test_id: str) -> str:
    """Return the markup of a test's id, with the name of the test in bold."""
    folder, mark, name = test_id.partition("::")
    return f"{text(folder + mark)}<b>{text(name)}</b>" if mark else f"<b>{text(test_id)}</b>"
