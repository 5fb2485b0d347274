"""Reservations against a cost limit, kept in memory for one process or in a file for several."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from llm_gateway.cost.reservation import InsufficientBudget, MemoryReservations, Reservation
from llm_gateway.cost.shared_reservations import SharedReservations

LIMIT = Decimal("1.00")
TENTH = Decimal("0.10")


@pytest.fixture(params=["memory", "file"])
def reservations(request, tmp_path):
    """Return reservations of which none is made yet."""
    return MemoryReservations() if request.param == "memory" else SharedReservations(tmp_path / "reservations.sqlite3")


def test_a_reservation_counts_in_full_until_it_is_settled(reservations):
    """Then the cost of the call counts, or all of the reservation where that cost is unknown."""
    first, second = reservations.reserve(Decimal("0.60"), LIMIT), reservations.reserve(Decimal("0.40"), LIMIT)
    assert InsufficientBudget(Decimal(0), Decimal(1)) == reservations.reserve(Decimal("0.000001"), LIMIT)

    reservations.settle(first, Decimal("0.05"))
    reservations.settle(second, None)

    assert (Decimal("0.45"), Decimal(0)) == reservations.spent()
    assert isinstance(reservations.reserve(Decimal("0.55"), LIMIT), Reservation)


def test_settling_a_reservation_again_changes_nothing(reservations):
    """Neither with the same cost nor with an unknown one."""
    held = reservations.reserve(TENTH, LIMIT)
    for cost in (Decimal("0.07"), Decimal("0.07"), None):
        reservations.settle(held, cost)

    assert (Decimal("0.07"), Decimal(0)) == reservations.spent()


def test_concurrent_threads_never_exceed_the_limit(reservations):
    """Each reserves a tenth of it, and spends all of that."""

    def spend(_):
        held = reservations.reserve(TENTH, LIMIT)
        if isinstance(held, Reservation):
            reservations.settle(held, TENTH)
        return isinstance(held, Reservation)

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(spend, range(40)))

    assert 10 == made
    assert (LIMIT, Decimal(0)) == reservations.spent()


def test_an_absurdly_high_cost_raises_no_error(reservations):
    """It uses up the limit, even when repeated."""
    for _ in range(20):
        reservations.settle(reservations.reserve(Decimal(0), Decimal("1e999")), Decimal("1e13"))

    assert reservations.spent()[0] >= 20 * 10**6
    assert isinstance(reservations.reserve(TENTH, LIMIT), InsufficientBudget)


def test_small_sums_add_up_exactly(reservations):
    """Down to 10**-12 dollars."""
    for _ in range(3):
        reservations.settle(reservations.reserve(TENTH, LIMIT), Decimal("0.000000000001"))

    assert (Decimal("0.000000000003"), Decimal(0)) == reservations.spent()


SPEND = """
import sys
from decimal import Decimal
from pathlib import Path
from llm_gateway.cost.reservation import Reservation
from llm_gateway.cost.shared_reservations import SharedReservations

reservations, made = SharedReservations(Path(sys.argv[1])), 0
while isinstance(held := reservations.reserve(Decimal("0.10"), Decimal("3.00")), Reservation):
    reservations.settle(held, Decimal("0.09"))
    made += 1
print(made)
"""


def test_concurrent_processes_never_exceed_the_limit(tmp_path):
    """Eight of them together spend as much of it as whole calls fit into."""
    path = tmp_path / "reservations.sqlite3"
    command = [sys.executable, "-c", SPEND, str(path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    made = sum(int(process.communicate()[0]) for process in processes)

    spent, held = SharedReservations(path).spent()
    assert Decimal("0.09") * made == spent
    assert Decimal("2.90") < spent + held <= Decimal("3.00")


HOLD = """
import sys, time
from decimal import Decimal
from pathlib import Path
from llm_gateway.cost.shared_reservations import SharedReservations

SharedReservations(Path(sys.argv[1])).reserve(Decimal("0.60"), Decimal("1.00"))
print("holding", flush=True)
sys.stdin.read()
"""


def test_a_reservation_of_a_killed_process_counts_as_spent(tmp_path):
    """The provider may have billed its call, and no process is left to settle it."""
    path = tmp_path / "reservations.sqlite3"
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "holding\n" == process.stdout.readline()
    reservations = SharedReservations(path)
    assert InsufficientBudget(Decimal(0), Decimal("0.60")) == reservations.reserve(Decimal("0.50"), LIMIT)
    process.kill()
    process.communicate()

    assert isinstance(reservations.reserve(Decimal("0.40"), LIMIT), Reservation)
    assert (Decimal("0.60"), Decimal("0.40")) == reservations.spent()
