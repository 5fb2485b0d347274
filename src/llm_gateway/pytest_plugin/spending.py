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

_PLACE = "llm_gateway_reservations"


def limit_usd(config: pytest.Config) -> Decimal | None:
    """
    The limit of the run as it was typed; None without one.

    Raises:
        pytest.UsageError: It is no amount of dollars.
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
    """What the run may cost; the reservations is made by the controller, and its workers are told where it is."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._limit_usd = limit_usd(config)
        self._run_limit: RunLimit | None = None
        self._folder: Path | None = None

    @property
    def has_limit(self) -> bool:
        """Whether the run may cost only so much."""
        return self._limit_usd is not None

    def start(self) -> None:
        """Let every call of this process pass the limit first."""
        if self._limit_usd is None:
            return
        from llm_gateway.cost.shared_reservations import SharedReservations
        from llm_gateway.interception import call_guard
        from llm_gateway.interception.run_limit import RunLimit

        reservations = SharedReservations(self._place() / "reservations.sqlite3")
        self._run_limit = RunLimit(reservations, self._limit_usd, f"--llm-max-cost-usd={self._limit_usd}")
        call_guard.global_guards.append(self._run_limit)

    def stop(self) -> None:
        """Undo `start`."""
        if self._run_limit is not None:
            from llm_gateway.interception import call_guard

            call_guard.global_guards.remove(self._run_limit)
            self._run_limit = None

    def _place(self) -> Path:
        told = getattr(self._config, "workerinput", {}).get(_PLACE)
        if told is not None:
            return Path(told)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="llm-gateway-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist where the reservations is."""
        if self._limit_usd is not None:
            node.workerinput[_PLACE] = str(self._place())
