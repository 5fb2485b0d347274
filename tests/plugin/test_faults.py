"""Failures while recording and replaying give a clear error, and no cassette is lost."""

import signal
import subprocess
import sys

import pytest

CASSETTE = "cassettes/test_app/test_greets.yaml"


@pytest.fixture
def before(recorded):
    """Return the bytes of the cassette before the failure."""
    return (recorded.path / CASSETTE).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGKILL])
def test_an_interrupted_recording_leaves_the_old_cassette(recorded, before, signum):
    """Ctrl-C and kill -9 between a call and the end of the test change no byte."""
    recorded.makepyfile(
        test_app=f"""
        import app, os, pathlib, pytest, signal

        @pytest.mark.llm
        def test_greets():
            app.ask("another")
            pathlib.Path("called").touch()
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
            os.kill(os.getpid(), {int(signum)})
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "--llm-record"]
    done = subprocess.run(command, cwd=recorded.path, capture_output=True, check=False)

    assert (2 if signum == signal.SIGINT else -signum) == done.returncode
    assert (recorded.path / "called").exists()
    assert before == (recorded.path / CASSETTE).read_bytes()
    assert [str(path.relative_to(recorded.path)) for path in recorded.path.glob("cassettes/**/*.*")] == [CASSETTE]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX permissions")
def test_a_read_only_folder_is_named_and_leaves_the_old_cassette(recorded, before):
    """The error names what to make writable; root gives up its right to write anywhere for this test."""
    recorded.makeconftest(
        "import os, pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_teardown(item):\n"
        "    os.geteuid() or os.seteuid(65534)\n"
        "def pytest_runtest_logfinish():\n"
        "    os.getuid() or os.seteuid(0)\n"
    )
    recorded.path.joinpath(CASSETTE).parent.chmod(0o555)
    for folder in [recorded.path, *list(recorded.path.parents)[:-2]]:
        folder.chmod(folder.stat().st_mode | 0o111)
    result = recorded.runpytest_subprocess("--llm-record", "-p", "no:cacheprovider")
    recorded.path.joinpath(CASSETTE).parent.chmod(0o755)

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([f"CassetteSaveError: cannot save cassette {CASSETTE}: Permission denied"])
    assert before == (recorded.path / CASSETTE).read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on file sizes")
def test_a_full_disk_is_named_and_leaves_the_old_cassette(recorded, before):
    """The test fails with what to do."""
    recorded.makeconftest(
        "import pytest, resource\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_teardown(item):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
        "def pytest_runtest_makereport(item, call):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))\n"
    )
    result = recorded.runpytest_subprocess("--llm-record", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        [
            f"CassetteSaveError: cannot save cassette {CASSETTE}: File too large",
            "  the recording of this run is not kept; a cassette that was there before is as it was",
            "  make cassettes/test_app writable, with room on its disk, then record again",
        ]
    )
    assert before == (recorded.path / CASSETTE).read_bytes()


STATUSES = [400, 401, 403, 404, 413, 429, 500, 503, 529]


def test_error_replies_are_recorded_and_replayed(project, provider):
    """Like any other reply."""
    project.makepyfile(
        test_app=f"""
        import app, pytest

        @pytest.mark.llm
        @pytest.mark.parametrize("status", {STATUSES})
        def test_refused(status):
            assert app.ask(f"status {{status}}") == {{"error": {{"message": f"number {{status}}"}}}}
        """
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=len(STATUSES))
    before = len(provider.requests)
    project.runpytest_subprocess().assert_outcomes(passed=len(STATUSES))

    assert before == len(provider.requests) == len(STATUSES)
    for status in STATUSES:
        assert f"code: {status}\n" in (project.path / f"cassettes/test_app/test_refused[{status}].yaml").read_text()


def test_a_refused_connection_is_recorded_and_raised_again(project, provider):
    """The replay raises the same exception class, whether a server is listening or not."""
    provider.shutdown()
    provider.server_close()
    project.makepyfile(
        test_app="""
        import app, httpx2, pytest

        @pytest.mark.llm
        def test_greets():
            with pytest.raises(httpx2.ConnectError, match="refused"):
                app.ask("ping")
        """
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)
    project.runpytest_subprocess().assert_outcomes(passed=1)

    assert "kind: connect\n" in (project.path / CASSETTE).read_text()


def test_a_secret_in_the_prompt_is_redacted(project, provider, monkeypatch):
    """The value of a secret variable is replaced by its name, in request and reply."""
    secret = "correct-horse-battery-staple"
    monkeypatch.setenv("SERVICE_PASSWORD", secret)
    provider.reply = {"type": "message", "content": [{"type": "text", "text": f"your key is {secret}"}]}
    project.makepyfile(
        test_app="""
        import app, os, pytest

        @pytest.mark.llm
        def test_greets():
            app.ask("use " + os.environ["SERVICE_PASSWORD"])
        """
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=1)
    text = (project.path / CASSETTE).read_text()

    assert secret not in text
    assert text.count("[SERVICE_PASSWORD]") == 2
