"""
One line for each call: ``provider model | in, out | seconds | $``.

Lines go to the logger ``llm_gateway.calls``, at INFO, and at WARNING for calls that failed. They contain no prompts.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Literal, TypeAlias

from llm_gateway.exceptions import ConfigError
from llm_gateway.observability.events import CallEnded, Event
from llm_gateway.usage import CACHE_READ, SHORT_COUNTS

__all__ = ["Logging"]

Form: TypeAlias = Literal["line", "json", "structlog"]
_NAME = "llm_gateway.calls"


class Logging:
    """
    An observer that logs calls when they are over.

    Args:
        form: ``line`` for people and ``json`` for machines, both with the standard library; ``structlog`` for the
            format that structlog is configured to write.

        logger: The logger for the lines; None is ``llm_gateway.calls``.

    Raises:
        ConfigError: *form* is ``structlog``, which is not installed.
    """

    def __init__(self, form: Form = "line", *, logger: Any = None) -> None:
        self._form: Form = form
        self._logger = logger or (_structlog() if form == "structlog" else logging.getLogger(_NAME))

    def observe(self, event: Event) -> None:
        """Log *event* if it is the end of a call."""
        if not isinstance(event, CallEnded):
            return
        log = self._logger.info if event.error is None else self._logger.warning
        if self._form == "structlog":
            log(**facts(event))
        else:
            log("%s", _Text(event, self._form))


class _Text:
    """Text that is built only when a handler formats it."""

    def __init__(self, event: CallEnded, form: Form) -> None:
        self._event = event
        self._form = form

    def __str__(self) -> str:
        return line(self._event) if self._form == "line" else json.dumps(facts(self._event))


def line(ended: CallEnded) -> str:
    """
    Return the line for a call; ``?`` is an unknown figure.

    >>> openai gpt-5-mini | 11 in (4 cached), 7 out | 1.24 s | $0.000017
    """
    parts = [f"{ended.provider} {ended.model}", _tokens(ended), _seconds(ended), _dollars(ended)]
    if len(ended.attempts) > 1:
        parts.append(f"{len(ended.attempts)} attempts")
    if ended.is_cached:
        parts.append("from the cache")
    if ended.end != "complete":
        parts.append(ended.error or ended.end)
    if ended.started.session_id is not None:
        parts.append(f"session {ended.started.session_id}")
    return " | ".join(parts)


def _tokens(ended: CallEnded) -> str:
    usage = ended.usage
    if usage is None:
        return "? in, ? out"
    read = getattr(usage, CACHE_READ)
    cached = f" ({read} cached)" if read else ""
    return f"{_or_unknown(usage.input_tokens)} in{cached}, {_or_unknown(usage.output_tokens)} out"


def _or_unknown(number: object) -> object:
    return "?" if number is None else number


def _seconds(ended: CallEnded) -> str:
    first = "" if ended.first_content_s is None else f" (first {ended.first_content_s:.2f} s)"
    return f"{ended.duration_s:.2f} s{first}"


def _dollars(ended: CallEnded) -> str:
    return "$?" if ended.cost_usd is None else f"${ended.cost_usd:.6f}"


def facts(ended: CallEnded) -> dict[str, Any]:
    """Return the fields for a call; None is an unknown figure."""
    usage = ended.usage
    return {
        "event": "llm_call",
        "verb": ended.started.verb,
        "provider": ended.provider,
        "model": ended.model,
        **{name: getattr(usage, name, None) for name in SHORT_COUNTS},
        "duration_s": round(ended.duration_s, 6),
        "first_content_s": ended.first_content_s and round(ended.first_content_s, 6),
        "cost_usd": None if ended.cost_usd is None else float(ended.cost_usd),
        "attempts": len(ended.attempts),
        "is_cached": ended.is_cached,
        "end": ended.end,
        "error": ended.error,
        "session_id": ended.started.session_id,
    }


def configured(form: Form) -> Logging:
    """Return the observer for ``LLM_LOG``; where logging is not configured, its lines go to ``stderr``."""
    logger = logging.getLogger(_NAME)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    if not any(isinstance(one, _LastResort) for one in logger.handlers):
        logger.addHandler(_LastResort())
    return Logging(form)


class _LastResort(logging.StreamHandler[Any]):
    """A handler that writes only while the root logger has no handler."""

    def emit(self, record: logging.LogRecord) -> None:
        if not logging.getLogger().handlers:
            super().emit(record)


def _structlog() -> Any:
    try:
        import structlog
    except ImportError as error:
        raise ConfigError(
            "calls cannot be logged by structlog", cause=str(error), fix="pip install 'pytest-llm-gateway[logging]'"
        ) from None
    return structlog.stdlib.get_logger(_NAME)
