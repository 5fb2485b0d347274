"""Tests that a plugin runs again after a failure: each run is judged by itself."""

RERUN = """
    import pytest
    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        for is_last in (False, True):
            item._initrequest()
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if is_last or all(report.passed for report in reports):
                for report in reports:
                    item.ihook.pytest_runtest_logreport(report=report)
                return True
"""


SUITE = """
    import app, pytest

    runs = []

    @pytest.mark.llm
    def test_app():
        app.ask("one")
        runs.append(1)
        assert len(runs) > 1
"""


def test_a_rerun_fails_for_its_own_calls_without_a_recording(project):
    """Its code ignores the error of each run, and its own assertion holds in the second."""
    project.makeconftest(RERUN)
    project.makepyfile(test_app=SUITE)
    result = project.runpytest_subprocess()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*CassetteMissError: no recording matches POST 127.0.0.1*"])


def test_a_rerun_that_passes_is_saved(project):
    """The failure of the run before is not its own."""
    project.makeconftest(RERUN)
    project.makepyfile(test_app=SUITE)
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)

    assert 1 == len(list((project.path / "cassettes").rglob("*.yaml")))
