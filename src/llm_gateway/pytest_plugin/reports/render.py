"""From the document of a run to the text of a file, by the file's suffix."""

from __future__ import annotations

import json
from typing import Any

__all__ = ["render"]


def render(document: dict[str, Any], suffix: str) -> str:
    """*document* as ``.html``, ``.json`` or ``.md``."""
    if suffix == ".json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if suffix == ".md":
        from llm_gateway.pytest_plugin.reports import markdown

        return markdown.render(document)
    from llm_gateway.pytest_plugin.reports import page

    return page.render(document)
