"""Money under one limit: the same for a purse of one process and for one in a file."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from llm_gateway.cost.purse import Held, MemoryPurse, Short
from llm_gateway.cost.shared_purse import SharedPurse

LIMIT = Decimal("1.00")
TENTH = Decimal("0.10")


@pytest.fixture(params=["memory", "file"])
def purse(request, tmp_path):
    """An empty purse."""
    return MemoryPurse() if request.param == "memory" else SharedPurse(tmp_path / "purse.sqlite3")


def test_what_is_held_counts_until_it_is_settled(purse):
    """Then only what the call cost does, and an unknown cost is all that was held."""
    first, second = purse.hold(Decimal("0.60"), LIMIT), purse.hold(Decimal("0.40"), LIMIT)
    assert Short(Decimal(0), Decimal(1)) == purse.hold(Decimal("0.000001"), LIMIT)

    purse.settle(first, Decimal("0.05"))
    purse.settle(second, None)

    assert (Decimal("0.45"), Decimal(0)) == purse.spent()
    assert isinstance(purse.hold(Decimal("0.55"), LIMIT), Held)


def test_a_call_is_settled_once(purse):
    """Whatever is said of it again."""
    held = purse.hold(TENTH, LIMIT)
    for cost in (Decimal("0.07"), Decimal("0.07"), None):
        purse.settle(held, cost)

    assert (Decimal("0.07"), Decimal(0)) == purse.spent()


def test_threads_never_pass_the_limit(purse):
    """Each holds a tenth, and spends all of it."""

    def spend(_):
        held = purse.hold(TENTH, LIMIT)
        if isinstance(held, Held):
            purse.settle(held, TENTH)
        return isinstance(held, Held)

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(spend, range(40)))

    assert 10 == made
    assert (LIMIT, Decimal(0)) == purse.spent()


def test_a_cost_that_no_call_can_have_raises_nothing(purse):
    """It spends the purse, also many times."""
    for _ in range(20):
        purse.settle(purse.hold(Decimal(0), Decimal("1e999")), Decimal("1e13"))

    assert purse.spent()[0] >= 20 * 10**6
    assert isinstance(purse.hold(TENTH, LIMIT), Short)


def test_small_sums_add_up_exactly(purse):
    """Down to a millionth of a millionth of a dollar."""
    for _ in range(3):
        purse.settle(purse.hold(TENTH, LIMIT), Decimal("0.000000000001"))

    assert (Decimal("0.000000000003"), Decimal(0)) == purse.spent()


SPEND = """
import sys
from decimal import Decimal
from pathlib import Path
from llm_gateway.cost.purse import Held
from llm_gateway.cost.shared_purse import SharedPurse

purse, made = SharedPurse(Path(sys.argv[1])), 0
while isinstance(held := purse.hold(Decimal("0.10"), Decimal("3.00")), Held):
    purse.settle(held, Decimal("0.09"))
    made += 1
print(made)
"""


def test_processes_never_pass_the_limit(tmp_path):
    """Eight at once, to the last cent that a call fits into."""
    path = tmp_path / "purse.sqlite3"
    command = [sys.executable, "-c", SPEND, str(path)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    made = sum(int(process.communicate()[0]) for process in processes)

    spent, held = SharedPurse(path).spent()
    assert Decimal("0.09") * made == spent
    assert Decimal("2.90") < spent + held <= Decimal("3.00")


HOLD = """
import sys, time
from decimal import Decimal
from pathlib import Path
from llm_gateway.cost.shared_purse import SharedPurse

SharedPurse(Path(sys.argv[1])).hold(Decimal("0.60"), Decimal("1.00"))
print("holding", flush=True)
sys.stdin.read()
"""


def test_what_a_killed_process_held_counts_as_spent(tmp_path):
    """Its call may have been answered; nothing is held any more, and the limit is never passed."""
    path = tmp_path / "purse.sqlite3"
    command = [sys.executable, "-c", HOLD, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "holding\n" == process.stdout.readline()
    purse = SharedPurse(path)
    assert Short(Decimal(0), Decimal("0.60")) == purse.hold(Decimal("0.50"), LIMIT)
    process.kill()
    process.communicate()

    assert isinstance(purse.hold(Decimal("0.40"), LIMIT), Held)
    assert (Decimal("0.60"), Decimal("0.40")) == purse.spent()
