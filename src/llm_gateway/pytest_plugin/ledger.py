"""Each call that a run makes for real goes to the ledger that ``LLM_LEDGER`` names, the moment it has ended."""

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

__all__ = ["Keeper", "LedgerGate", "start"]

_PLACE = "llm_gateway_ledger"


def start(config: pytest.Config) -> Keeper | None:
    """
    Keep the calls of this process from here on; None where no ledger is named.

    Raises:
        pytest.UsageError: The ledger cannot be used. One on a server may come back while the run goes on.
    """
    from llm_gateway.config import load
    from llm_gateway.exceptions import GatewayError

    try:
        settings = load()
        where = settings.ledger.get_secret_value() if settings.ledger else ""
        return Keeper(config, where, settings.tags) if where else None
    except GatewayError as error:
        raise pytest.UsageError(str(error)) from None


class Keeper:
    """The ledger of a run; a worker tells the controller what became of its entries."""

    def __init__(self, config: pytest.Config, where: str, tags: Mapping[str, str]) -> None:
        from llm_gateway.cost.ledger import is_postgres, open_ledger
        from llm_gateway.cost.ledger.outbox import Outbox

        if not is_postgres(where):
            open_ledger(where).close()
        rescue = config.rootpath / f"llm-ledger-rescue-{os.getpid()}.db"
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
        self._outbox = Outbox(lambda: open_ledger(where), rescue)
        self._guard = LedgerGate(self._outbox, f"pytest-{run}", tags)
        self._texts: list[str] = []
        call_guard.global_guards.append(self._guard)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write what is left."""
        call_guard.global_guards.remove(self._guard)
        text = self._outbox.close()
        output = getattr(session.config, "workeroutput", None)
        if text is not None and output is not None:
            output[_PLACE] = text
        elif text is not None:
            self._texts.append(text)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take in what a worker tells."""
        if text := getattr(node, "workeroutput", {}).get(_PLACE):
            self._texts.append(text)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where entries are that did not reach the ledger."""
        if self._texts:
            terminalreporter.section("LLM ledger")
            for text in self._texts:
                terminalreporter.write_line(text)


class LedgerGate:
    """Lets every call through and enters its end in the ledger. See `llm_gateway.interception.call_guard.CallGuard`."""

    owns_ledger = True
    """Clients do not enter the calls that this one sees."""

    def __init__(self, outbox: Outbox, session_id: str, tags: Mapping[str, str]) -> None:
        self._outbox = outbox
        self._session_id = session_id
        self._tags = dict(tags)

    def allow(self, request: WireRequest | None) -> OnComplete:
        """Note which test makes the call, and when."""
        del request
        test_id, at = guard.running.get(), clock.now()
        return lambda exchange: self._enter(exchange, test_id, at)

    def _enter(self, exchange: Exchange, test_id: str | None, at: datetime) -> None:
        from llm_gateway.cost.account import was_sent
        from llm_gateway.cost.ledger.entry import Entry

        record = exchange.record
        if record is not None and record.is_model_call and was_sent(record):
            mine: dict[str, Any] = {"session_id": self._session_id, "test_id": test_id, "tags": self._tags}
            self._outbox.add([Entry.of(replace(record, started_at=record.started_at or at, **mine))])
