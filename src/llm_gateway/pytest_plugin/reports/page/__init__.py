"""A report as one page that needs nothing but itself; a policy in the page forbids every request. Internal."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import Any

from llm_gateway.pytest_plugin.reports.page.markup import text
from llm_gateway.pytest_plugin.reports.page.pictures import pictures
from llm_gateway.pytest_plugin.reports.page.summary import figures, heading, problem_list
from llm_gateway.pytest_plugin.reports.page.table import table

__all__ = ["render"]


def render(document: dict[str, Any]) -> str:
    """The page of *document*."""
    style, script = _part("page.css"), _part("page.js")
    policy = f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    run = document["run"]
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>LLM calls ({text(run['mode'])}) of {text(run['project'])}</title>\n"
        f'<link rel="icon" href="data:,">\n<style>{style}</style>\n</head>\n<body>\n<main>\n{_body(document)}\n'
        f"</main>\n<footer>Written by pytest-llm-gateway. A dash is a number that was not reported.</footer>\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def _body(document: dict[str, Any]) -> str:
    parts = [heading(document["run"])]
    if document["totals"]["all"]["calls"]:
        parts += [figures(document["totals"]), problem_list(document)]
        parts += ['<div class="pictures">', *pictures(document), "</div>"]
    else:
        parts += ['<p class="card empty">No LLM call was made in this run.</p>', problem_list(document)]
    if document["tests"]:
        parts.append(table(document["tests"]))
    return "\n".join(parts)


def _part(name: str) -> str:
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def _hash(part: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"
