"""The option ``--llm-max-cost-usd``: one limit for the whole run, whichever worker spends it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llm_gateway.interception.run_limit import RunLimit

__all__ = ["Spending", "limit_usd"]

_WORKER_KEY = "llm_gateway_reservations"


def limit_usd(config: pytest.Config) -> Decimal | None:
    """
    Return the limit of the run in US dollars; None without one.

    Raises:
        pytest.UsageError: The option is not an amount above 0.
    """
    text: str | None = config.getoption("llmg_max_cost_usd", default=None)
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        raise pytest.UsageError(
            f"--llm-max-cost-usd={text} cannot be a limit\n"
            "  it has to be US dollars above 0\n"
            "  for example: pytest --llm-live --llm-max-cost-usd=0.50"
        )
    return amount


class Spending:
    """The cost limit of the run. The controller creates the file of reservations, and its workers get the path."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._limit_usd = limit_usd(config)
        self._run_limit: RunLimit | None = None
        self._folder: Path | None = None

    @property
    def has_limit(self) -> bool:
        """Whether the run has a cost limit."""
        return self._limit_usd is not None

    def start(self) -> None:
        """Check every call of this process against the limit."""
        if self._limit_usd is None:
            return
        from llm_gateway.cost.shared_reservations import SharedReservations
        from llm_gateway.interception import call_guard
        from llm_gateway.interception.run_limit import RunLimit

        reservations = SharedReservations(self._shared_folder() / "reservations.sqlite3")
        self._run_limit = RunLimit(reservations, self._limit_usd, f"--llm-max-cost-usd={self._limit_usd}")
        call_guard.global_guards.append(self._run_limit)

    def stop(self) -> None:
        """Undo `start`."""
        if self._run_limit is not None:
            from llm_gateway.interception import call_guard

            call_guard.global_guards.remove(self._run_limit)
            self._run_limit = None

    def _shared_folder(self) -> Path:
        shared = getattr(self._config, "workerinput", {}).get(_WORKER_KEY)
        if shared is not None:
            return Path(shared)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="llm-gateway-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Pass the folder of the reservations to a worker of pytest-xdist."""
        if self._limit_usd is not None:
            node.workerinput[_WORKER_KEY] = str(self._shared_folder())
