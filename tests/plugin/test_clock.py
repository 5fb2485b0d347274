"""Clocks of replayed tests show the time of the recording."""

import re

import pytest

TEST = """
    import asyncio, time
    import datetime as dt
    from datetime import UTC, date, datetime

    import app, freezegun, pydantic, pytest, time_machine

    pytestmark = pytest.mark.llm

    def prompt():
        now = datetime.now()
        assert abs(now.timestamp() - time.time()) < 5 and abs(datetime.now(UTC).timestamp() - time.time()) < 5
        return (
            f"{date.today()} {now:%H} {dt.datetime.now(UTC):%F %H} {time.strftime('%F %H %z')} "
            f"{dt.datetime.now().astimezone():%F %H %z} {time.gmtime().tm_yday} {time.localtime().tm_yday}"
        )

    def test_prompt():
        app.ask(prompt())

    @pytest.fixture
    def first_call():
        app.ask(prompt())

    @pytest.mark.asyncio
    async def test_fixture_task_and_thread(first_call):
        start = time.monotonic()
        async with asyncio.timeout(60):
            await asyncio.sleep(0.02)
            await app.ask_later(prompt())
        await asyncio.to_thread(lambda: app.ask(prompt()))
        assert 0.02 <= time.monotonic() - start

    def test_types():
        class Ticket(pydantic.BaseModel):
            due: date
            at: datetime

        ticket = Ticket(due=date.today(), at=datetime.now())
        assert isinstance(ticket.due, date) and isinstance(ticket.at, dt.datetime)
        app.ask(Ticket.model_validate_json(ticket.model_dump_json()).due.isoformat())

    def test_own_travel():
        with time_machine.travel("2001-02-03", tick=False):
            app.ask(date.today().isoformat())
        app.ask(prompt())

    def test_own_freeze():
        with freezegun.freeze_time("2001-02-03"):
            app.ask(date.today().isoformat())
        app.ask(prompt())

    class TestFrozen:
        @pytest.fixture(scope="class", autouse=True)
        @staticmethod
        def frozen():
            with freezegun.freeze_time("2003-04-05"):
                yield

        def test_first(self):
            app.ask(date.today().isoformat())

        def test_second(self):
            app.ask(date.today().isoformat())

    @pytest.mark.llm(time="real")
    def test_real():
        assert type(datetime.now()) is dt.datetime is datetime
        app.ask("the same every day")
"""
TESTS = 8


def aged(folder):
    """Make all cassettes four years older; days of the year stay valid."""
    for path in folder.rglob("*.yaml"):
        text = path.read_text("utf-8")
        path.write_text(re.sub(r"\b20[2-9]\d(?=-\d\d-\d\d)", lambda year: str(int(year[0]) - 4), text), "utf-8")


@pytest.fixture
def dated(project, monkeypatch):
    """Return a suite whose prompts have the date, recorded years ago and 14 hours ahead of UTC, replayed behind UTC."""
    project.makepyfile(test_dated=TEST)
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=TESTS)
    aged(project.path / "cassettes")
    monkeypatch.setenv("TZ", "America/St_Johns")
    return project


def test_prompts_with_the_date_replay_years_later(dated):
    """In fixtures, tasks and threads; a test's own freeze takes precedence, and timeouts use real time."""
    replay = dated.runpytest_subprocess("-o", "llm_time=recorded", "--durations=0", "-vv")

    replay.assert_outcomes(passed=TESTS)
    phases = re.findall(r"^(\d+\.\d\d)s (?:setup|call|teardown) +(.*)", replay.stdout.str(), re.MULTILINE)
    times = [float(seconds) for seconds, name in phases if "TestFrozen" not in name]  # freezegun freezes pytest's clock
    assert 3 * (TESTS - 2) == len(times)
    assert max(times) < 5
    dated.runpytest_subprocess("-o", "llm_time=recorded", "-n", "2").assert_outcomes(passed=TESTS)
    dated.runpytest_subprocess("-k", "prompt or real").assert_outcomes(passed=1, failed=1)


