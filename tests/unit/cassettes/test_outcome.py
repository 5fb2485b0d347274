"""The errors that a test fails with."""

from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.exceptions import CassetteMissError, FaultError


def hide(text):
    return text.replace("sk-1", "[KEY]")


def test_each_error_counts_once_and_shows_no_secret():
    """What is raised stays as it was; what is printed is a copy."""
    outcome, error = Outcome(hide), CassetteMissError("no sk-1", cause="in sk-1", fix="record it")

    shown = outcome.fail(error)
    assert ("no [KEY]", "in [KEY]", "no sk-1") == (shown.message, shown.cause, error.message)
    assert shown is outcome.fail(CassetteMissError("no sk-1", cause="in sk-1", fix="record it"))
    assert [shown] == outcome.failures()


def test_a_report_of_a_miss_becomes_one_again():
    """Other processes send texts."""
    outcome = Outcome(hide)
    outcome.fail_miss("CassetteMissError: no recording matches sk-1")

    [failure] = outcome.failures()
    assert isinstance(failure, CassetteMissError)
    assert "CassetteMissError: no recording matches [KEY]" == failure.report


def test_checks_are_made_when_they_are_asked_for():
    """What they find is no failure while the test runs."""
    outcome, left = Outcome(hide), [FaultError("never reached: fault()")]
    outcome.check_at_end(lambda: left[0] if left else None)
    outcome.check_at_end(lambda: None)

    assert left == outcome.left_over()
    left.clear()
    assert ([], []) == (outcome.left_over(), outcome.failures())
