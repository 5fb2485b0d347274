"""Pieces of HTML. Every text of the run goes through `text`, whatever a test calls itself."""

from __future__ import annotations

import html

from llm_gateway.pytest_plugin.reports.wording import UNKNOWN, printable

__all__ = ["figure", "name_of", "text"]


def text(words: str) -> str:
    """*words*, safe between tags and inside a quoted attribute."""
    return html.escape(printable(words), quote=True)


def figure(shown: str) -> str:
    """A number as *shown*; a dash is read out as what it means."""
    return f'<i title="not reported">{UNKNOWN}</i>' if shown == UNKNOWN else text(shown)


def name_of(test_id: str) -> str:
    """A test's id with its last part in bold: what tells tests apart is seen first."""
    folder, mark, name = test_id.partition("::")
    return f"{text(folder + mark)}<b>{text(name)}</b>" if mark else f"<b>{text(test_id)}</b>"
