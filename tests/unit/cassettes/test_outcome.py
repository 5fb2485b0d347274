"""The errors that a test fails with."""

from llm_gateway.cassettes.outcome import Outcome
from llm_gateway.exceptions import CassetteMissError, FaultError


def redact(text):
    return text.replace("sk-1", "[KEY]")


def test_each_error_counts_once_and_shows_no_secret():
    """The raised error is unchanged; a redacted copy is printed."""
    outcome, error = Outcome(redact), CassetteMissError("no sk-1", cause="in sk-1", fix="record it")

    shown = outcome.fail(error)
    assert ("no [KEY]", "in [KEY]", "no sk-1") == (shown.message, shown.cause, error.message)
    assert shown is outcome.fail(CassetteMissError("no sk-1", cause="in sk-1", fix="record it"))
    assert [shown] == outcome.failures()


def test_the_text_of_a_miss_from_another_process_becomes_a_miss():
    """Other processes send only the error's text."""
    outcome = Outcome(redact)
    outcome.fail_miss("CassetteMissError: no recording matches sk-1")

    [failure] = outcome.failures()
    assert isinstance(failure, CassetteMissError)
    assert "CassetteMissError: no recording matches [KEY]" == failure.report


def test_checks_run_when_the_test_ends():
    """Their errors are not failures while the test runs."""
    outcome, left = Outcome(redact), [FaultError("never reached: fault()")]
    outcome.check_at_end(lambda: left[0] if left else None)
    outcome.check_at_end(lambda: None)

    assert left == outcome.left_over()
    left.clear()
    assert ([], []) == (outcome.left_over(), outcome.failures())
