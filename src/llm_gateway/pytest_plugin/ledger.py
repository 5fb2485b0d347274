"""Write each real call of a run to the ledger of ``LLM_LEDGER`` as soon as the call has ended."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from llm_gateway.cassettes import clock
from llm_gateway.interception import call_guard, guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_gateway.cost.ledger.outbox import Outbox
    from llm_gateway.exchange import Exchange
    from llm_gateway.interception.call_guard import OnComplete
    from llm_gateway.types import WireRequest

__all__ = ["LedgerPlugin", "LedgerWriter", "start"]

_WORKER_KEY = "llm_gateway_ledger"


def start(config: pytest.Config) -> LedgerPlugin | None:
    """
    Start writing the calls of this process to the ledger, and return the plugin that stops it; None without a ledger.

    Raises:
        pytest.UsageError: The ledger cannot be used. A server that cannot be reached is no error: it may come back.
    """
    from llm_gateway.config import load
    from llm_gateway.exceptions import GatewayError

    try:
        settings = load()
        location = settings.ledger.get_secret_value() if settings.ledger else ""
        return LedgerPlugin(config, location, settings.tags) if location else None
    except GatewayError as error:
        raise pytest.UsageError(str(error)) from None


class LedgerPlugin:
    """The ledger of a run; a worker reports entries that it could not write to the controller."""

    def __init__(self, config: pytest.Config, location: str, tags: Mapping[str, str]) -> None:
        from llm_gateway.cost.ledger import is_postgres, open_ledger
        from llm_gateway.cost.ledger.outbox import Outbox

        if not is_postgres(location):
            open_ledger(location).close()
        rescue = config.rootpath / f"llm-ledger-rescue-{os.getpid()}.db"
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
        self._outbox = Outbox(lambda: open_ledger(location), rescue)
        self._writer = LedgerWriter(self._outbox, f"pytest-{run}", tags)
        self._texts: list[str] = []
        call_guard.global_guards.append(self._writer)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the entries that are left."""
        call_guard.global_guards.remove(self._writer)
        text = self._outbox.close()
        output = getattr(session.config, "workeroutput", None)
        if text is not None and output is not None:
            output[_WORKER_KEY] = text
        elif text is not None:
            self._texts.append(text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Collect the report of a worker."""
        if text := getattr(node, "workeroutput", {}).get(_WORKER_KEY):
            self._texts.append(text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print where the entries are that did not reach the ledger."""
        if self._texts:
            terminalreporter.section("LLM ledger")
            for text in self._texts:
                terminalreporter.write_line(text)


class LedgerWriter:
    """A call guard that allows every call and writes it to the ledger when it has ended."""

    owns_ledger = True
    """Clients do not write the calls that pass this guard."""

    def __init__(self, outbox: Outbox, session_id: str, tags: Mapping[str, str]) -> None:
        self._outbox = outbox
        self._session_id = session_id
        self._tags = dict(tags)

    def allow(self, request: WireRequest | None) -> OnComplete:
        """Return a function that writes the call, with its test and its start, when it has ended."""
        del request
        test_id, at = guard.running.get(), clock.now()
        return lambda exchange: self._write(exchange, test_id, at)

    def _write(self, exchange: Exchange, test_id: str | None, at: datetime) -> None:
        from llm_gateway.cost.account import was_sent
        from llm_gateway.cost.ledger.entry import Entry

        record = exchange.record
        if record is not None and record.is_model_call and was_sent(record):
            mine: dict[str, Any] = {
                "session_id": self._session_id,
                "test_id": test_id or record.test_id,
                "tags": self._tags,
            }
            self._outbox.add([Entry.of(replace(record, started_at=record.started_at or at, **mine))])
