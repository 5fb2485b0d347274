"""Totals and limits of a client's calls."""

import logging
from decimal import Decimal

import pytest

from llm_gateway.cost import CostTracker
from llm_gateway.cost.tracker import Sessions
from llm_gateway.exceptions import CostLimitExceededError
from llm_gateway.record import CallRecord
from llm_gateway.types import TokenUsage

USAGE = TokenUsage(100, 10)


def attempt(cost="0.10", usage=USAGE, model="m-1", error=None, provider="acme", session_id=None):
    return CallRecord(
        provider=provider,
        api="acme.chat",
        model_served=model,
        error=error,
        usage=usage,
        cost_usd=None if cost is None else Decimal(cost),
        is_billed=error is None or usage is not None,
        session_id=session_id,
    )


def test_totals_and_a_row_for_each_model():
    """A failed attempt that was not billed counts for nothing."""
    tracker = CostTracker()
    for one in (attempt(), attempt("0.20", model="m-2"), attempt(None, None, error="overloaded")):
        tracker.note(one)

    assert (Decimal("0.30"), 220) == (tracker.total_cost_usd, tracker.total_tokens)
    assert ["acme:m-1", "acme:m-2"] == list(tracker.summary())
    assert {"attempts": 1, "input_tokens": 100, "output_tokens": 10, "cost_usd": Decimal("0.20")} == tracker.summary()[
        "acme:m-2"
    ]


def test_one_model_at_two_providers_has_two_rows():
    """Azure sells OpenAI's models."""
    tracker = CostTracker()
    for one in (attempt(), attempt("0.20", provider="other")):
        tracker.note(one)

    assert {"acme:m-1": Decimal("0.10"), "other:m-1": Decimal("0.20")} == {
        name: row["cost_usd"] for name, row in tracker.summary().items()
    }


def test_only_the_last_attempts_are_kept_but_all_are_counted():
    """Memory use does not grow with the number of calls."""
    tracker = CostTracker()
    for number in range(1_000):
        tracker.note(attempt(model=f"m-{number % 2}", session_id="s"))

    assert (100, "m-1") == (len(tracker.attempts), tracker.attempts[-1].model)
    assert (Decimal(100), 110_000) == (tracker.total_cost_usd, tracker.total_tokens)
    assert (500, Decimal(100)) == (tracker.summary()["acme:m-1"]["attempts"], tracker.session_cost_usd("s"))


def test_costs_of_the_least_recently_used_sessions_are_dropped(caplog):
    """Their cost becomes None, not 0, and one warning is logged."""
    sessions = Sessions(most=2)

    assert Decimal(0) == sessions.cost_usd("one")

    with caplog.at_level(logging.WARNING, "llm_gateway.cost"):
        for name in (None, "one", "two", "one", "three", "one", "four"):
            sessions.add([attempt(session_id=name)])

    assert [Decimal("0.30"), None, None, Decimal("0.10")] == [
        sessions.cost_usd(one) for one in ("one", "two", "three", "four")
    ]
    assert (
        "the costs of the oldest sessions are forgotten: there are more than 2\n"
        "  one that is taken up again counts from zero; export LLM_LEDGER=ledger.db to keep all"
    ) == "\n".join(caplog.messages)


def test_a_number_missing_in_one_call_makes_the_total_unknown():
    """It is None, not the sum of the other calls."""
    tracker = CostTracker()
    tracker.note(attempt())
    tracker.note(attempt(None, TokenUsage(5)))

    assert (None, None) == (tracker.total_cost_usd, tracker.total_tokens)


def test_a_call_that_could_exceed_the_limit_is_rejected():
    """Reservations of running calls count; what a call did not spend is released."""
    tracker = CostTracker(limit_usd=Decimal("1.00"))
    held = tracker.reserve("m-1", Decimal("0.70"), is_bound=True)
    with pytest.raises(CostLimitExceededError) as caught:
        tracker.reserve("m-1", Decimal("0.40"), is_bound=True)
    tracker.note(attempt("0.10"), held)

    assert (
        "the call may cost $0.40, and $0.30 of the cost limit of $1.00 is left\n  the call was not sent\n"
        "  raise the limit (cost_limit_usd, LLM_COST_LIMIT_USD), or call reset() of the client's cost_tracker"
    ) == str(caught.value)
    assert tracker.reserve("m-1", Decimal("0.90"), is_bound=True)


def test_a_cancelled_attempt_counts_as_its_whole_reservation():
    """Its cost will never be reported."""
    tracker = CostTracker(limit_usd=Decimal(1))
    tracker.abandon(tracker.reserve("m-1", Decimal("0.70"), is_bound=True))

    with pytest.raises(CostLimitExceededError):
        tracker.reserve("m-1", Decimal("0.40"), is_bound=True)


def test_an_attempt_that_was_not_billed_releases_its_reservation():
    """An overloaded provider bills nothing."""
    tracker = CostTracker(limit_usd=Decimal(1))
    tracker.note(attempt(None, None, error="overloaded"), tracker.reserve("m-1", Decimal(1), is_bound=True))

    assert tracker.reserve("m-1", Decimal(1), is_bound=True)