def test_the_clock_shows_the_recorded_time_of_each_call(project):
    """Without a recorded time the test fails, and an unknown ini value is a usage error."""
    project.makepyfile(
        test_slow="""
        import app, pytest, time

        @pytest.mark.llm(time="recorded")
        def test_minutes(llm_mode):
            for _ in range(2):
                app.ask(time.strftime("%F %H:%M"))
            if llm_mode.value == "replay":
                assert "2001-02-03 23:31:05" == time.strftime("%F %T")

        @pytest.mark.llm(time="recorded")
        def test_nothing():
            pass

        @pytest.mark.llm(time="recorded")
        def test_fakes(fake_llm):
            pass
        """,
    )
    project.runpytest_subprocess("--llm-record").assert_outcomes(passed=3)
    path = project.path / "cassettes" / "test_slow" / "test_minutes.yaml"
    sent, begun = iter(("2001-02-03 23:30", "2001-02-03 23:31")), iter(("23:30:59", "23:31:02"))
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(?=\")", lambda _: next(sent), path.read_text("utf-8"))
    text = re.sub(r"(?<=recorded_at: ').*(?=')", lambda _: f"2001-02-03T{next(begun)}-05:00", text)
    path.write_text(re.sub(r"(?<=duration_s: ).*", "3.0", text), "utf-8")

    replay = project.runpytest_subprocess()
    replay.assert_outcomes(passed=1, errors=2)
    replay.stdout.fnmatch_lines(
        [
            "CassetteReadError: time='recorded' needs the time of a recording, and there is none",
            "  there is no cassette cassettes/test_slow/test_nothing.yaml yet",
            "  to record it: pytest --llm-record test_slow.py::test_nothing",
            '  to keep the real clock: @pytest.mark.llm(time="real")',
            "CassetteReadError: time='recorded' needs the time of a recording, and there is none",
            "  there is no cassette cassettes/test_slow/test_fakes.yaml yet, and what fake_llm answers is written to none",
            "  to record calls that fake_llm.only(...) leaves to it: pytest --llm-record test_slow.py::test_fakes",
            '  to keep the real clock: @pytest.mark.llm(time="real")',
        ]
    )
    path.write_text(re.sub(r"(?<=recorded_at: ).*", "null", text).replace("Date:", "Dated:"), "utf-8")
    project.runpytest_subprocess("-k", "minutes").stdout.fnmatch_lines(
        ["  no exchange in cassettes/test_slow/test_minutes.yaml has a time"]
    )
    typo = project.runpytest_subprocess("-o", "llm_time=recored")
    typo.stderr.fnmatch_lines(
        [
            "ERROR: llm_time = 'recored' is not known",
            "  it takes real, recorded",
            "  set it in the pytest section of your ini file, for example: llm_time = recorded",
        ]
    )


def test_a_request_signed_with_a_frozen_clock_fails_the_recording(project):
    """AWS would reject it, and nothing is saved."""
    project.makepyfile(
        test_signed="""
        import datetime, freezegun, httpx2, pytest

        @pytest.mark.llm
        @freezegun.freeze_time("2001-02-03 04:05")
        def test_converse():
            headers = {"x-amz-date": f"{datetime.datetime.now():%Y%m%dT%H%M%SZ}"}
            with httpx2.Client(transport=httpx2.HTTPTransport(proxy="http://127.0.0.1:1")) as client:
                with pytest.raises(httpx2.ConnectError):
                    client.post("http://bedrock-runtime.us-east-1.amazonaws.com/model/x/converse", headers=headers)
        """,
    )
    result = project.runpytest_subprocess("--llm-record")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "CassetteError: POST bedrock-runtime.us-east-1.amazonaws.com/model/x/converse was signed with a clock *",
            "  it is signed at 2001-02-03 04:05 UTC, and it is 20*",
            "  then record it: pytest --llm-record test_signed.py::test_converse",
        ]
    )
    assert not (project.path / "cassettes").exists()
