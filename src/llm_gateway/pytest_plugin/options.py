"""Command-line options, ini values and markers. Other plugins own some short names; the long prefix always works."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["add_ini", "add_markers", "add_options", "mode_name", "normalized", "read_prices", "report_files"]

_MARKER = (
    "llm(cassette=None, allow_unused=False, ignore_hosts=(), model=None, time=None): "
    "replay every LLM call made inside the test from its cassette; record it with --llm-record"
)
_BUDGET = (
    "llm_budget(max_tokens=, max_input_tokens=, max_output_tokens=, max_cost_usd=, max_calls=, min_cache_hit=, "
    "allow_unknown=False): fail the test when its LLM calls pass a limit, in every mode"
)
_CHUNKS = (
    'llm_chunks(*ways): replay the test once for each way of splitting its recorded streams: "every", one of whole, '
    "bytes, utf8, tools, ends, crlf, or a number as the seed of random chunk sizes"
)
_INI: tuple[tuple[str, Any, Any, str], ...] = (
    ("llm_cassette_folder", "string", "cassettes", "folder of the cassettes, relative to the root folder"),
    (
        "llm_cassette_name",
        "string",
        "{path}/{test}.yaml",
        "name of a test's cassette; may use {path} {folder} {module} {class} {function} {test}",
    ),
    (
        "llm_model",
        "string",
        "",
        "model of the llm fixture, as provider:model; default: LLM_MODEL, else built in",
    ),
    ("llm_prices", "string", "", "YAML file with prices of your own, relative to the root folder"),
    ("llm_time", "string", "real", "the clock of tests while they replay: real, or recorded"),
    ("llm_ignore_hosts", "args", [], "hosts whose calls are neither recorded nor replayed"),
    (
        "llm_placeholder_keys",
        "bool",
        True,
        "set placeholder API keys while replaying, so that clients can be made",
    ),
)


def add_ini(parser: pytest.Parser) -> None:
    """Declare the ini values."""
    for name, kind, default, text in _INI:
        parser.addini(name, text, type=kind, default=default)


def add_options(parser: pytest.Parser) -> None:
    """Declare the options, leaving out a short name that another plugin has taken."""
    taken = {name for group in _groups(parser) for option in group.options for name in option.names()}
    group = parser.getgroup("llm-gateway", "LLM calls (llm-gateway)")
    group.addoption(
        *_free("record", taken),
        dest="llmg_record",
        choices=("all", "new"),
        help="call the providers and write the cassettes of the selected tests; =new keeps what is recorded "
        "and adds what is not",
    )
    group.addoption(
        *_free("live", taken),
        dest="llmg_live",
        action="store_true",
        help="call the providers and leave the cassettes alone",
    )
    group.addoption(
        *_free("max-cost-usd", taken),
        dest="llmg_max_cost_usd",
        metavar="USD",
        help="refuse calls that could take the cost of the whole run, all workers together, past this many dollars",
    )
    group.addoption(
        *_free("report", taken),
        dest="llmg_report",
        action="append",
        metavar="FILE",
        help="write what was called, used and spent to FILE, in the format that its suffix names: .html, .json or .md; "
        "may be repeated",
    )


def _groups(parser: pytest.Parser) -> Iterable[pytest.OptionGroup]:
    # pytest offers no public way to see which names are taken
    return [parser._anonymous, *parser._groups]  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]


def _free(name: str, taken: set[str]) -> list[str]:
    return [f"--llmg-{name}"] + ([] if f"--llm-{name}" in taken else [f"--llm-{name}"])


def normalized(args: list[str]) -> list[str]:
    """Return *args* with ``--llm-record=all`` for a bare ``--llm-record``: the next path would become its value."""
    return [f"{arg}=all" if arg in ("--llm-record", "--llmg-record") else arg for arg in args]


def add_markers(config: pytest.Config) -> None:
    """Describe the markers for ``--markers`` and ``--strict-markers``."""
    config.addinivalue_line("markers", _MARKER)
    config.addinivalue_line("markers", _BUDGET)
    config.addinivalue_line("markers", _CHUNKS)


def mode_name(config: pytest.Config) -> str:
    """
    Return ``replay``, ``record``, ``new`` or ``live``, as the command line sets it.

    Raises:
        pytest.UsageError: It sets two at once.
    """
    record, live = _record_option(config), config.getoption("llmg_live", default=False)
    if record and live:
        raise pytest.UsageError(
            "--llm-record and --llm-live exclude each other\n"
            "  --llm-live writes no cassette, --llm-record does\n"
            "  run one of: pytest --llm-record, pytest --llm-live"
        )
    if live:
        return "live"
    return {"all": "record", "new": "new"}.get(record or "", "replay")


def report_files(config: pytest.Config) -> list[str]:
    """Return the files that ``--llm-report`` names; none in a worker of pytest-xdist, whose controller writes them."""
    return [] if hasattr(config, "workerinput") else config.getoption("llmg_report", default=None) or []


def _record_option(config: pytest.Config) -> str | None:
    own: str | None = config.getoption("llmg_record", default=None)
    other = config.getoption("llm_record", default=None)  # where another plugin owns --llm-record
    if own is None and other in ("all", "new_episodes"):
        return "new" if other == "new_episodes" else "all"
    return own


def read_prices(config: pytest.Config) -> None:
    """
    Use the prices of the file that ``llm_prices`` or ``LLM_PRICES`` names in this process.

    Raises:
        pytest.UsageError: It cannot be read, or has a mistake, which the text names.
    """
    named = config.getini("llm_prices")
    text = named or os.environ.get("LLM_PRICES")
    if not text:
        return
    path = config.rootpath / text if named else Path(text)
    from llm_gateway.config.file import read_document
    from llm_gateway.cost.overrides import read
    from llm_gateway.exceptions import ConfigError

    try:
        read(read_document(path), text)
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