def test_a_call_of_unknown_price_is_rejected_under_a_limit():
    """The limit could be exceeded unnoticed."""
    with pytest.raises(CostLimitExceededError, match=r"cannot be held: the price of 'm-9' is not known"):
        CostTracker(limit_usd=Decimal(1)).reserve("m-9", None, is_bound=True)


def test_reset_clears_totals_reservations_and_warning():
    """A call as high as the limit fits again."""
    tracker = CostTracker(limit_usd=Decimal(1))
    tracker.note(attempt("1.00"), tracker.reserve("m-1", Decimal(1), is_bound=True))
    tracker.reset()

    assert ({}, Decimal(0)) == (tracker.summary(), tracker.total_cost_usd)
    assert tracker.reserve("m-1", Decimal(1), is_bound=True)


def test_the_warning_is_logged_once(caplog):
    """Later calls do not repeat it."""
    tracker = CostTracker(warn_usd=Decimal("0.15"))
    with caplog.at_level(logging.WARNING, "llm_gateway.cost"):
        for _ in range(4):
            tracker.note(attempt())

    assert ["$0.20 spent, the warning is set at $0.15"] == caplog.messages


def test_without_a_limit_nothing_is_reserved():
    """A call of unknown price is allowed too."""
    tracker = CostTracker()

    assert tracker.reserve("m-1", None, is_bound=True) is None
    assert tracker.abandon(None) is None


def test_a_call_without_a_maximum_cost_is_sent_while_budget_is_left():
    """Commands have no such maximum; reservations of other calls count as spent."""
    tracker = CostTracker(limit_usd=Decimal("1.00"))
    tracker.note(attempt("0.40"), tracker.reserve("m-1", None, is_bound=False))
    tracker.reserve("m-1", Decimal("0.59"), is_bound=True)

    assert tracker.reserve("m-1", None, is_bound=False)

    tracker.note(attempt("0.01"), tracker.reserve("m-1", None, is_bound=False))
    with pytest.raises(
        CostLimitExceededError, match=r"the cost limit of \$1\.00 is reached: \$1\.00 spent in 2 attempts"
    ):
        tracker.reserve("m-1", None, is_bound=False)


def test_a_limit_of_nothing_is_reached_at_once():
    """It is a limit, unlike None."""
    with pytest.raises(CostLimitExceededError, match=r"the cost limit of \$0 is reached: \$0 spent in 0 attempts"):
        CostTracker(limit_usd=Decimal(0)).reserve("m-1", Decimal("0.01"), is_bound=True)


def test_a_call_after_the_limit_raises_that_the_limit_is_reached():
    """No amount is left to compare its maximum cost with."""
    tracker = CostTracker(limit_usd=Decimal("0.10"))
    tracker.note(attempt("0.10"), tracker.reserve("m-1", Decimal("0.10"), is_bound=True))

    with pytest.raises(
        CostLimitExceededError, match=r"the cost limit of \$0\.10 is reached: \$0\.10 spent in 1 attempts"
    ):
        tracker.reserve("m-1", Decimal("0.01"), is_bound=True)


def test_after_a_call_of_unknown_cost_a_limit_rejects_every_call():
    """The error names the first model whose cost is unknown."""
    tracker = CostTracker(limit_usd=Decimal(1))
    for model in ("m-1", "m-2"):
        tracker.note(attempt(None, model=model))

    with pytest.raises(CostLimitExceededError) as caught:
        tracker.reserve("m-3", Decimal("0.01"), is_bound=True)

    assert "the cost limit of $1 cannot be held: what 'm-1' cost is not known" == str(caught.value).splitlines()[0]


@pytest.mark.parametrize("one", [attempt(None, error="cancelled"), attempt(None, None, error="overloaded")])
def test_a_cancelled_or_unbilled_call_does_not_block_the_limit(one):
    """Its missing cost is not taken for an unknown one."""
    tracker = CostTracker(limit_usd=Decimal(1))
    tracker.note(one)

    assert tracker.reserve("m-1", Decimal(1), is_bound=True)


def test_costs_are_kept_by_session():
    """Calls without a session are in none."""
    tracker = CostTracker()
    for one in (attempt(), attempt("0.20", session_id="s"), attempt("0.30", session_id="t")):
        tracker.note(one)

    assert (Decimal("0.20"), Decimal(0)) == (tracker.session_cost_usd("s"), tracker.session_cost_usd("x"))


def test_the_warning_is_logged_from_its_amount_on(caplog):
    """Not below it, and not where no amount is set."""
    with caplog.at_level(logging.WARNING, "llm_gateway.cost"):
        for tracker in (CostTracker(), CostTracker(warn_usd=Decimal("0.21")), CostTracker(warn_usd=Decimal("0.20"))):
            tracker.note(attempt("0.20"))

    assert ["$0.20 spent, the warning is set at $0.20"] == caplog.messages
